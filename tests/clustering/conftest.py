# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Conversations of drawn speakers, and a PLDA of the same distribution."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest

from pyannote_diarizen.clustering import PLDA, VBxClustering

sys.path.append(str(Path(__file__).parent))

from people import DIMENSION, Conversation, Talk, windows


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


@pytest.fixture
def conversation(rng: np.random.Generator) -> Conversation:
    people = 2 * rng.standard_normal((3, DIMENSION))
    truth = np.stack([rng.permutation(3) for _ in range(20)])
    embeddings = people[truth] + 0.5 * rng.standard_normal((20, 3, DIMENSION))
    # the three speakers speak one after the other, ten frames each
    activity = np.zeros((20, 30, 3), dtype=np.uint8)
    for speaker in range(3):
        activity[:, 10 * speaker : 10 * speaker + 10, speaker] = 1
    activity[::2, :, 0] = 0
    truth[::2, 0] = -2
    return Conversation(embeddings, windows(activity), truth)


@pytest.fixture
def clustering(people_plda: PLDA) -> VBxClustering:
    return VBxClustering(people_plda).instantiate(VBxClustering.default_parameters())
