# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Conversations of drawn speakers, and comparison of partitions."""

from dataclasses import dataclass
from typing import Any

import numpy as np
from pyannote.core import SlidingWindow, SlidingWindowFeature

DIMENSION = 24


@dataclass
class Talk:
    """Embeddings of local speakers who are all active, one after the other."""

    embeddings: np.ndarray  # (num_chunks, num_speakers, dimension)
    truth: np.ndarray  # (num_chunks, num_speakers)

    @property
    def segmentations(self) -> SlidingWindowFeature:
        num_chunks, num_speakers = self.truth.shape
        turns = np.repeat(np.eye(num_speakers), 10, axis=0)
        activity = np.tile(turns, (num_chunks, 1, 1))
        return SlidingWindowFeature(activity, SlidingWindow(duration=8, step=0.8))

    @property
    def inputs(self) -> dict[str, Any]:
        return {"embeddings": self.embeddings, "segmentations": self.segmentations}


@dataclass
class Conversation:
    """Twenty chunks with three local speakers, of which one is silent in half."""

    embeddings: np.ndarray
    segmentations: SlidingWindowFeature
    truth: np.ndarray  # (num_chunks, num_speakers), -2 if silent

    @property
    def inputs(self) -> dict[str, Any]:
        return {"embeddings": self.embeddings, "segmentations": self.segmentations}


def windows(activity: np.ndarray) -> SlidingWindowFeature:
    return SlidingWindowFeature(activity, SlidingWindow(duration=8, step=0.8))


def same_partition(found: np.ndarray, truth: np.ndarray) -> bool:
    """Whether both group the same entries, whatever the numbers of groups."""
    pairs = {*zip(found.ravel(), truth.ravel(), strict=True)}
    return len(pairs) == len({*found.ravel()}) == len({*truth.ravel()})
