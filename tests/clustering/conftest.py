# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Conversations of drawn speakers, and a PLDA of the same distribution."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pyannote_diarizen.clustering import PLDA

sys.path.append(str(Path(__file__).parent))

from people import DIMENSION, Talk


@pytest.fixture
def talk(rng: np.random.Generator) -> Callable[[int, int], Talk]:
    """Two people of several in each chunk, the same two in five chunks in a row."""

    def make(num_people: int, num_chunks: int, noise: float = 0.5) -> Talk:
        people = 2 * rng.standard_normal((num_people, DIMENSION))
        turns = [rng.permutation(num_people)[:2] for _ in range(0, num_chunks, 5)]
        truth = np.repeat(np.array(turns, dtype=int).reshape(-1, 2), 5, axis=0)[
            :num_chunks
        ]
        deviations = noise * rng.standard_normal((*truth.shape, DIMENSION))
        return Talk(people[truth] + deviations, truth)

    return make


@pytest.fixture
def people_plda(rng: np.random.Generator) -> PLDA:
    """PLDA of such people."""
    labels = np.repeat(np.arange(100), 5)
    speakers = 2 * rng.standard_normal((100, DIMENSION))
    noise = rng.standard_normal((500, DIMENSION))
    return PLDA.fit(speakers[labels] + noise, labels, 12)
