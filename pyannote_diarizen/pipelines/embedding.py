# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Speaker embeddings of each chunk from frames that are computed once.

pyannote runs the whole embedding network for each (chunk, local speaker) pair, silent
speakers included, although only the weights of the last pooling layer differ. Here
the network runs once per chunk in which somebody speaks, and its frames are pooled
once per speaker: the same embeddings, several times faster.
"""

import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from pyannote.audio.core.io import Audio, AudioFile
from pyannote.audio.pipelines.speaker_verification import (
    PyannoteAudioPretrainedSpeakerEmbedding,
)
from pyannote.core import SlidingWindowFeature
from torch import Tensor

from pyannote_diarizen.pipelines.channel_fusion import average_channels


def without_overlap(segmentation: np.ndarray, min_num_frames: int) -> np.ndarray:
    """Frames where a speaker speaks alone, or all of them if those are too few.

    Parameters
    ----------
    segmentation : (num_chunks, num_frames, num_speakers) np.ndarray
        Activity, 0 or 1.
    min_num_frames : int
        That many frames are too few.

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
    alone = segmentation * (segmentation.sum(axis=2, keepdims=True) < 2)
    enough = alone.sum(axis=1, keepdims=True) > min_num_frames
    return np.where(enough, alone, segmentation)


@dataclass(frozen=True)
class ChunkEmbedding:
    """Embeddings of all the speakers of all chunks, one pass of the network per chunk.

    Parameters
    ----------
    embedding : PyannoteAudioPretrainedSpeakerEmbedding
        Whose model has `forward_frames` and `forward_embedding`.
    audio : Audio
        Reads chunks at the sample rate of the model.
    batch_size : int
        Number of chunks that go through the network together.
    embed_silence : bool, optional
        Ask the network for an embedding of silent speakers, too. Defaults to False.
    channel_weights : (num_chunks, num_channels) np.ndarray, optional
        Weights of the embeddings of the channels that `audio` reads. Defaults to one
        channel.
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
        file: AudioFile,
        segmentations: SlidingWindowFeature,
        exclude_overlap: bool,
        hook: Callable | None = None,
    ) -> np.ndarray:
        """Extract embeddings.

        Parameters
        ----------
        file : AudioFile
            Where the audio comes from.
        segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature
            Activity, 0 or 1.
        exclude_overlap : bool
            Pool from `without_overlap` only.
        hook : callable, optional
            Called with ("embeddings", embeddings of the batch, total, completed)
            before the first batch and after each.

        Returns
        -------
        embeddings : (num_chunks, num_speakers, dimension) np.ndarray
            float32. Those of speakers that are silent in the chunk are NaN, or
            whatever the network gives for no frame at all if `embed_silence`.
        """
        num_chunks, num_frames, num_speakers = segmentations.data.shape
        chunks = segmentations.sliding_window
        masks = segmentations.data
        if exclude_overlap:
            num_samples = chunks.duration * self.embedding.sample_rate
            shortest = num_frames * self.embedding.min_num_samples / num_samples
            masks = without_overlap(masks, math.ceil(shortest))
        embeddings = np.full(
            (num_chunks, num_speakers, self.embedding.dimension), np.nan, np.float32
        )

        speaking = np.flatnonzero(masks.any(axis=(1, 2)) | self.embed_silence)
        total = math.ceil(len(speaking) / self.batch_size)
        if hook is not None:
            hook("embeddings", None, total=total, completed=0)
        for completed in range(1, total + 1):
            batch = speaking[(completed - 1) * self.batch_size :][: self.batch_size]
            waveforms = [
                self.audio.crop(file, chunks[chunk], mode="pad")[0] for chunk in batch
            ]
            channels = torch.stack(waveforms).split(1, dim=1)
            embedded = [self._embed(channel, masks[batch]) for channel in channels]
            embeddings[batch] = self._average(np.stack(embedded), batch)
            if hook is not None:
                hook("embeddings", embeddings[batch], total=total, completed=completed)
        return embeddings

    def _average(self, embeddings: np.ndarray, chunks: np.ndarray) -> np.ndarray:
        """Map (channels, chunks, ...) embeddings of some chunks to (chunks, ...)."""
        if self.channel_weights is None:
            return embeddings.squeeze(0)
        return average_channels(embeddings, self.channel_weights[chunks])

    @torch.inference_mode()
    def _embed(self, waveforms: Tensor, masks: np.ndarray) -> np.ndarray:
        """(chunks, speakers, dimension) of (chunks, 1, samples), (chunks, frames, ...).

        NaN for speakers whose mask is empty, unless `embed_silence`.
        """
        # LightningModule tells nothing about the methods of its subclasses
        model: Any = self.embedding.model_
        device = self.embedding.device
        weights = torch.from_numpy(masks).to(device, torch.float32).transpose(1, 2)
        frames = model.forward_frames(waveforms.to(device))
        embeddings = model.forward_embedding(frames, weights=weights)
        if not self.embed_silence:
            silent = weights.sum(dim=2) == 0
            embeddings = embeddings.masked_fill(silent[:, :, None], torch.nan)
        return embeddings.cpu().numpy()
