# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Training of segmentation models with powerset classes [1]_.

Chunks come from real recordings, from simulated conversations, or from both.

References
----------
.. [1] A. Plaquet, H. Bredin, "Powerset multi-class cross entropy loss for neural
   speaker diarization", Interspeech 2023.
.. [2] H. Wang et al., "CosFace: Large Margin Cosine Loss for Deep Face Recognition",
   CVPR 2018.
"""

from collections.abc import Callable, Iterator, Mapping
from random import Random
from typing import Any

import numpy as np
import torch
from pyannote.audio.tasks import SpeakerDiarization
from pyannote.audio.utils.powerset import Powerset
from pyannote.core import Segment, SlidingWindow, SlidingWindowFeature
from pyannote.database.protocol.protocol import Protocol
from pytorch_metric_learning.losses import CosFaceLoss
from pytorch_metric_learning.reducers import SumReducer
from torch import Tensor, nn
from torch.utils.data import DataLoader

from pyannote_diarizen.errors import check_at_least
from pyannote_diarizen.functional.losses import balanced_class_weights
from pyannote_diarizen.simulation.augmentation import check_labels_stay_true
from pyannote_diarizen.simulation.conversation import SimulatedConversation
from pyannote_diarizen.simulation.mixing import UNKNOWN, RecordingMixer
from pyannote_diarizen.simulation.simulator import ConversationSimulator
from pyannote_diarizen.tasks.channel_selection import (
    ChunkReader,
    SameTargets,
    fit_channels,
)
from pyannote_diarizen.tasks.chunk_seeds import place_seed, places_of_worker, seeded
from pyannote_diarizen.tasks.chunking import (
    balanced_filters,
    chunks_of_worker,
    chunks_per_process,
    training_chunks,
)
from pyannote_diarizen.tasks.class_balance import shares_in_chunks, shares_in_recordings
from pyannote_diarizen.tasks.segmentation_distillation import (
    Distillation,
    SegmentationDistillation,
)
from pyannote_diarizen.tasks.segmentation_loss import (
    REFERENCE,
    OwnLoss,
    SegmentationLoss,
    make_loss,
)
from pyannote_diarizen.tasks.targets import limit_speakers, redraw
from pyannote_diarizen.tasks.transient_cache import TransientCache
from pyannote_diarizen.tasks.worker_processes import PicklableTask

MIN_DURATION = 0.01
"""Minimum duration of a chunk, and from one to the next, in seconds."""
COUNTED_CHUNKS = 200
"""Number of simulated chunks from which class frequencies are estimated."""


class SinglePrecisionPowerset(Powerset):
    """Powerset that computes in float32 under autocast.

    The permutation of speakers is computed by NumPy, which has no bfloat16.
    """

    def to_multilabel(self, powerset: Tensor, soft: bool = False) -> Tensor:
        """Convert scores of powerset classes to speaker activity."""
        with torch.autocast(powerset.device.type, enabled=False):
            return super().to_multilabel(powerset.float(), soft=soft)

    def to_powerset(self, multilabel: Tensor) -> Tensor:
        """Convert speaker activity to powerset classes."""
        with torch.autocast(multilabel.device.type, enabled=False):
            return super().to_powerset(multilabel.float())


class PowersetDiarization(SpeakerDiarization, TransientCache, PicklableTask):
    """Segmentation task on real recordings and simulated conversations.

    It takes all parameters of `pyannote.audio.tasks.SpeakerDiarization`, too.

    Parameters
    ----------
    protocol : SpeakerDiarizationProtocol
        Real recordings.
    loss : SegmentationLoss, mapping or callable, optional
        Loss, its options, or a loss of one's own, see `OwnLoss`. Defaults to the
        cross-entropy of powerset classes [1]_.
        `loss/val` is always this cross-entropy, so that runs can be compared.
    simulator : ConversationSimulator, optional
        Source of simulated chunks.
    simulated : float, optional
        Share of simulated training chunks. Defaults to 0 without `simulator`, to 0.9
        with it.
    identification : float, optional
        Weight of an auxiliary loss: the frames that enter the Conformer identify their
        speaker among all speakers of the simulator [2]_. The model then separates the
        speakers of a chunk after fewer hours of audio. Defaults to 0.
    distillation : Distillation or mapping, optional
        Teacher whose outputs are learned besides the labels, or the options of
        `Distillation`. Defaults to none.
    batches_per_epoch : int, optional
        In each process. By default, all of them cover the real recordings once.
    shift : float, optional
        Seconds from the start of a real chunk to the next; each chunk occurs once in an
        epoch, as in DiariZen. By default, chunks are drawn at random, as in
        pyannote.audio.
    mixing : RecordingMixer or mapping, optional
        Mixes chunks of a batch, or the options of `RecordingMixer`. Defaults to none.
    channel : int, optional
        Channel of real recordings, from 0, for models of one channel. Defaults to the
        average of all channels.
    prefetch_factor : int, optional
        Number of batches that each worker process loads in advance. Defaults to 2.
    start_method : {"fork", "spawn", "forkserver"}, optional
        Start of worker processes. Defaults to that of Python.
    **host
        See `pyannote.audio.tasks.SpeakerDiarization`.

    Raises
    ------
    ValueError
        If options contradict each other.
    """

    def __init__(
        self,
        protocol: Protocol,
        *,
        loss: SegmentationLoss | Mapping[str, Any] | Callable = REFERENCE,
        simulator: ConversationSimulator | None = None,
        simulated: float | None = None,
        identification: float = 0.0,
        distillation: Distillation | Mapping[str, Any] | None = None,
        batches_per_epoch: int | None = None,
        shift: float | None = None,
        mixing: RecordingMixer | Mapping[str, Any] | None = None,
        channel: int | None = None,
        prefetch_factor: int | None = None,
        start_method: str | None = None,
        **host: Any,
    ) -> None:
        super().__init__(protocol, **host)
        if self.balance and shift is not None:
            raise ValueError("`balance` draws chunks at random: leave out `shift`.")
        self._check_sizes(batches_per_epoch, shift)
        self.set_workers(prefetch_factor, start_method)
        check_labels_stay_true(self.augmentation)
        self.augmentation: nn.Module = SameTargets(self.augmentation)
        self.loss = make_loss(loss)
        if simulated is None:
            simulated = 0.0 if simulator is None else 0.9
        if not 0 <= simulated <= 1:
            raise ValueError(f"`simulated` should be between 0 and 1, got {simulated}.")
        if simulator is None and (simulated or identification):
            raise ValueError("`simulated` and `identification` need a `simulator`.")
        self.simulator = simulator
        self.simulated = simulated
        self.identification = identification
        if isinstance(distillation, Mapping):
            distillation = Distillation(**distillation)
        self.distillation = distillation
        self.batches_per_epoch = batches_per_epoch
        self.shift = shift
        if isinstance(mixing, Mapping):
            mixing = RecordingMixer(**mixing)
        self.mixing = mixing
        self.channel = channel

    def _check_sizes(self, batches_per_epoch: int | None, shift: float | None) -> None:
        per_chunk, per_frame = self.max_speakers_per_chunk, self.max_speakers_per_frame
        check_at_least(
            1,
            batch_size=self.batch_size,
            batches_per_epoch=batches_per_epoch,
            max_speakers_per_chunk=per_chunk,
            max_speakers_per_frame=per_frame,
        )
        check_at_least(0, num_workers=self.num_workers)
        check_at_least(MIN_DURATION, duration=self.duration, shift=shift)
        if per_chunk is not None and per_frame is not None and per_frame > per_chunk:
            raise ValueError(
                "`max_speakers_per_frame` should be at most `max_speakers_per_chunk`, "
                f"got {per_frame} and {per_chunk}."
            )

    def setup_loss_func(self) -> None:
        """Attach powerset, class weights, reader and auxiliary losses to the model."""
        self.model.powerset = SinglePrecisionPowerset(
            len(self.specifications.classes), self.specifications.powerset_max_classes
        )
        if isinstance(self.loss, OwnLoss) and isinstance(self.loss.function, nn.Module):
            self.model.loss_func = self.loss.function
        class_weights = self._balance_classes() if self.loss.class_balance else None
        self.model.register_buffer("class_weights", class_weights, persistent=False)
        # reads without FFmpeg, and pads chunks at the end of a file
        hparams = self.model.hparams
        self.model.audio = ChunkReader(
            hparams.sample_rate, hparams.num_channels, self.channel
        )
        if self.simulator is not None and self.identification:
            self.model.identification_loss = CosFaceLoss(
                *(len(self.simulator.pool.speakers), hparams.attention_in),
                margin=0.2,
                scale=20.0,
                reducer=SumReducer(),
            )
            self.model.lnorm.register_forward_hook(self._keep_frames)
        if self.distillation is not None:
            self._distill = SegmentationDistillation(self.distillation, self.model)

    def _balance_classes(self) -> Tensor:
        """Weights of powerset classes by their frequency, (num_classes,)."""
        most = self.max_speakers_per_frame
        # (max_speakers_per_frame + 1,): silence, one speaker, two at once ...
        shares = shares_in_recordings(self.prepared_data, most)
        if self.simulator is not None and self.simulated:
            rng = np.random.default_rng(0)
            chunks = (
                self._simulate_chunk(self.simulator, rng)["y"].data
                for _ in range(COUNTED_CHUNKS)
            )
            # mean over real and simulated chunks
            shares = (1 - self.simulated) * shares
            shares += self.simulated * shares_in_chunks(chunks, most)
        return balanced_class_weights(
            torch.from_numpy(shares).float(),
            self.model.powerset.cardinality,
            self.loss.class_balance,
        )

    def _keep_frames(self, layer: nn.Module, inputs: Any, frames: Tensor) -> None:
        self._frames = frames

    def train_dataloader(self) -> DataLoader:
        """Load training batches; the speech of their epoch is decoded before."""
        if self.simulator is not None:
            self.simulator.prepare(self._generators())
        return super().train_dataloader()

    def _generators(self) -> Iterator[np.random.Generator]:
        """Yield generators of the simulated chunks of an epoch, see `train__iter__`."""
        for place in range(self.train__len__()):
            rng = np.random.default_rng(place_seed(self.model, place))
            if rng.random() < self.simulated:
                yield rng

    def train__len__(self) -> int:
        """Return the number of chunks of an epoch, in each of the processes."""
        if self.batches_per_epoch is not None:
            return self.batches_per_epoch * self.batch_size
        num_chunks = super().train__len__()
        if self.shift is not None:
            data = self.prepared_data
            num_chunks = len(training_chunks(data, self.duration, self.shift))
        return chunks_per_process(num_chunks, self.model, self.batch_size)

    def train__iter__(self) -> Iterator[dict[str, Any]]:
        """Yield real and simulated chunks, and the seed of each, without end."""
        host = Random()
        drawn = self._drawn_chunks(host)
        listed = None if self.shift is None else self._listed_chunks(self.shift)
        for place in places_of_worker(self.batch_size):
            seed = place_seed(self.model, place)
            host.seed(seed)
            rng = np.random.default_rng(seed)
            # passed over by a simulated chunk
            start = None if listed is None else next(listed)
            if self.simulator is not None and rng.random() < self.simulated:
                chunk = self._simulate_chunk(self.simulator, rng)
            elif start is None:
                chunk = next(drawn)
            else:
                chunk = self.prepare_chunk(*start, self.duration)
            yield {**chunk, "seed": seed}

    def _drawn_chunks(self, rng: Random) -> Iterator[dict[str, Any]]:
        """Chunks as pyannote.audio draws them; `rng` may be seeded before each one."""
        filters = balanced_filters(self.prepared_data, self.balance or ())
        subsets = [self.train__iter__helper(rng, **each) for each in filters]
        while True:
            yield next(rng.choice(subsets))

    def _listed_chunks(self, shift: float) -> Iterator[tuple[int, float]]:
        """File and start of chunks that occur once in an epoch."""
        chunks = training_chunks(self.prepared_data, self.duration, shift)
        for number in chunks_of_worker(len(chunks), self.model, self.batch_size):
            yield chunks[number]

    def prepare_chunk(
        self, file_id: int, start_time: float, duration: float
    ) -> dict[str, Any]:
        """Read a chunk of a real recording."""
        sample = super().prepare_chunk(file_id, start_time, duration)
        chunk = Segment(start_time, start_time + duration)
        sample["y"] = redraw(sample["y"], self.prepared_data, file_id, chunk)
        sample["speaker"] = np.full(len(sample["y"].data), UNKNOWN)
        return sample

    def _simulate_chunk(
        self, simulator: ConversationSimulator, rng: np.random.Generator
    ) -> dict[str, Any]:
        conversation = simulator.simulate(self.duration, rng)
        receptive_field = self.model.receptive_field
        # frames start at 0, as in `prepare_chunk` and `Inference` of pyannote.audio
        frames = SlidingWindow(
            duration=receptive_field.duration, step=receptive_field.step
        )
        num_frames = self.model.num_frames(len(conversation.waveform))
        # activity of each speaker: (num_frames, num_speakers)
        activity = conversation.activity(frames, num_frames)
        waveform = torch.from_numpy(conversation.waveform)[None]
        return {
            "X": fit_channels(waveform, self.model.hparams.num_channels),
            "y": SlidingWindowFeature(activity, frames, labels=conversation.speakers),
            "speaker": _single_speaker(conversation, activity, simulator.pool.speakers),
            "meta": dict.fromkeys(
                (*self.prepared_data["audio-metadata"].dtype.names, "file"), UNKNOWN
            ),
        }

    def collate_fn(
        self, batch: list[dict[str, Any]], stage: str = "train"
    ) -> dict[str, Tensor]:
        """Stack chunks, after mixing them if they are training chunks."""
        seed = batch[0].get("seed", 0)
        if self.mixing is not None and stage == "train":
            rng = np.random.default_rng(seed)
            batch = self.mixing(batch, self.max_speakers_per_chunk, rng)
        with seeded(seed):
            collated = super().collate_fn(batch, stage=stage)
        collated["speaker"] = torch.from_numpy(
            np.stack([sample["speaker"] for sample in batch])
        )
        return collated

    def collate_y(self, batch: list[dict[str, Any]]) -> Tensor:
        """Stack targets of the most active speakers, up to the maximum number."""
        most = self.max_speakers_per_chunk
        limited = [{"y": limit_speakers(sample["y"], most)} for sample in batch]
        return super().collate_y(limited)

    def training_step(
        self, batch: dict[str, Tensor], batch_idx: int
    ) -> dict[str, Tensor]:
        """Compute the loss of labels, teacher and identification; log each part."""
        waveforms = batch["X"]
        distilled: dict[str, Tensor] = {}
        if self.distillation is None:
            scores = self.model(waveforms)
        else:
            scores, distilled = self._distill(waveforms, self.model.global_step)
        loss, parts = self.loss(
            scores, batch["y"], self.model.powerset, self.model.class_weights
        )
        if self.distillation is not None:
            loss = self._distill.loss(loss, distilled)
            parts |= distilled
        if self.identification:
            parts["identification"] = self._identify(batch["speaker"])
            loss = loss + self.identification * parts["identification"]
        self._log("loss/train", loss)
        for part, value in parts.items():
            self._log(f"loss/train/{part}", value)
        return {"loss": loss}

    def _identify(self, speaker: Tensor) -> Tensor:
        known = speaker != UNKNOWN  # (batch_size, num_frames)
        with torch.autocast(speaker.device.type, enabled=False):
            total = self.model.identification_loss(
                self._frames[known].float(), speaker[known]
            )
        # 0 for a batch of real chunks, whose mean over no frame would be NaN
        return total / known.sum().clamp(min=1)

    def _log(self, name: str, loss: Tensor) -> None:
        self.model.log(name, loss, on_step=False, on_epoch=True)


def _single_speaker(
    conversation: SimulatedConversation, activity: np.ndarray, speakers: list[str]
) -> np.ndarray:
    """Index in `speakers` of the speaker of each frame with exactly one, (num_frames,).

    Other frames are UNKNOWN.
    """
    index = np.full(len(activity), UNKNOWN)
    is_single = activity.sum(axis=1) == 1
    for speaker, active in zip(conversation.speakers, activity.T, strict=True):
        index[is_single & (active == 1)] = speakers.index(speaker)
    return index
