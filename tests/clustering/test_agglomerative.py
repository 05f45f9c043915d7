# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
from pathlib import Path

import numpy as np
import numpy.testing as npt
import pytest
from pyannote.audio.pipelines import clustering as host
from pyannote.core import SlidingWindow, SlidingWindowFeature

from pyannote_diarizen.clustering import AgglomerativeClustering, agglomerative
from pyannote_diarizen.clustering.agglomerative import dendrogram_of
from pyannote_diarizen.clustering.original import OriginalAgglomerativeClustering
from pyannote_diarizen.functional.bounded_cache import BoundedCache
from pyannote_diarizen.functional.linkage import linkage

PARAMETERS = {"method": "centroid", "min_cluster_size": 2, "threshold": 0.5}


def windows(activity: np.ndarray) -> SlidingWindowFeature:
    return SlidingWindowFeature(activity, SlidingWindow(duration=8, step=0.8))


@pytest.fixture
def conversation(rng: np.random.Generator) -> dict:
    """Ten chunks of two people, of whom the second is silent in the last chunk."""
    people = rng.standard_normal((2, 16))
    embeddings = people + 0.1 * rng.standard_normal((10, 2, 16))
    activity = np.zeros((10, 20, 2))
    activity[:, :10, 0] = activity[:-1, 10:, 1] = 1
    return {"embeddings": embeddings, "segmentations": windows(activity)}


def test_speakers_of_a_chunk_are_different(conversation):
    # in the last chunk, both sound like the first
    conversation["embeddings"][-1, 1] = conversation["embeddings"][-1, 0]
    conversation["segmentations"].data[-1, 10:, 1] = 1
    clustering = AgglomerativeClustering().instantiate(PARAMETERS)
    hard, _, _ = clustering(**conversation)
    assert (hard[:, 0] != hard[:, 1]).all()
    free = AgglomerativeClustering(constrained_assignment=False)
    hard, _, _ = free.instantiate(PARAMETERS)(**conversation)
    assert hard[-1, 0] == hard[-1, 1]


def test_bounds_are_honoured(conversation):
    clustering = AgglomerativeClustering()
    clustering.instantiate({**PARAMETERS, "min_cluster_size": 1})
    for number in (1, 2, 4):
        _, _, centroids = clustering(**conversation, num_clusters=number)
        assert len(centroids) == number


def test_hundreds_of_clusters_do_not_overflow():
    hard = AgglomerativeClustering().constrained_argmax(np.eye(300)[:, None])
    npt.assert_array_equal(hard[:, 0], np.arange(300))


def test_with_the_options_of_pyannote_the_result_is_the_same(conversation):
    clustering = OriginalAgglomerativeClustering(
        constrained_assignment=False, min_active_ratio=0.2
    ).instantiate(PARAMETERS)
    stock = host.AgglomerativeClustering().instantiate(PARAMETERS)
    expected = stock(**conversation)
    for mine, theirs in zip(clustering(**conversation), expected, strict=True):
        npt.assert_array_equal(mine, theirs)


@pytest.mark.parity
@pytest.mark.parametrize("case", range(4))
def test_equals_original(parity: Path, case: int):
    expected = np.load(parity / "vbx" / f"clustering_{case}.npz")
    clustering = OriginalAgglomerativeClustering()
    clustering.instantiate(
        {"method": "centroid", "min_cluster_size": 4, "threshold": 0.7}
    )
    hard, soft, centroids = clustering(
        expected["embeddings"], windows(expected["segmentations"])
    )
    npt.assert_array_equal(hard, expected["ahc.hard"])
    npt.assert_allclose(soft, expected["ahc.soft"], atol=1e-9)
    npt.assert_allclose(centroids, expected["ahc.centroids"], atol=1e-9)


# -- dendrograms


@pytest.fixture
def computed(monkeypatch) -> list[tuple]:
    """Calls of `linkage`, from an empty store."""
    computed = []

    def spy(vectors, method, metric):
        computed.append((len(vectors), method, metric))
        return linkage(vectors, method, metric)

    monkeypatch.setattr(agglomerative, "linkage", spy)
    store = agglomerative._dendrograms
    monkeypatch.setattr(
        agglomerative, "_dendrograms", BoundedCache(store.max_bytes, store._size)
    )
    return computed


def test_the_same_vectors_are_clustered_once(computed, rng):
    vectors = rng.standard_normal((20, 3))
    first = dendrogram_of(vectors)
    npt.assert_array_equal(first, linkage(vectors))
    first[:] = 0  # callers may change their copy
    npt.assert_array_equal(dendrogram_of(vectors.copy()), linkage(vectors))
    assert len(computed) == 1


def test_other_vectors_and_methods_are_computed(computed, rng):
    vectors = rng.standard_normal((20, 3))
    dendrogram_of(vectors)
    for other in (vectors[::-1], vectors[:-1], vectors.T, vectors.astype(np.float32)):
        npt.assert_array_equal(dendrogram_of(other), linkage(other))
    dendrogram_of(vectors, "average")
    dendrogram_of(vectors, "average", "cosine")
    assert len(computed) == 7


def test_last_used_dendrograms_are_kept(computed, rng, monkeypatch):
    first, second, third = rng.standard_normal((3, 20, 3))
    monkeypatch.setattr(agglomerative._dendrograms, "max_bytes", 2 * 19 * 4 * 8)
    for vectors in (first, second, first, third, first):
        dendrogram_of(vectors)
    assert len(computed) == 3
    dendrogram_of(second)
    assert len(computed) == 4
