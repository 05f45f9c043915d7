# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Speaker embeddings of each chunk, pooled from frames that are computed once.

pyannote.audio runs the whole embedding network for each (chunk, local speaker) pair,
silent speakers included, although only the weights of the last pooling layer differ.
Here the network runs once per chunk that contains speech, and its frames are pooled
once per speaker: the same embeddings, several times faster.

A multi-channel recording has one embedding per channel. Their average is weighted by
the channel attention of the segmentation model, chunk by chunk, so that the channels
closest to the speakers count most.

References
----------
J. Han et al., arXiv:2510.14551, 2025 (channel weights).
"""

import math
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from pyannote.audio.core.io import Audio, AudioFile
from pyannote.audio.pipelines.speaker_verification import (
    PyannoteAudioPretrainedSpeakerEmbedding,
)
from pyannote.core import Segment, SlidingWindow, SlidingWindowFeature
from torch import Tensor

from pyannote_diarizen.audio.reader import AudioReader
from pyannote_diarizen.models.speaker_resnet import SpeakerResNet
from pyannote_diarizen.pipelines.batches import Passes, shrinking_batches
from pyannote_diarizen.pipelines.files import JoinedChunks, LoadedFile
from pyannote_diarizen.pipelines.frame_features import (
    ChunkSpectrograms,
    SpeakerResNetFrames,
    min_num_samples,
)
from pyannote_diarizen.pipelines.scratch import new_array

CPU_PASS = 30.0
"""Seconds of audio in one pass on a CPU. Layers of a ResNet34 then fit in 32 MiB, the
largest block that `keep_freed_memory` keeps; longer passes are no faster."""


def average_channels(embeddings: np.ndarray, weights: np.ndarray) -> np.ndarray:
    """Average the embeddings of all channels.

    Parameters
    ----------
    embeddings : (num_channels, num_chunks, num_speakers, dimension) np.ndarray
        Embeddings of each channel.
    weights : (num_chunks, num_channels) np.ndarray
        Weights whose sum over channels is 1.

    Returns
    -------
    average : (num_chunks, num_speakers, dimension) np.ndarray
        Weighted sum over channels.

    Examples
    --------
    >>> embeddings = np.array([[[[0.0, 8.0]]], [[[4.0, 4.0]]]])
    >>> average_channels(embeddings, np.array([[0.25, 0.75]])).tolist()
    [[[3.0, 5.0]]]
    """
    # c: channel, k: chunk, s: speaker, d: dimension
    return np.einsum("cksd,kc->ksd", embeddings, weights)


def without_overlap(segmentation: np.ndarray, min_num_frames: int) -> np.ndarray:
    """Mask the frames with overlapped speech, unless too few others are left.

    Parameters
    ----------
    segmentation : (num_chunks, num_frames, num_speakers) np.ndarray
        Activity, 0 or 1.
    min_num_frames : int
        Largest number of frames that is too few: all frames are then kept.

    Returns
    -------
    masks : (num_chunks, num_frames, num_speakers) np.ndarray
        0 or 1.

    Examples
    --------
    >>> segmentation = np.array([[[1, 0], [1, 0], [1, 1]]])
    >>> without_overlap(segmentation, min_num_frames=1)[0].T.tolist()
    [[1, 1, 0], [0, 0, 1]]
    """
    num_active = segmentation.sum(axis=2, keepdims=True)  # (num_chunks, num_frames, 1)
    alone = segmentation * (num_active < 2)
    # per chunk and speaker, of shape (num_chunks, 1, num_speakers)
    enough = alone.sum(axis=1, keepdims=True) > min_num_frames
    return np.where(enough, alone, segmentation)


@dataclass(frozen=True)
class Masks:
    """Frames to pool, computed batch by batch.

    Parameters
    ----------
    segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature
        Activity, 0 or 1.
    min_num_frames : int or None
        See `without_overlap`. None keeps overlapped speech.
    """

    segmentations: SlidingWindowFeature
    min_num_frames: int | None

    @property
    def chunks(self) -> SlidingWindow:
        """Chunks of the recording."""
        return self.segmentations.sliding_window

    def __len__(self) -> int:
        """Return the number of chunks."""
        return len(self.segmentations.data)

    def __getitem__(self, batch: np.ndarray) -> np.ndarray:
        """Return the (batch, num_frames, num_speakers) masks of some chunks."""
        activity = self.segmentations.data[batch]
        if self.min_num_frames is None:
            return activity
        return without_overlap(activity, self.min_num_frames)


@dataclass(frozen=True)
class ChunkEmbedding:
    """Extraction of the embeddings of all chunks, with one network pass per chunk.

    Parameters
    ----------
    embedding : PyannoteAudioPretrainedSpeakerEmbedding
        Embedding whose model has `forward_frames` and `forward_embedding`.
    audio : Audio
        Reader of the average of channels, at the sample rate of the model.
    batch_size : int
        Number of chunks in one pass of the network.
    embed_silence : bool, optional
        Compute embeddings of silent speakers, too. Defaults to False.
    channel_weights : (num_chunks, num_channels) np.ndarray, optional
        Weights of the embeddings of channels. Defaults to None: one embedding of
        their average.
    """

    embedding: PyannoteAudioPretrainedSpeakerEmbedding
    audio: Audio
    batch_size: int
    embed_silence: bool = False
    channel_weights: np.ndarray | None = None

    @staticmethod
    def supports(embedding: Any) -> bool:
        """Whether the model behind `embedding` can pool the same frames twice."""
        return isinstance(embedding, PyannoteAudioPretrainedSpeakerEmbedding) and all(
            hasattr(embedding.model_, name)
            for name in ("forward_frames", "forward_embedding")
        )

    def __call__(
        self,
        file: AudioFile | JoinedChunks,
        segmentations: SlidingWindowFeature,
        exclude_overlap: bool,
        hook: Callable | None = None,
    ) -> np.ndarray:
        """Extract embeddings.

        Parameters
        ----------
        file : AudioFile or JoinedChunks
            Source of the audio: a file, or the files whose chunks are joined.
        segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature
            Activity, 0 or 1.
        exclude_overlap : bool
            Pool the frames of `without_overlap` only.
        hook : callable, optional
            Called with ("embeddings", embeddings of the batch, total, completed)
            before the first batch and after each; both count chunks with speech.

        Returns
        -------
        embeddings : (num_chunks, num_speakers, dimension) np.ndarray
            float32. NaN for speakers that are silent in the chunk, or the output of the
            network for an empty mask if `embed_silence`.
        """
        num_chunks, num_frames, num_speakers = segmentations.data.shape
        shortest = None
        if exclude_overlap:
            # shortest input of the network, in frames of the segmentation
            num_samples = segmentations.sliding_window.duration
            num_samples *= self.embedding.sample_rate
            shortest = num_frames * min_num_samples(self.embedding) / num_samples
        masks = Masks(segmentations, shortest and math.ceil(shortest))
        shape = (num_chunks, num_speakers, self.embedding.dimension)
        embeddings = new_array(shape, np.float32, fill=np.nan)

        # chunks with at least one speaker to embed: the others stay NaN
        active = segmentations.data.any(axis=(1, 2))
        speaking = np.flatnonzero(active | self.embed_silence)
        total, completed = len(speaking), 0
        if hook is not None:
            hook("embeddings", None, total=total, completed=0)
        for batch, extracted in self._extract(file, masks, speaking):
            embeddings[batch] = self._average(extracted, batch)
            completed += len(batch)
            if hook is not None:
                hook("embeddings", embeddings[batch], total=total, completed=completed)
        return embeddings

    def _extract(
        self,
        file: AudioFile | JoinedChunks,
        masks: Masks,
        speaking: np.ndarray,
    ) -> Iterator[tuple[np.ndarray, np.ndarray]]:
        """Yield indices of chunks, (channels, batch, num_speakers, dimension) vectors.

        Parameters
        ----------
        file : AudioFile or JoinedChunks
        masks : Masks
        speaking : (num_speaking_chunks,) np.ndarray
            Indices of the chunks to embed.
        """
        chunks = masks.chunks
        source: tuple[Any, Callable[[Segment], Tensor]] | None = None

        def chunk_input(chunk: int) -> Tensor:
            nonlocal source
            own_file, number = file, chunk
            if isinstance(file, JoinedChunks):
                own_file, part = next(file.parts(range(chunk, chunk + 1)))
                number = part.start
            if source is None or source[0] is not own_file:
                source = own_file, self._source(own_file, chunks)
            return source[1](chunks[number])

        def read(rows: range) -> tuple[np.ndarray, Tensor]:
            batch = speaking[rows.start : rows.stop]
            inputs = [chunk_input(chunk) for chunk in batch]
            return batch, torch.stack(inputs)

        def embed(inputs: tuple[np.ndarray, Tensor]) -> tuple[np.ndarray, np.ndarray]:
            batch, of_channels = inputs
            # one (batch, 1, ...) tensor per channel
            channels = of_channels.split(1, dim=1)
            embedded = [self._embed(channel, masks[batch]) for channel in channels]
            return batch, np.stack(embedded)

        passes = self._passes(max(1, int(CPU_PASS // chunks.duration)))
        for _, result in shrinking_batches(read, embed, len(speaking), passes):
            yield result

    def _source(
        self, file: AudioFile, chunks: SlidingWindow
    ) -> Callable[[Segment], Tensor]:
        """Return what reads a chunk of a file: its waveform, or its spectrogram.

        On a CPU, chunks that start at steps share the spectrogram of a SpeakerResNet.
        """
        # (num_channels, num_samples), zeros past the end of the file
        waveform = partial(self._read, file)
        model, rate = self.embedding.model_, self.embedding.sample_rate
        if self.embedding.device.type != "cpu" or not isinstance(model, SpeakerResNet):
            return waveform
        network = SpeakerResNetFrames(model)
        starts = np.array([chunks.start, chunks.step]) * rate / network.hop
        if np.abs(starts - np.rint(starts)).max() > 1e-6:
            return waveform
        return ChunkSpectrograms(network, waveform, rate)

    def _passes(self, cpu_batch: int) -> Passes:
        return Passes.of(
            *(self.embedding.model_, self.embedding.device, self.batch_size),
            name="embedding_batch_size",
            cpu_batch=cpu_batch,
        )

    def _read(self, file: AudioFile, segment: Segment) -> Tensor:
        """Read a segment: all channels if they have weights, or their average."""
        rate = self.embedding.sample_rate
        if isinstance(file, LoadedFile) and file["sample_rate"] == rate:
            start = round(segment.start * rate)
            waveform = file.read(start, start + round(segment.duration * rate))
            mono = self.channel_weights is None
            return waveform.mean(dim=0, keepdim=True) if mono else waveform
        audio = self.audio
        if self.channel_weights is not None:
            audio = AudioReader(rate, mono=None)
        return audio.crop(file, segment, mode="pad")[0]

    def _average(self, embeddings: np.ndarray, chunks: np.ndarray) -> np.ndarray:
        """Map (channels, chunks, ...) embeddings of some chunks to (chunks, ...)."""
        if self.channel_weights is None:
            return embeddings.squeeze(0)
        return average_channels(embeddings, self.channel_weights[chunks])

    @torch.inference_mode()
    def _embed(self, inputs: Tensor, masks: np.ndarray) -> np.ndarray:
        """Pool one embedding per mask of each chunk.

        Parameters
        ----------
        inputs : (num_chunks, 1, num_samples) Tensor
            Waveforms, or spectrograms (num_chunks, 1, num_steps, num_bands).
        masks : (num_chunks, num_frames, num_speakers) np.ndarray

        Returns
        -------
        embeddings : (num_chunks, num_speakers, dimension) np.ndarray
            NaN for speakers with an empty mask, unless `embed_silence`.
        """
        # typed as LightningModule, which has none of these methods
        model: Any = self.embedding.model_
        device = self.embedding.device
        # masks become weights of shape (chunks, speakers, frames)
        weights = torch.from_numpy(masks).to(device, torch.float32).transpose(1, 2)
        # the expensive part, once per chunk; pooling is cheap, once per speaker
        inputs = inputs.to(device)
        if inputs.ndim == 4:
            spectrogram = model.encoder.spectrogram.centred(inputs.squeeze(1))
            frames = model.encoder.encode(spectrogram)
        else:
            frames = model.forward_frames(inputs)
        embeddings = model.forward_embedding(frames, weights=weights)
        return self._silenced(embeddings, weights)

    def _silenced(self, embeddings: Tensor, weights: Tensor) -> np.ndarray:
        """Set embeddings without weights to NaN, unless `embed_silence`."""
        if not self.embed_silence:
            silent = weights.sum(dim=2) == 0
            embeddings = embeddings.masked_fill(silent[..., None], torch.nan)
        # NumPy has no bfloat16
        return embeddings.float().cpu().numpy()
