# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Training of speaker embeddings: an angular margin, and vectors of a teacher.

A few hundred speakers are too few to learn what tells voices apart from labels alone.
A larger embedding model that met thousands of them is imitated besides: the student
hears a short, noisy crop and should give the direction that the teacher gives to the
whole clean excerpt, once directions in which embeddings of one speaker vary are made
equal. Frame by frame, the student may imitate what the teacher pools as well.

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
from pyannote.audio.core.task import Problem, Resolution, Specifications, Task
from pyannote.audio.utils.random import create_rng_for_worker
from pyannote.database.protocol.protocol import Protocol
from pytorch_metric_learning.losses import ArcFaceLoss
from torch import Tensor
from torch.utils.data import default_collate

from pyannote_diarizen.audio.reader import AudioReader
from pyannote_diarizen.corpora.single_speaker import read_turns
from pyannote_diarizen.functional.plda import normalize_within_speakers
from pyannote_diarizen.models.speaker_resnet import SpeakerResNet
from pyannote_diarizen.simulation.excerpts import Excerpt, cut_excerpts, read_excerpt
from pyannote_diarizen.simulation.recording import Recorder
from pyannote_diarizen.simulation.speech import SpeechPool
from pyannote_diarizen.tasks.distillation import (
    FrameImitationLoss,
    FrameTeacher,
    ImitationLoss,
    Teacher,
    TrainingExcerpt,
    ask_frame_teacher,
    ask_teacher,
)
from pyannote_diarizen.tasks.verification_metric import PairwiseEqualErrorRate


@dataclass(frozen=True)
class EmbeddingObjective:
    """What the loss is made of.

    Parameters
    ----------
    margin : float, optional
        Angle in degrees by which a speaker's embeddings should be nearer to their
        own class [1]_. Defaults to 11.5 (0.2 radian).
    scale : float, optional
        Inverse temperature [1]_. Defaults to 32.
    distillation : float, optional
        Weight of the `ImitationLoss` of the teacher [2]_, that of the margin loss
        being 1. Defaults to 4.
    frames : float, optional
        Weight of the `FrameImitationLoss`, when there is a teacher of frames. Defaults
        to 30.
    """

    margin: float = 11.5
    scale: float = 32.0
    distillation: float = 4.0
    frames: float = 30.0


class SpeakerEmbedding(Task):
    """Train an embedding model to tell speakers apart.

    All speech of the protocol is decoded once and kept in memory (115 MB per hour).

    Parameters
    ----------
    protocol : Protocol
        Speaker diarization protocol. Overlapping speech is left out.
    teacher : callable, optional
        Gives (batch, dimension) embeddings of (batch, 1, num_samples) waveforms, of the
        same dimension as those of the model. Runs once over the training set. Defaults
        to none: speakers are all there is to learn from.
    cache : str or Path, optional
        File (.npy) that keeps what the teacher gave.
    frame_teacher : callable, optional
        Gives the (batch, num_frames, num_features) frames behind these embeddings, as
        many as the model gives. Runs once over the training set. Defaults to none.
    frame_cache : str or Path, optional
        File (.npy) that keeps what it gave; needed, since it is large: 100 MB per hour
        with 512 features every 40 ms.
    duration : float, optional
        Longest crop, in seconds. Defaults to 4.
    min_duration : float, optional
        Shortest crop, in seconds. Defaults to 1.5.
    excerpt_duration : float, optional
        What the teacher is given, in seconds, from which crops are taken. Defaults
        to 5.
    speeds : sequence of float, optional
        Each speed of each speaker is a class. Defaults to (1,).
    paste : float, optional
        Probability that a part of the crop is another speaker's, left out by the
        weights given to the model. Defaults to 0.5.
    objective : EmbeddingObjective, optional
    batch_size : int, optional
        Defaults to 64.
    batches_per_epoch : int, optional
        Defaults to 500.
    sample_rate : int, optional
        That of the model. Defaults to 16000.
    num_workers : int, optional
        Defaults to 0.
    recorder : Recorder, optional
        Records crops again, in rooms and noise; development crops as well, the same way
        each time. Defaults to none: crops are heard as they are.
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
        if frame_teacher is not None and frame_cache is None:
            raise ValueError("`frame_teacher` needs `frame_cache`, a file to write to.")
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
        """Do nothing: `setup` decodes, since all of the speech is kept in memory."""

    def setup(self, stage: str | None = None) -> None:
        """Decode speech, cut excerpts, ask the teacher."""
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
            said = ask_teacher(self.teacher, self.pool, self.excerpts, cache)
            self.targets = normalize_within_speakers(said, labels).astype(np.float32)
        self.frame_targets: np.ndarray | None = None
        if self.frame_teacher is not None and self.frame_cache is not None:
            self.frame_targets = ask_frame_teacher(
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
                    scaled = np.rint(turn * 2**15).clip(-(2**15), 2**15 - 1)
                    yield file["database"], speaker, scaled.astype(np.int16)

        return SpeechPool.from_utterances(utterances(), self.sample_rate)

    def _cut(self, pool: SpeechPool) -> list[Excerpt]:
        # played fast, an excerpt should still hold the shortest crop
        shortest = self.min_duration * max(self.speeds)
        return cut_excerpts(pool, self.excerpt_duration, shortest)

    def default_metric(self) -> PairwiseEqualErrorRate:
        """Return the equal error rate over all pairs of development crops."""
        return PairwiseEqualErrorRate()

    @property
    def val_monitor(self) -> tuple[str, str]:
        """Equal error rate, the lower the better."""
        return "PairwiseEqualErrorRate", "min"

    def setup_loss_func(self) -> None:
        """Give the model the margin loss, whose class centres are trained with it.

        And the loss of imitation, when there is a teacher.
        """
        self.model.loss_func = ArcFaceLoss(
            len(self.speeds) * len(self.pool.speakers),
            self.model.dimension,
            margin=self.objective.margin,
            scale=self.objective.scale,
        )
        if self.targets is not None:
            self.model.imitation_loss = ImitationLoss(torch.from_numpy(self.targets))
        if self.frame_targets is not None:
            excerpts = self.frame_targets[:: 1 + len(self.frame_targets) // 500]
            frames = torch.from_numpy(excerpts.astype(np.float32)).flatten(0, 1)
            frames = frames[~frames[:, 0].isnan()]
            self.model.frame_loss = FrameImitationLoss(
                self.model.encoder.num_features,
                frames.mean(dim=0),
                frames.std(dim=0).clamp(min=1e-3),
            )

    def train__len__(self) -> int:
        """Return the number of crops of an epoch."""
        return self.batch_size * self.batches_per_epoch

    def train__iter__(self) -> Iterator[dict[str, Any]]:
        """Draw crops for ever; those of a batch have the same duration."""
        rng = np.random.default_rng(create_rng_for_worker(self.model).getrandbits(64))
        sample_rate = self.sample_rate
        while True:
            duration = rng.uniform(self.min_duration, self.duration)
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
                    said = self.frame_targets[index, first : first + num_frames]
                    missing = ((0, num_frames - len(said)), (0, 0))
                    sample["frames"] = np.pad(said, missing, constant_values=np.nan)
                yield sample

    @property
    def _step(self) -> int:
        """Samples from a frame of the model to the next."""
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
        level = np.sqrt(np.mean(crop**2)) + np.float32(1e-6)
        speech = np.pad(crop / level, (self.recorder.lead, 0))
        return self.recorder.record(speech[None], rng)

    def collate_fn(
        self, batch: list[dict[str, Any]], stage: str = "train"
    ) -> dict[str, Tensor]:
        """Stack crops."""
        return default_collate(batch)

    def training_step(self, batch: dict[str, Tensor], batch_idx: int) -> Tensor:
        """Return the margin loss, plus those of imitation when there are teachers."""
        pasted = self._draw_pasted(len(batch["X"]))
        waveforms = paste(batch["X"], pasted, dim=2)
        frames = self.model.forward_frames(waveforms)
        weights = (~pasted(frames.shape[-1])).float().to(frames.device)
        embeddings = self.model.forward_embedding(frames, weights).float()
        margin_loss: Any = self.model.loss_func
        with torch.autocast(embeddings.device.type, enabled=False):
            loss = margin_loss(embeddings, batch["y"])
            logged = {"loss/margin": loss}
            if self.targets is not None:
                imitation_loss: Any = self.model.imitation_loss
                imitation, cosine = imitation_loss(embeddings, batch["excerpt"])
                loss = loss + self.objective.distillation * imitation
                logged |= {"loss/imitation": imitation, "cosine/teacher": cosine}
            if self.frame_targets is not None:
                frame_loss: Any = self.model.frame_loss
                targets = paste(batch["frames"].float(), pasted, dim=1)
                imitation = frame_loss(frames.float(), targets)
                loss = loss + self.objective.frames * imitation
                logged["loss/frames"] = imitation
        self.model.log_dict(logged, on_step=True, on_epoch=False, prog_bar=True)
        return loss

    def _draw_pasted(self, batch_size: int) -> Callable[[int], Tensor]:
        """Draw where another speaker cuts in, told at any resolution.

        One speaker of a chunk is then pooled from frames that saw others, as in a
        diarization pipeline.
        """
        share = torch.empty(batch_size, 1).uniform_(0.1, 0.6)
        start = torch.rand(batch_size, 1) * (1 - share)
        drawn = torch.rand(batch_size, 1) < self.paste

        def pasted(resolution: int) -> Tensor:
            instant = (torch.arange(resolution) + 0.5) / resolution
            return (instant >= start) & (instant < start + share) & drawn

        return pasted

    def val__len__(self) -> int:
        """Return the number of development crops."""
        return len(self.validation_excerpts)

    def val__getitem__(self, index: int) -> dict[str, Any]:
        """Return a crop of `duration` seconds, the same each time."""
        rng = np.random.default_rng(index)
        excerpt = TrainingExcerpt(self.validation_excerpts[index], 1.0, 0)
        num_samples = round(self.duration * self.sample_rate)
        first = self._first_frame(excerpt, num_samples, rng)
        waveform = self._crop(self.validation_pool, excerpt, first, num_samples, rng)
        return {"X": waveform[None], "y": excerpt.excerpt.speaker}

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Add crops to the equal error rate."""
        metric: Any = self.model.validation_metric
        metric.update(self.model(batch["X"]), batch["y"])
        self.model.log_dict(metric, on_step=False, on_epoch=True, prog_bar=True)


def paste(batch: Tensor, pasted: Callable[[int], Tensor], dim: int) -> Tensor:
    """Take what is next in the batch where it is pasted; `dim` is that of time."""
    where = pasted(batch.shape[dim]).to(batch.device).unsqueeze(3 - dim)
    return torch.where(where, batch.roll(1, dims=0), batch)
