# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Laws that every clustering obeys, and inputs that none may stumble over."""

import numpy as np
import numpy.testing as npt
import pytest
from people import DIMENSION, same_partition
from pyannote.core import SlidingWindowFeature

from pyannote_diarizen.clustering import (
    AgglomerativeClustering,
    AutoClustering,
    HybridClustering,
    VBxClustering,
)

AHC = {"method": "centroid", "min_cluster_size": 2, "threshold": 0.9}
VBX = {"threshold": 0.6, "Fa": 0.3, "Fb": 1.0}


@pytest.fixture(
    params=[
        "agglomerative",
        "complete",
        "vbx",
        "ordered",
        "evident",
        "hybrid",
        "auto",
        "few",
    ]
)
def clustering(request, people_plda):
    match request.param:
        case "agglomerative":
            return AgglomerativeClustering().instantiate(AHC)
        case "complete":
            parameters = {**AHC, "method": "complete", "threshold": 0.6}
            return AgglomerativeClustering().instantiate(parameters)
        case "vbx":
            return VBxClustering(people_plda, min_share=0.01).instantiate(VBX)
        case "ordered":
            parameters = {**VBX, "loop_prob": 0.9}
            return VBxClustering(people_plda, ordered=True).instantiate(parameters)
        case "evident":
            return VBxClustering(people_plda, number_by="evidence").instantiate(VBX)
        case "hybrid":
            return HybridClustering(people_plda).instantiate(VBX)
        case _:
            least = 10**6 if request.param == "few" else 0
            auto = AutoClustering(people_plda, min_embeddings=least)
            return auto.instantiate({"agglomerative": AHC, "vbx": VBX})


def test_speakers_are_found(clustering, talk):
    conversation = talk(4, 30)
    hard, soft, centroids = clustering(**conversation.inputs)
    assert same_partition(hard, conversation.truth)
    assert soft.shape == (30, 2, 4)
    assert centroids.shape == (4, DIMENSION)


def test_two_calls_give_the_same(clustering, talk):
    conversation = talk(3, 20, noise=2.0)
    first = clustering(**conversation.inputs, num_clusters=4)
    for one, other in zip(
        first, clustering(**conversation.inputs, num_clusters=4), strict=True
    ):
        npt.assert_array_equal(one, other)


@pytest.mark.parametrize("num_clusters", [None, 2, 5])
def test_permuting_embeddings_permutes_the_answer(clustering, talk, rng, num_clusters):
    conversation = talk(3, 20, noise=1.0)
    embeddings, segmentations = conversation.embeddings, conversation.segmentations
    hard, _, _ = clustering(embeddings, segmentations, num_clusters=num_clusters)
    if getattr(clustering, "ordered", False):  # chunks have their order in time
        order = np.arange(20)
    else:
        order = rng.permutation(20)
    shuffled = SlidingWindowFeature(
        segmentations.data[order][..., ::-1], segmentations.sliding_window
    )
    found, _, _ = clustering(
        embeddings[order][:, ::-1], shuffled, num_clusters=num_clusters
    )
    assert same_partition(found, hard[order][:, ::-1])


def test_duplicating_every_embedding_keeps_the_clusters(clustering, talk):
    conversation = talk(3, 20)
    hard, _, _ = clustering(**conversation.inputs)
    segmentations = conversation.segmentations
    twice = SlidingWindowFeature(
        np.repeat(segmentations.data, 2, axis=0), segmentations.sliding_window
    )
    found, _, _ = clustering(np.repeat(conversation.embeddings, 2, axis=0), twice)
    assert same_partition(found, np.repeat(hard, 2, axis=0))


@pytest.mark.parametrize("num_chunks", [0, 1])
@pytest.mark.parametrize("num_clusters", [None, 1, 2, 7])
def test_hardly_any_embedding(clustering, talk, num_chunks, num_clusters):
    conversation = talk(2, num_chunks)
    embeddings = conversation.embeddings.reshape(num_chunks, 2, DIMENSION)
    activity = np.ones((num_chunks, 20, 2))
    activity[:, :10, 0] = activity[:, 10:, 1] = 0
    segmentations = SlidingWindowFeature(
        activity, conversation.segmentations.sliding_window
    )
    hard, soft, centroids = clustering(
        embeddings, segmentations, num_clusters=num_clusters
    )
    assert hard.shape == (num_chunks, 2)
    assert np.isfinite(centroids).all()
    assert soft.shape[2] == len(centroids) <= 2 * num_chunks
    if num_clusters == 2 and num_chunks:
        assert sorted(hard[0]) == [0, 1]


def test_a_single_embedding_is_a_speaker(clustering, talk):
    conversation = talk(2, 1)
    segmentations = conversation.segmentations
    segmentations.data[:, :, 1] = 0
    hard, _, centroids = clustering(conversation.embeddings, segmentations)
    assert hard[0, 0] == 0
    npt.assert_allclose(centroids, conversation.embeddings[0, :1])


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_rows_without_embedding_disturb_nobody(clustering, talk, value):
    conversation = talk(3, 20)
    expected, _, _ = clustering(**conversation.inputs)
    embeddings = conversation.embeddings.copy()
    embeddings[[3, 8]] = value
    hard, _, centroids = clustering(embeddings, conversation.segmentations)
    others = np.setdiff1d(np.arange(20), [3, 8])
    assert same_partition(hard[others], expected[others])
    assert np.isfinite(centroids).all()


def test_no_embedding_at_all_is_one_speaker(clustering, talk):
    conversation = talk(3, 5)
    embeddings = np.full_like(conversation.embeddings, np.nan)
    hard, _, centroids = clustering(embeddings, conversation.segmentations)
    npt.assert_array_equal(hard, 0)
    npt.assert_array_equal(centroids, np.zeros((1, DIMENSION)))


def test_identical_rows_are_one_speaker_unless_told_otherwise(clustering, talk):
    conversation = talk(2, 15)
    segmentations = conversation.segmentations
    segmentations.data[:, :, 1] = 0
    embeddings = np.ones_like(conversation.embeddings)
    hard, _, _ = clustering(embeddings, segmentations)
    npt.assert_array_equal(hard[:, 0], 0)
    hard, _, _ = clustering(embeddings, segmentations, num_clusters=3)
    npt.assert_array_equal(np.unique(hard[:, 0]), np.arange(3))


@pytest.mark.parametrize("num_clusters", [1, 2, 3, 6])
def test_requested_number_comes_out(clustering, talk, num_clusters):
    conversation = talk(4, 25, noise=1.0)
    hard, soft, centroids = clustering(**conversation.inputs, num_clusters=num_clusters)
    found = hard[hard != -2]
    npt.assert_array_equal(np.unique(found), np.arange(num_clusters))
    assert soft.shape[2] == len(centroids) == num_clusters


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"min_clusters": 6}, 6),
        ({"max_clusters": 3}, 3),
        ({"min_clusters": 2, "max_clusters": 9}, 4),
        ({"min_clusters": None, "max_clusters": None, "num_clusters": None}, 4),
        ({"min_clusters": 1, "max_clusters": np.inf}, 4),
        ({"min_clusters": 2.0, "max_clusters": np.float64(3)}, 3),
    ],
)
def test_bounds_are_honoured(clustering, talk, bounds, expected):
    _, _, centroids = clustering(**talk(4, 25).inputs, **bounds)
    assert len(centroids) == expected


def test_more_clusters_than_a_byte_counts(clustering, talk):
    conversation = talk(2, 100, noise=0.1)
    hard, _, _ = clustering(**conversation.inputs, num_clusters=130)
    npt.assert_array_equal(np.unique(hard), np.arange(130))
    speakers = {*zip(hard.ravel(), conversation.truth.ravel(), strict=True)}
    assert len(speakers) == 130
