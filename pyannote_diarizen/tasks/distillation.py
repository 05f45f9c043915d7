# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""What a teacher says of training excerpts, asked once and kept, and losses on it.

References
----------
.. [1] Z. Fang, J. Wang, L. Wang, L. Zhang, Y. Yang, Z. Liu, "SEED: Self-supervised
   Distillation for Visual Representation", ICLR 2021.
.. [2] A. Romero, N. Ballas, S. E. Kahou, A. Chassang, C. Gatta, Y. Bengio, "FitNets:
   Hints for Thin Deep Nets", ICLR 2015.
"""

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import groupby
from pathlib import Path

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from torch import Tensor, nn

from pyannote_diarizen.atomic import replacing
from pyannote_diarizen.simulation.excerpts import Excerpt, read_excerpt
from pyannote_diarizen.simulation.speech import SpeechPool

Teacher = Callable[[Tensor], np.ndarray]
"""(batch, 1, num_samples) waveforms to (batch, dimension) embeddings, for instance
the host's `PretrainedSpeakerEmbedding`."""

FrameTeacher = Callable[[Tensor], np.ndarray]
"""(batch, 1, num_samples) waveforms to the (batch, num_frames, num_features) that a
teacher pools into its embedding, at the rate of the student's frames."""


@dataclass(frozen=True)
class TrainingExcerpt:
    """Excerpt at some speed, and the index of the class it belongs to."""

    excerpt: Excerpt
    speed: float
    label: int


class ImitationLoss(nn.Module):
    """Be as near to each training excerpt as the teacher's embedding is.

    Cross-entropy between two distributions over all excerpts, softmax of the cosines
    of the teacher's and of the student's embedding with those of the teacher [1]_.
    Weighs what tells voices apart, where one minus the cosine with the teacher's own
    embedding alone, which is added, weighs all directions alike.

    Parameters
    ----------
    excerpts : (num_excerpts, dimension) Tensor
        Embeddings by the teacher, of unit length.
    temperature : float, optional
        Of both distributions. Defaults to 0.05.
    weight : float, optional
        Of one minus the cosine. Defaults to 10.
    """

    excerpts: Tensor

    def __init__(
        self, excerpts: Tensor, temperature: float = 0.05, weight: float = 10.0
    ) -> None:
        super().__init__()
        self.register_buffer("excerpts", excerpts, persistent=False)
        self.temperature = temperature
        self.weight = weight

    def forward(self, embeddings: Tensor, indices: Tensor) -> tuple[Tensor, Tensor]:
        """Compare embeddings with what the teacher says of the same excerpts.

        Parameters
        ----------
        embeddings : (batch, dimension) Tensor
            Of the student, of any length.
        indices : (batch,) Tensor
            Which excerpts they belong to.

        Returns
        -------
        loss : () Tensor
        cosine : () Tensor
            Mean cosine with the teacher's embedding.
        """
        targets = self.excerpts[indices]
        directions = F.normalize(embeddings, dim=-1)
        nearness = F.softmax(targets @ self.excerpts.T / self.temperature, dim=-1)
        logits = directions @ self.excerpts.T / self.temperature
        cosine = (directions * targets).sum(dim=-1).mean()
        return F.cross_entropy(logits, nearness) + self.weight * (1 - cosine), cosine


class FrameImitationLoss(nn.Module):
    """Let frames of the student tell those of the teacher, by a linear layer [2]_.

    A frame says more than an embedding of seconds: what a voice sounds like in this
    very sound, for which speakers need not be many.

    Parameters
    ----------
    num_features : int
        Of the student's frames.
    mean, std : (num_targets,) Tensor
        Of the teacher's frames, which are brought to zero and one.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, num_features: int, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("std", std, persistent=False)
        self.linear = nn.Linear(num_features, len(mean))

    def forward(self, frames: Tensor, targets: Tensor) -> Tensor:
        """Return the mean square error, 1 for whoever tells the mean.

        Parameters
        ----------
        frames : (batch, num_features, num_frames) Tensor
        targets : (batch, num_frames, num_targets) Tensor
            NaN where the teacher was not asked.

        Returns
        -------
        loss : () Tensor
        """
        known = ~targets[..., 0].isnan()
        told = self.linear(frames.transpose(1, 2)[known])
        return F.mse_loss(told, (targets[known] - self.mean) / self.std)


def ask_teacher(
    teacher: Teacher,
    pool: SpeechPool,
    excerpts: Sequence[TrainingExcerpt],
    cache: Path | None = None,
    batch_size: int = 16,
) -> np.ndarray:
    """Embeddings that a teacher gives to whole excerpts.

    Parameters
    ----------
    teacher : callable
    pool : SpeechPool
    excerpts : sequence of TrainingExcerpt
    cache : Path, optional
        File (.npy) to read them from if it exists, and to write them to otherwise.
    batch_size : int, optional
        Largest batch for the teacher. Defaults to 16.

    Returns
    -------
    embeddings : (num_excerpts, dimension) np.ndarray
        float32, of unit length.

    Raises
    ------
    ValueError
        If `cache` was written for other excerpts.
    """
    if cache is not None and cache.is_file():
        return _same_number(np.load(cache), excerpts, cache)

    order, batches = [], []
    for batch in _batches(excerpts, batch_size):
        order += batch
        waveforms = _read(pool, [excerpts[index] for index in batch])
        batches.append(np.asarray(teacher(waveforms)))
    embeddings = np.empty((len(excerpts), batches[0].shape[1]), dtype=np.float32)
    embeddings[order] = np.concatenate(batches)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    if cache is not None:
        with replacing(cache) as temporary:
            np.save(temporary, embeddings)
    return embeddings


def ask_frame_teacher(
    teacher: FrameTeacher,
    pool: SpeechPool,
    excerpts: Sequence[TrainingExcerpt],
    cache: Path,
    batch_size: int = 16,
) -> np.ndarray:
    """Frames of a teacher for whole excerpts, which stay on disk: they are many.

    Parameters
    ----------
    teacher : callable
    pool : SpeechPool
    excerpts : sequence of TrainingExcerpt
    cache : Path
        File (.npy) to read them from if it exists, and to write them to otherwise.
    batch_size : int, optional
        Largest batch for the teacher. Defaults to 16.

    Returns
    -------
    frames : (num_excerpts, max_num_frames, num_features) np.memmap
        float16, NaN past the end of an excerpt.

    Raises
    ------
    ValueError
        If `cache` was written for other excerpts.
    """
    if cache.is_file():
        return _same_number(np.load(cache, mmap_mode="r"), excerpts, cache)
    frames: np.ndarray | None = None

    def duration(batch: list[int]) -> float:
        excerpt = excerpts[batch[0]]
        return excerpt.excerpt.num_samples / excerpt.speed

    # the longest come first, and tell the shape
    batches = sorted(_batches(excerpts, batch_size), key=duration, reverse=True)
    with replacing(cache) as temporary:
        for batch in batches:
            told = teacher(_read(pool, [excerpts[index] for index in batch]))
            if frames is None:
                shape = (len(excerpts), *told.shape[1:])
                frames = np.lib.format.open_memmap(
                    temporary, mode="w+", dtype=np.float16, shape=shape
                )
            frames[batch, : told.shape[1]] = told
            frames[batch, told.shape[1] :] = np.nan
        del frames
    return np.load(cache, mmap_mode="r")


def _batches(
    excerpts: Sequence[TrainingExcerpt], batch_size: int
) -> Iterator[list[int]]:
    """Give indices of excerpts of the same length, a batch at a time."""

    def length(index: int) -> tuple[float, int]:
        return excerpts[index].speed, excerpts[index].excerpt.num_samples

    for _, same in groupby(sorted(range(len(excerpts)), key=length), key=length):
        indices = list(same)
        for first in range(0, len(indices), batch_size):
            yield indices[first : first + batch_size]


def _read(pool: SpeechPool, excerpts: Sequence[TrainingExcerpt]) -> Tensor:
    """Stack (batch, 1, num_samples) waveforms of excerpts of the same length."""
    waveforms = [read_excerpt(pool, x.excerpt, x.speed)[None] for x in excerpts]
    return torch.from_numpy(np.stack(waveforms))


def _same_number(
    kept: np.ndarray, excerpts: Sequence[TrainingExcerpt], cache: Path
) -> np.ndarray:
    if len(kept) != len(excerpts):
        raise ValueError(
            f"{cache} holds what a teacher said of {len(kept)} excerpts, but there are "
            f"{len(excerpts)}: delete it when data or durations change."
        )
    return kept
