# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Speaker embeddings of overlapping chunks, from frames computed once per recording.

Chunks overlap by 90 %: an embedding network that runs once per chunk computes each
instant ten times. Here it runs once over long blocks, with enough context on both
sides, and the frames of a block are pooled for all chunks and speakers by one product
of matrices.

The result is close to that of `ChunkEmbedding`, not equal. The mean spectrum is that of
a window around each instant, as long as a chunk, instead of that of the chunk. Frames
at the edges of a chunk depend on the audio around it, instead of zeros.
"""

import warnings
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from functools import partial
from typing import Any, Literal

import numpy as np
import torch
from pyannote.audio.core.io import AudioFile
from pyannote.core import Segment
from torch import Tensor

from pyannote_diarizen.pipelines.batches import shrinking_batches
from pyannote_diarizen.pipelines.embedding import CPU_PASS, ChunkEmbedding, Masks
from pyannote_diarizen.pipelines.files import LoadedFile
from pyannote_diarizen.pipelines.frame_features import (
    FrameNetwork,
    frame_network,
    mean_window,
    shares_frames,
    subtract_sliding_mean,
)

BLOCK_DURATION = CPU_PASS
"""Seconds of frames in one pass."""


def build_extraction(
    mode: Literal["exact", "shared"], embedding: Any, **options: Any
) -> ChunkEmbedding | None:
    """Build the extraction of embeddings; None if the model pools inside.

    Parameters
    ----------
    mode : {"exact", "shared"}
        Value of `choose_mode`.
    embedding : PyannoteAudioPretrainedSpeakerEmbedding or other
    **options
        Other parameters of `ChunkEmbedding`.
    """
    if not ChunkEmbedding.supports(embedding):
        return None
    extraction = SharedEmbedding if mode == "shared" else ChunkEmbedding
    return extraction(embedding, **options)


def choose_mode(
    mode: Literal["exact", "shared"], embedding: Any
) -> Literal["exact", "shared"]:
    """Return "exact", with a warning, if chunks cannot share frames of `embedding`."""
    model = getattr(embedding, "model_", embedding)
    if mode == "shared" and not shares_frames(model):
        warnings.warn(
            f"`embedding_mode` is 'exact': {type(model).__name__} does not offer the "
            "frames that 'shared' needs. SpeakerResNet and the WeSpeaker ResNets of "
            "pyannote.audio do.",
            stacklevel=3,
        )
        return "exact"
    return mode


@dataclass(frozen=True)
class _Recording:
    """Blocks of frames of one file.

    Parameters
    ----------
    read : callable
        Reads a segment as a (num_channels, num_samples) tensor.
    sample_rate : int
    network : FrameNetwork
    device : torch.device
    chunk_steps : int
        Number of steps of the spectrogram in a chunk.
    num_steps, num_padded_steps : int
        Steps in the file, and until the end of the last chunk.
    """

    read: Callable[[Segment], Tensor]
    sample_rate: int
    network: FrameNetwork
    device: torch.device
    chunk_steps: int
    num_steps: int
    num_padded_steps: int

    @property
    def num_frames(self) -> int:
        """Number of frames until the end of the last chunk."""
        return -(-self.num_padded_steps // self.network.stride)

    @property
    def block(self) -> int:
        """Number of frames of a block."""
        hop = self.network.hop * self.network.stride
        return round(BLOCK_DURATION * self.sample_rate / hop)

    def inputs(self, index: int) -> "_Block":
        """Read what the frames of a block depend on."""
        network, total = self.network, self.num_padded_steps
        first_frame = index * self.block
        stride = network.stride
        # a multiple of the stride, so that frames stay on the grid of the recording
        before = -(-network.margin // stride) * stride
        start = max(0, first_frame * stride - before)
        stop = min((first_frame + self.block) * stride + network.margin, total)
        # the windows of the first and of the last mean
        ends = torch.tensor([start, stop - 1])
        begin, end = mean_window(ends, self.chunk_steps, self.num_steps)
        first, last = min(start, int(begin[0])), max(stop, int(end[1]))
        skipped = first_frame - start // stride
        return _Block(self._read(first, last), first, start, stop, skipped)

    @torch.inference_mode()
    def frames(self, block: "_Block") -> Tensor:
        """Compute the (channel, num_frames, num_features) frames of a block."""
        normalised = subtract_sliding_mean(
            self.network.spectrogram(block.waveform),
            *(block.first, block.start, block.stop),
            *(self.chunk_steps, self.num_steps),
        )
        frames = self.network.frames(normalised)
        return frames[:, block.skipped : block.skipped + self.block]

    def _read(self, first: int, last: int) -> Tensor:
        """Read the samples of steps `first` to `last`, zeros past the end."""
        rate, hop = self.sample_rate, self.network.hop
        end = (last - 1) * hop + self.network.window
        return self.read(Segment(first * hop / rate, end / rate)).to(self.device)


@dataclass(frozen=True)
class _Block:
    """Input of a block, in steps of the spectrogram.

    Parameters
    ----------
    waveform : (num_channels, num_samples) Tensor
    first : int
        First step of `waveform`.
    start, stop : int
        Steps that the network gets.
    skipped : int
        Number of its first frames that belong to the block before.
    """

    waveform: Tensor
    first: int
    start: int
    stop: int
    skipped: int


@dataclass(frozen=True)
class SharedEmbedding(ChunkEmbedding):
    """Extraction of the embeddings of all chunks, with one network pass per instant.

    Takes the parameters of `ChunkEmbedding`; the length of a pass is `BLOCK_DURATION`.
    """

    @torch.inference_mode()
    def _extract(
        self,
        file: AudioFile,
        masks: Masks,
        speaking: np.ndarray,
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """See `ChunkEmbedding`; a batch has the chunks that end in one block."""
        rate, device = self.embedding.sample_rate, self.embedding.device
        network = frame_network(self.embedding.model_)
        chunks = masks.chunks
        samples = round(chunks.duration * rate)
        last_end = chunks[len(masks) - 1].end
        recording = _Recording(
            read=partial(self._read, file),
            sample_rate=rate,
            network=network,
            device=device,
            chunk_steps=network.num_steps(samples),
            num_steps=network.num_steps(round(self._duration(file) * rate)),
            num_padded_steps=network.num_steps(round(last_end * rate)),
        )
        num_frames = network.num_frames(samples)
        ends = np.array([chunks[chunk].end for chunk in speaking])
        last_blocks = (ends // BLOCK_DURATION).astype(int)
        hop = network.hop * network.stride / rate
        plan = []
        for batch in np.split(speaking, np.flatnonzero(np.diff(last_blocks)) + 1):
            if not len(batch):  # no speech at all
                return
            starts = np.array([chunks[chunk].start for chunk in batch])
            first = np.rint(starts / hop).astype(int)  # frame of the recording
            last = min(first[-1] + num_frames, recording.num_frames) - 1
            needed = range(first[0] // recording.block, last // recording.block + 1)
            plan.append((batch, first, needed))
        blocks = self._blocks(recording, sorted({i for *_, some in plan for i in some}))
        kept: dict[int, Tensor] = {}
        for batch, first, needed in plan:
            kept = {index: block for index, block in kept.items() if index in needed}
            while needed[-1] not in kept:
                index, block = next(blocks)
                kept[index] = block
            frames = torch.cat([kept[index] for index in needed], dim=1)
            of_speakers = torch.from_numpy(masks[batch]).to(device, torch.float32)
            of_speakers = of_speakers.transpose(1, 2)  # (batch, num_speakers, ...)
            weights = network.resample(of_speakers, num_frames)
            first -= needed.start * recording.block
            embeddings = [
                pool(network, channel, weights, first.tolist()) for channel in frames
            ]
            yield batch, self._silenced(torch.stack(embeddings), of_speakers)

    def _blocks(
        self, recording: _Recording, indices: list[int]
    ) -> Iterator[tuple[int, Tensor]]:
        """Yield the frames of blocks, which several threads compute."""
        passes = self._passes(1)
        for items, frames in shrinking_batches(
            lambda items: recording.inputs(indices[items.start]),
            recording.frames,
            len(indices),
            replace(passes, batch_size=1),
        ):
            yield indices[items.start], frames

    def _duration(self, file: AudioFile) -> float:
        loaded = isinstance(file, LoadedFile)
        return file.duration if loaded else self.audio.get_duration(file)


def pool(
    network: FrameNetwork, frames: Tensor, weights: Tensor, first: list[int]
) -> Tensor:
    """Pool frames of a recording for chunks that overlap.

    Parameters
    ----------
    network : FrameNetwork
    frames : (num_frames, num_features) Tensor
        Frames of part of a recording.
    weights : (batch, num_speakers, num_chunk_frames) Tensor
        Weights of speakers in each chunk.
    first : list of int
        First frame of each chunk.

    Returns
    -------
    embeddings : (batch, num_speakers, dimension) Tensor
    """
    batch, num_speakers, num_chunk_frames = weights.shape
    # each chunk at its place, zeros elsewhere
    placed = weights.new_zeros(batch, num_speakers, first[-1] + num_chunk_frames)
    for row, start, some in zip(placed, first, weights, strict=True):
        row[:, start : start + num_chunk_frames] = some
    placed = placed[..., : len(frames)].flatten(0, 1)
    shares = placed / (placed.sum(dim=1, keepdim=True) + 1e-8)
    frames = frames[: placed.shape[1]].float()
    with torch.autocast(frames.device.type, enabled=False):
        # v = sum_t w_t x_t^2 - m^2, with sum_t w_t = 1; rounding may make it negative
        mean = shares @ frames
        variance = (shares @ frames.square() - mean.square()).clamp(min=0)
    return network.embed(mean, variance, placed).unflatten(0, (batch, num_speakers))
