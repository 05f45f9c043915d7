# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""What a teacher says of training excerpts, asked once and kept, and the loss on it.

References
----------
.. [1] Z. Fang, J. Wang, L. Wang, L. Zhang, Y. Yang, Z. Liu, "SEED: Self-supervised
   Distillation for Visual Representation", ICLR 2021.
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
from pyannote_diarizen.data.excerpts import Excerpt, read_excerpt
from pyannote_diarizen.data.speech import SpeechPool

Teacher = Callable[[Tensor], np.ndarray]
"""(batch, 1, num_samples) waveforms to (batch, dimension) embeddings, for instance
the host's `PretrainedSpeakerEmbedding`."""


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
        embeddings = np.load(cache)
        if len(embeddings) != len(excerpts):
            raise ValueError(
                f"{cache} holds embeddings of {len(embeddings)} excerpts, but there "
                f"are {len(excerpts)}: delete it when data or durations change."
            )
        return embeddings

    order, batches = [], []
    for batch in _batches(excerpts, batch_size):
        waveforms = np.stack(
            [
                read_excerpt(pool, excerpts[i].excerpt, excerpts[i].speed)[None]
                for i in batch
            ]
        )
        order += batch
        batches.append(np.asarray(teacher(torch.from_numpy(waveforms))))
    embeddings = np.empty((len(excerpts), batches[0].shape[1]), dtype=np.float32)
    embeddings[order] = np.concatenate(batches)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    if cache is not None:
        with replacing(cache) as temporary:
            np.save(temporary, embeddings)
    return embeddings


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
