# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Training of speaker embeddings: angular margin and knowledge distillation.

Labels of a few hundred speakers do not suffice to separate unknown speakers. A larger
embedding model, trained on thousands of speakers, is therefore the teacher [2]_: from a
short and noisy crop, the student predicts the teacher's embedding of the whole clean
excerpt, after normalisation of the within-speaker covariance. It may also predict the
teacher's frames before pooling.

References
----------
.. [1] J. Deng, J. Guo, N. Xue, S. Zafeiriou, "ArcFace: Additive Angular Margin Loss
   for Deep Face Recognition", CVPR 2019.
.. [2] S. Wang, Y. Yang, T. Wang, Y. Qian, K. Yu, "Knowledge Distillation for Small
   Foot-print Deep Speaker Embedding", ICASSP 2019.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import numpy as np
import torch
from pyannote.audio.core.task import Problem, Resolution, Specifications
from pyannote.database.protocol.protocol import Protocol
from pytorch_metric_learning.losses import ArcFaceLoss
from torch import Tensor
from torch.utils.data import default_collate

from pyannote_diarizen.audio.reader import AudioReader, to_int16
from pyannote_diarizen.corpora.single_speaker import read_turns
from pyannote_diarizen.errors import check_at_least
from pyannote_diarizen.functional.plda import normalize_within_speakers
from pyannote_diarizen.models.speaker_resnet import SpeakerResNet
from pyannote_diarizen.simulation.excerpts import Excerpt, cut_excerpts, read_excerpt
from pyannote_diarizen.simulation.recording import Recorder
from pyannote_diarizen.simulation.speech import SpeechPool
from pyannote_diarizen.tasks.chunk_seeds import batches_of_worker, place_seed
from pyannote_diarizen.tasks.embedding_distillation import (
    EmbeddingDistillationLoss,
    FrameDistillationLoss,
    FrameTeacher,
    Teacher,
    TrainingExcerpt,
    teacher_embeddings,
    teacher_frames,
)
from pyannote_diarizen.tasks.verification_metric import PairwiseEqualErrorRate
from pyannote_diarizen.tasks.worker_processes import PicklableTask


@dataclass(frozen=True)
class EmbeddingObjective:
    """Margin loss and weights of the distillation losses.

    Parameters
    ----------
    margin : float, optional
        Angular margin of ArcFace [1]_, in degrees. Defaults to 11.5 (0.2 radian).
    scale : float, optional
        Scale of the cosines [1]_. Defaults to 32.
    distillation : float, optional
        Weight of the `EmbeddingDistillationLoss`; the weight of the margin loss is 1.
        Defaults to 4.
    frames : float, optional
        Weight of the `FrameDistillationLoss`, with `frame_teacher`. Defaults to 30.
    """

    margin: float = 11.5
    scale: float = 32.0
    distillation: float = 4.0
    frames: float = 30.0


class SpeakerEmbedding(PicklableTask):
    """Task that trains a speaker embedding model.

    The speech of the protocol is decoded once and kept in memory (115 MB per hour).

    Parameters
    ----------
    protocol : Protocol
        Speaker diarization protocol. Overlapping speech is left out.
    teacher : callable, optional
        Maps (batch, 1, num_samples) waveforms to (batch, dimension) embeddings, of the
        dimension of the model. It runs once over the training set. Defaults to none.
    cache : str or Path, optional
        File (.npy) of the teacher's embeddings.
    frame_teacher : callable, optional
        Maps (batch, 1, num_samples) waveforms to (batch, num_frames, num_features)
        frames before pooling, at the frame rate of the model. It runs once over the
        training set. Defaults to none.
    frame_cache : str or Path, optional
        File (.npy) of the teacher's frames, required by `frame_teacher`: 100 MB per
        hour with 512 features every 40 ms.
    duration : float, optional
        Maximum duration of a crop, in seconds. Defaults to 4.
    min_duration : float, optional
        Minimum duration of a crop, in seconds. Defaults to 1.5.
    excerpt_duration : float, optional
        Duration of the excerpts that crops are taken from, in seconds; the input of the
        teacher. Defaults to 5.
    speeds : sequence of float, optional
        Playback speeds; each speed of each speaker is a class. Defaults to (1,).
    paste : float, optional
        Probability that a part of the crop is replaced by another speaker's; the
        pooling weights of the model leave it out. Defaults to 0.5.
    objective : EmbeddingObjective, optional
    batch_size : int, optional
        Defaults to 64.
    batches_per_epoch : int, optional
        Defaults to 500.
    sample_rate : int, optional
        Sample rate of the model. Defaults to 16000.
    num_workers : int, optional
        Defaults to 0.
    recorder : Recorder, optional
        Adds rooms and noise to crops; to a development crop, always the same ones.
        Defaults to none.
    """

    model: SpeakerResNet
    protocol: Protocol

    def __init__(
        self,
        protocol: Protocol,
        *,
        teacher: Teacher | None = None,
        cache: str | Path | None = None,
        frame_teacher: FrameTeacher | None = None,
        frame_cache: str | Path | None = None,
        duration: float = 4.0,
        min_duration: float = 1.5,
        excerpt_duration: float = 5.0,
        speeds: Sequence[float] = (1.0,),
        paste: float = 0.5,
        objective: EmbeddingObjective | None = None,
        batch_size: int = 64,
        batches_per_epoch: int = 500,
        sample_rate: int = 16000,
        num_workers: int = 0,
        recorder: Recorder | None = None,
    ) -> None:
        super().__init__(
            protocol,
            cache=None if cache is None else str(cache),
            duration=duration,
            min_duration=min_duration,
            batch_size=batch_size,
            num_workers=num_workers,
        )
        if not 0 < min_duration <= duration <= excerpt_duration:
            raise ValueError(
                "`min_duration`, `duration`, `excerpt_duration` should not decrease, "
                f"got {min_duration}, {duration}, {excerpt_duration} seconds."
            )
        check_at_least(1, batch_size=batch_size, batches_per_epoch=batches_per_epoch)
        check_at_least(0, num_workers=num_workers)
        if frame_teacher is not None and frame_cache is None:
            raise ValueError("`frame_teacher` requires `frame_cache`, a file to write.")
        self.teacher = teacher
        self.frame_teacher = frame_teacher
        self.frame_cache = frame_cache
        self.excerpt_duration = excerpt_duration
        self.sample_rate = sample_rate
        self.speeds = tuple(speeds)
        self.paste = paste
        self.objective = objective or EmbeddingObjective()
        self.batches_per_epoch = batches_per_epoch
        self.recorder = recorder

    def prepare_data(self) -> None:
        """Do nothing: `setup` decodes the speech, which is kept in memory."""

    def setup(self, stage: str | None = None) -> None:
        """Decode speech, cut excerpts, run the teachers."""
        if hasattr(self, "pool"):
            return
        self.pool = self._read_speech("train")
        excerpts = self._cut(self.pool)
        self.excerpts = [
            TrainingExcerpt(excerpt, speed, len(self.speeds) * excerpt.speaker + index)
            for index, speed in enumerate(self.speeds)
            for excerpt in excerpts
        ]
        labels = np.array([excerpt.label for excerpt in self.excerpts])
        self.excerpts_of = [np.flatnonzero(labels == label) for label in set(labels)]
        self.targets = None
        if self.teacher is not None:
            cache = None if self.cache is None else Path(self.cache)
            targets = teacher_embeddings(self.teacher, self.pool, self.excerpts, cache)
            targets = normalize_within_speakers(targets, labels)
            self.targets = targets.astype(np.float32)
        self.frame_targets: np.ndarray | None = None
        if self.frame_teacher is not None and self.frame_cache is not None:
            self.frame_targets = teacher_frames(
                self.frame_teacher, self.pool, self.excerpts, Path(self.frame_cache)
            )
        self.specifications = Specifications(
            problem=Problem.REPRESENTATION,
            resolution=Resolution.CHUNK,
            duration=self.duration,
            min_duration=self.min_duration,
            classes=[
                speaker if speed == 1 else f"{speaker} x{speed:g}"
                for speaker in self.pool.speakers
                for speed in self.speeds
            ],
        )
        if self.has_validation:
            self.validation_pool = self._read_speech("development")
            self.validation_excerpts = self._cut(self.validation_pool)

    def _read_speech(self, subset: Literal["train", "development"]) -> SpeechPool:
        audio = AudioReader(sample_rate=self.sample_rate, mono="downmix")

        def utterances() -> Iterator[tuple[str, str, np.ndarray]]:
            for file in getattr(self.protocol, subset)():
                for speaker, turn in read_turns(file, audio):
                    # labels are unique in all databases: one source
                    yield self.protocol.name, speaker, to_int16(turn)

        return SpeechPool.from_utterances(utterances(), self.sample_rate)

    def _cut(self, pool: SpeechPool) -> list[Excerpt]:
        # at the highest speed, an excerpt should still hold the shortest crop
        shortest = self.min_duration * max(self.speeds)
        return cut_excerpts(pool, self.excerpt_duration, shortest)

    def default_metric(self) -> PairwiseEqualErrorRate:
        """Equal error rate over all pairs of development crops."""
        return PairwiseEqualErrorRate()

    @property
    def val_monitor(self) -> tuple[str, str]:
        """Name of the metric, and its mode: lower is better."""
        return "PairwiseEqualErrorRate", "min"

    def setup_loss_func(self) -> None:
        """Attach margin and distillation losses, whose weights are trained, too."""
        self.model.loss_func = ArcFaceLoss(
            len(self.speeds) * len(self.pool.speakers),
            self.model.dimension,
            margin=self.objective.margin,
            scale=self.objective.scale,
        )
        if self.targets is not None:
            self.model.distillation_loss = EmbeddingDistillationLoss(
                torch.from_numpy(self.targets)
            )
        if self.frame_targets is not None:
            # mean and deviation of at most 500 excerpts
            excerpts = self.frame_targets[:: 1 + len(self.frame_targets) // 500]
            frames = torch.from_numpy(excerpts.astype(np.float32)).flatten(0, 1)
            frames = frames[~frames[:, 0].isnan()]
            self.model.frame_loss = FrameDistillationLoss(
                self.model.encoder.num_features,
                frames.mean(dim=0),
                frames.std(dim=0).clamp(min=1e-3),
            )

    def train__len__(self) -> int:
        """Return the number of crops of an epoch."""
        return self.batch_size * self.batches_per_epoch

    def train__iter__(self) -> Iterator[dict[str, Any]]:
        """Yield crops without end; all crops of a batch have the same duration."""
        sample_rate = self.sample_rate
        for batch in batches_of_worker():
            rng = np.random.default_rng(place_seed(self.model, batch))
            duration = rng.uniform(self.min_duration, self.duration)
            # each class once before any of them occurs again
            labels = rng.permutation(len(self.excerpts_of))
            num_samples = round(duration * sample_rate)
            for label in np.resize(labels, self.batch_size):
                index = int(rng.choice(self.excerpts_of[label]))
                first = self._first_frame(self.excerpts[index], num_samples, rng)
                crop = self._crop(
                    self.pool, self.excerpts[index], first, num_samples, rng
                )
                sample = {"X": crop[None], "y": int(label), "excerpt": index}
                if self.frame_targets is not None:
                    num_frames = self.model.num_frames(num_samples)
                    frames = self.frame_targets[index, first : first + num_frames]
                    missing = ((0, num_frames - len(frames)), (0, 0))
                    sample["frames"] = np.pad(frames, missing, constant_values=np.nan)
                yield sample

    @property
    def _step(self) -> int:
        """Number of samples between the centres of consecutive frames."""
        return self.model.receptive_field_center(1) - (
            self.model.receptive_field_center(0)
        )

    def _first_frame(
        self, excerpt: TrainingExcerpt, num_samples: int, rng: np.random.Generator
    ) -> int:
        available = int(excerpt.excerpt.num_samples / excerpt.speed)
        return int(rng.integers(max(available - num_samples, 0) // self._step + 1))

    def _crop(
        self,
        pool: SpeechPool,
        excerpt: TrainingExcerpt,
        first_frame: int,
        num_samples: int,
        rng: np.random.Generator,
    ) -> np.ndarray:
        start = first_frame * self._step
        crop = read_excerpt(pool, excerpt.excerpt, excerpt.speed, start, num_samples)
        crop = np.resize(crop, num_samples)  # repeated if too short
        if self.recorder is None:
            return crop
        # unit level, preceded by silence for the reverberation of the room
        level = np.sqrt(np.mean(crop**2)) + np.float32(1e-6)
        speech = np.pad(crop / level, (self.recorder.lead, 0))
        return self.recorder.record(speech[None], rng)

    def collate_fn(
        self, batch: list[dict[str, Any]], stage: str = "train"
    ) -> dict[str, Tensor]:
        """Stack crops."""
        return default_collate(batch)

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """Sum of the margin loss and, with teachers, of the distillation losses."""
        pasted = self._draw_pasted(len(batch["X"]))
        waveforms = paste(batch["X"], pasted, dim=2)
        frames = self.model.forward_frames(waveforms)
        # (batch, num_frames), 0 where another speaker is pasted
        weights = (~pasted(frames.shape[-1])).float().to(frames.device)
        embeddings = self.model.forward_embedding(frames, weights).float()
        margin_loss: Any = self.model.loss_func
        with torch.autocast(embeddings.device.type, enabled=False):
            # ArcFace [1]_ of (batch, dimension) embeddings and their (batch,) classes
            loss = margin_loss(embeddings, batch["y"])
            logged = {"loss/margin": loss}
            if self.targets is not None:
                distillation_loss: Any = self.model.distillation_loss
                distilled, cosine = distillation_loss(embeddings, batch["excerpt"])
                loss = loss + self.objective.distillation * distilled
                logged |= {"loss/distillation": distilled, "cosine/teacher": cosine}
            if self.frame_targets is not None:
                frame_loss: Any = self.model.frame_loss
                targets = paste(batch["frames"].float(), pasted, dim=1)
                logged["loss/frames"] = frame_loss(frames.float(), targets)
                loss = loss + self.objective.frames * logged["loss/frames"]
        self.model.log_dict(logged, on_step=True, on_epoch=False, prog_bar=True)
        return loss

    def _draw_pasted(self, batch_size: int) -> Callable[[int], Tensor]:
        """Draw the part of each crop that is replaced by another speaker's.

        The receptive field of pooled frames then holds other speakers, as in a
        diarization pipeline. The returned function gives the mask at any resolution,
        (batch_size, resolution).
        """
        share = torch.empty(batch_size, 1).uniform_(0.1, 0.6)
        start = torch.rand(batch_size, 1) * (1 - share)
        drawn = torch.rand(batch_size, 1) < self.paste

        def pasted(resolution: int) -> Tensor:
            # centre of each of `resolution` intervals, relative to the crop
            instant = (torch.arange(resolution) + 0.5) / resolution
            return (instant >= start) & (instant < start + share) & drawn

        return pasted

    def val__len__(self) -> int:
        """Return the number of development crops."""
        return len(self.validation_excerpts)

    def val__getitem__(self, index: int) -> dict[str, Any]:
        """Crop of `duration` seconds, the same at each call."""
        rng = np.random.default_rng(index)
        excerpt = TrainingExcerpt(self.validation_excerpts[index], 1.0, 0)
        num_samples = round(self.duration * self.sample_rate)
        first = self._first_frame(excerpt, num_samples, rng)
        waveform = self._crop(self.validation_pool, excerpt, first, num_samples, rng)
        return {"X": waveform[None], "y": excerpt.excerpt.speaker}

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Update the equal error rate."""
        metric: Any = self.model.validation_metric
        metric.update(self.model(batch["X"]), batch["y"])
        self.model.log_dict(metric, on_step=False, on_epoch=True, prog_bar=True)


def paste(batch: Tensor, pasted: Callable[[int], Tensor], dim: int) -> Tensor:
    """Replace the pasted part of each item by the item before; `dim` is time."""
    where = pasted(batch.shape[dim]).to(batch.device).unsqueeze(3 - dim)
    return torch.where(where, batch.roll(1, dims=0), batch)
