# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Knowledge distillation of speaker embeddings.

The teacher runs once over the training excerpts; its embeddings [1]_, and its frames
before pooling [2]_, are kept in files and are the targets of the student.

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
import torch.nn.functional as F  # noqa: N812 - usual name
from torch import Tensor, nn

from pyannote_diarizen.atomic import replacing
from pyannote_diarizen.simulation.excerpts import Excerpt, read_excerpt
from pyannote_diarizen.simulation.speech import SpeechPool

Teacher = Callable[[Tensor], np.ndarray]
"""(batch, 1, num_samples) waveforms to (batch, dimension) embeddings, for instance
the host's `PretrainedSpeakerEmbedding`."""

FrameTeacher = Callable[[Tensor], np.ndarray]
"""(batch, 1, num_samples) waveforms to (batch, num_frames, num_features) frames before
pooling, at the frame rate of the student."""


@dataclass(frozen=True)
class TrainingExcerpt:
    """Excerpt, its playback speed, and the index of its class."""

    excerpt: Excerpt
    speed: float
    label: int


class EmbeddingDistillationLoss(nn.Module):
    """Loss of the student's embeddings, given the teacher's.

    Sum of two terms:

    - SEED [1]_: cross-entropy between two distributions over all training excerpts, the
      softmax of the cosines of the teacher's, and of the student's, embedding with the
      teacher's embeddings. It weighs most the directions in which speakers differ.
    - one minus the cosine of both embeddings, which weighs all directions alike.

    Parameters
    ----------
    excerpts : (num_excerpts, dimension) Tensor
        Embeddings by the teacher, of unit length.
    temperature : float, optional
        Temperature of both distributions. Defaults to 0.05.
    weight : float, optional
        Weight of one minus the cosine. Defaults to 10.
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
        """Compare embeddings of the student with the teacher's.

        Parameters
        ----------
        embeddings : (batch, dimension) Tensor
            Embeddings by the student, of any length.
        indices : (batch,) Tensor
            Index of the excerpt of each embedding.

        Returns
        -------
        loss : () Tensor
        cosine : () Tensor
            Mean cosine with the teacher's embedding.
        """
        targets = self.excerpts[indices]
        directions = F.normalize(embeddings, dim=-1)
        # (batch, num_excerpts), cosines with D = excerpts: p = softmax(D t / T) of the
        # teacher's embedding t, q = softmax(D s / T) of the student's embedding s
        p = F.softmax(targets @ self.excerpts.T / self.temperature, dim=-1)
        logits = directions @ self.excerpts.T / self.temperature
        cosine = (directions * targets).sum(dim=-1).mean()
        # - sum p log q + weight * (1 - cos(s, t))
        return F.cross_entropy(logits, p) + self.weight * (1 - cosine), cosine


class FrameDistillationLoss(nn.Module):
    """Error of the teacher's frames, predicted from the student's by a linear layer.

    The regressor of FitNets [2]_. Frames are targets of a finer resolution than the
    embedding of seconds, so that few speakers suffice.

    Parameters
    ----------
    num_features : int
        Number of features of the student's frames.
    mean, std : (num_targets,) Tensor
        Mean and standard deviation of the teacher's frames, which normalise them.
    """

    mean: Tensor
    std: Tensor

    def __init__(self, num_features: int, mean: Tensor, std: Tensor) -> None:
        super().__init__()
        self.register_buffer("mean", mean, persistent=False)
        self.register_buffer("std", std, persistent=False)
        self.linear = nn.Linear(num_features, len(mean))

    def forward(self, frames: Tensor, targets: Tensor) -> Tensor:
        """Mean square error; predicting the mean gives 1.

        Parameters
        ----------
        frames : (batch, num_features, num_frames) Tensor
        targets : (batch, num_frames, num_targets) Tensor
            NaN where the teacher has no frame.

        Returns
        -------
        loss : () Tensor
        """
        known = ~targets[..., 0].isnan()  # (batch, num_frames)
        predicted = self.linear(frames.transpose(1, 2)[known])
        return F.mse_loss(predicted, (targets[known] - self.mean) / self.std)


def teacher_embeddings(
    teacher: Teacher,
    pool: SpeechPool,
    excerpts: Sequence[TrainingExcerpt],
    cache: Path | None = None,
    batch_size: int = 16,
) -> np.ndarray:
    """Embeddings of whole excerpts by a teacher.

    Parameters
    ----------
    teacher : callable
    pool : SpeechPool
    excerpts : sequence of TrainingExcerpt
    cache : Path, optional
        File (.npy): read if it exists, written otherwise.
    batch_size : int, optional
        Maximum number of excerpts per call of `teacher`. Defaults to 16.

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
    # back to the order of excerpts, (num_excerpts, dimension), then unit length
    embeddings[order] = np.concatenate(batches)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    if cache is not None:
        with replacing(cache) as temporary:
            np.save(temporary, embeddings)
    return embeddings


def teacher_frames(
    teacher: FrameTeacher,
    pool: SpeechPool,
    excerpts: Sequence[TrainingExcerpt],
    cache: Path,
    batch_size: int = 16,
) -> np.ndarray:
    """Frames of whole excerpts by a teacher, memory-mapped because they are many.

    Parameters
    ----------
    teacher : callable
    pool : SpeechPool
    excerpts : sequence of TrainingExcerpt
    cache : Path
        File (.npy): read if it exists, written otherwise.
    batch_size : int, optional
        Maximum number of excerpts per call of `teacher`. Defaults to 16.

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

    # the first batch is the longest one: it gives the shape of the file
    batches = sorted(_batches(excerpts, batch_size), key=duration, reverse=True)
    with replacing(cache) as temporary:
        for batch in batches:
            computed = teacher(_read(pool, [excerpts[index] for index in batch]))
            if frames is None:
                shape = (len(excerpts), *computed.shape[1:])
                frames = np.lib.format.open_memmap(
                    temporary, mode="w+", dtype=np.float16, shape=shape
                )
            num_frames = computed.shape[1]
            frames[batch, :num_frames] = computed
            frames[batch, num_frames:] = np.nan
        del frames  # close the file
    return np.load(cache, mmap_mode="r")


def _batches(
    excerpts: Sequence[TrainingExcerpt], batch_size: int
) -> Iterator[list[int]]:
    """Yield batches of indices of excerpts of the same length."""

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
            f"'{cache}' holds {len(kept)} excerpts, but the training set has "
            f"{len(excerpts)}: delete the file when data or durations change."
        )
    return kept
