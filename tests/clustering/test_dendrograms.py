# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Dendrograms are those of `linkage`, kept or not."""

import numpy as np
import numpy.testing as npt
import pytest

from pyannote_diarizen.clustering import dendrograms
from pyannote_diarizen.clustering.dendrograms import dendrogram_of
from pyannote_diarizen.functional.linkage import linkage


@pytest.fixture
def computed(monkeypatch) -> list[tuple]:
    """What was computed, from nothing kept."""
    computed = []

    def spy(vectors, method, metric):
        computed.append((len(vectors), method, metric))
        return linkage(vectors, method, metric)

    monkeypatch.setattr(dendrograms, "linkage", spy)
    monkeypatch.setattr(dendrograms, "_kept", type(dendrograms._kept)())
    return computed


def test_the_same_vectors_are_clustered_once(computed, rng):
    vectors = rng.standard_normal((20, 3))
    first = dendrogram_of(vectors)
    npt.assert_array_equal(first, linkage(vectors))
    first[:] = 0  # what callers do to theirs is their business
    npt.assert_array_equal(dendrogram_of(vectors.copy()), linkage(vectors))
    assert len(computed) == 1


def test_others_are_not_taken_for_them(computed, rng):
    vectors = rng.standard_normal((20, 3))
    dendrogram_of(vectors)
    for other in (vectors[::-1], vectors[:-1], vectors.T, vectors.astype(np.float32)):
        npt.assert_array_equal(dendrogram_of(other), linkage(other))
    dendrogram_of(vectors, "average")
    dendrogram_of(vectors, "average", "cosine")
    assert len(computed) == 7


def test_those_used_last_are_kept(computed, rng, monkeypatch):
    first, second, third = rng.standard_normal((3, 20, 3))
    monkeypatch.setattr(dendrograms, "MAX_BYTES", 2 * 19 * 4 * 8)
    for vectors in (first, second, first, third, first):
        dendrogram_of(vectors)
    assert len(computed) == 3
    dendrogram_of(second)
    assert len(computed) == 4
