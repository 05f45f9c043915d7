# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import tracemalloc

import numpy as np
import numpy.testing as npt
import pytest
from scipy.cluster import hierarchy
from scipy.spatial.distance import squareform
from sklearn.metrics import adjusted_rand_score

from pyannote_diarizen.functional.linkage import (
    linkage,
    principal_blocks,
    topmost_nodes,
)

METHODS = ["average", "centroid", "complete", "median", "single", "ward", "weighted"]


def directions_of_speakers(rng, num_vectors, num_speakers, noise=0.3, dimension=64):
    means = rng.normal(size=(num_speakers, dimension))
    speakers = rng.choice(
        num_speakers, num_vectors, p=rng.dirichlet(np.ones(num_speakers))
    )
    vectors = means[speakers] + noise * rng.normal(size=(num_vectors, dimension))
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.mark.parametrize("method", METHODS)
def test_few_vectors_are_clustered_by_scipy(method, rng):
    vectors = rng.normal(size=(30, 4))
    npt.assert_array_equal(linkage(vectors, method), hierarchy.linkage(vectors, method))


@pytest.mark.parametrize("method", METHODS)
def test_equal_vectors_weigh_as_much_in_two_stages(method, rng):
    vectors = np.repeat(rng.normal(size=(32, 4)), 4, axis=0)
    expected = hierarchy.cophenet(hierarchy.linkage(vectors, method))
    in_two_stages = linkage(vectors, method, max_vectors=32)
    npt.assert_allclose(hierarchy.cophenet(in_two_stages), expected, atol=1e-6)


@pytest.mark.parametrize(
    ("method", "metric"),
    [("centroid", "euclidean"), ("ward", "euclidean"), ("average", "cosine")],
)
def test_groups_are_known_by_sizes_and_centroids(method, metric, rng):
    vectors = np.repeat(5 * rng.normal(size=(8, 4)), 20, axis=0)
    vectors += 0.1 * rng.normal(size=vectors.shape)
    expected = hierarchy.linkage(vectors, method, metric)
    dendrogram = linkage(vectors, method, metric, max_vectors=40)
    npt.assert_allclose(dendrogram[-7:, 2:], expected[-7:, 2:], rtol=1e-6)


@pytest.mark.parametrize("num_vectors", [500, 2000])
@pytest.mark.parametrize("num_speakers", [2, 20])
def test_clear_clusters_are_those_of_all_distances(num_vectors, num_speakers, rng):
    vectors = directions_of_speakers(rng, num_vectors, num_speakers)
    for threshold in (0.6, 0.75):
        expected, found = (
            hierarchy.fcluster(dendrogram, threshold, criterion="distance")
            for dendrogram in (
                hierarchy.linkage(vectors, "centroid"),
                linkage(vectors, max_vectors=num_vectors // 5),
            )
        )
        assert adjusted_rand_score(expected, found) == 1


def test_blurred_clusters_are_close_to_those_of_all_distances(rng):
    vectors = directions_of_speakers(rng, 1000, 20, noise=0.9)
    expected, found = (
        hierarchy.fcluster(linkage(vectors, "ward", max_vectors=limit), 20, "maxclust")
        for limit in (1000, 250)
    )
    assert adjusted_rand_score(expected, found) > 0.95


def test_two_stages_give_a_dendrogram_of_all_vectors(rng):
    vectors = directions_of_speakers(rng, 300, 5)
    dendrogram = linkage(vectors, max_vectors=50)
    assert hierarchy.is_valid_linkage(dendrogram)
    assert dendrogram[-1, 3] == 300
    for row, (left, right, _, size) in enumerate(dendrogram):
        below = [
            1 if node < 300 else dendrogram[int(node) - 300, 3]
            for node in (left, right)
        ]
        assert size == sum(below), row


def test_order_of_vectors_does_not_matter_in_two_stages(rng):
    vectors = directions_of_speakers(rng, 400, 6, noise=0.8)
    order = rng.permutation(400)
    heights, permuted = (
        hierarchy.cophenet(linkage(some, max_vectors=80))
        for some in (vectors, vectors[order])
    )
    square = squareform(heights)[np.ix_(order, order)]
    npt.assert_allclose(squareform(permuted), square, atol=1e-9)


def test_identical_vectors_are_one_cluster_in_two_stages():
    dendrogram = linkage(np.ones((50, 3)), max_vectors=10)
    npt.assert_array_equal(dendrogram[:, 2], 0)
    assert dendrogram[-1, 3] == 50


@pytest.mark.parametrize("max_vectors", [5, 100])
def test_vectors_should_be_finite(max_vectors, rng):
    vectors = rng.normal(size=(20, 3))
    vectors[7, 1] = np.nan
    with pytest.raises(ValueError, match=r"finite|NaN"):
        linkage(vectors, max_vectors=max_vectors)


def test_memory_does_not_grow_with_the_number_of_pairs(rng):
    vectors = rng.normal(size=(10_000, 4))
    tracemalloc.start()
    linkage(vectors, max_vectors=500)
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    assert peak < 10e6  # all distances would take 4e8


def test_blocks_are_halves_of_halves_along_the_widest_direction():
    vectors = np.array([[0.0, 0], [9, 1], [1, 0], [8, 0]])
    blocks = {tuple(sorted(block)) for block in principal_blocks(vectors, 2)}
    assert blocks == {(0, 2), (1, 3)}


def test_without_merges_each_vector_is_its_own_cluster():
    npt.assert_array_equal(topmost_nodes(np.empty((0, 4)), 3), [0, 1, 2])


def test_first_merges_leave_as_many_clusters_as_asked_for(rng):
    dendrogram = linkage(rng.normal(size=(20, 3)), "ward")
    expected = hierarchy.fcluster(dendrogram, 4, "maxclust")
    assert adjusted_rand_score(topmost_nodes(dendrogram[:-3], 20), expected) == 1
