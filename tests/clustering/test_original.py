# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Clusterings of the original DiariZen."""

from pathlib import Path
from typing import Literal

import numpy as np
import numpy.testing as npt
import pytest
from people import DIMENSION, same_partition
from pyannote.core import SlidingWindow, SlidingWindowFeature

from pyannote_diarizen.clustering import PLDA, AgglomerativeClustering, VBxClustering
from pyannote_diarizen.clustering.original import (
    OriginalAgglomerativeClustering,
    OriginalVBxClustering,
    number_unassigned,
)


def build(plda: PLDA, **options) -> OriginalVBxClustering:
    clustering = OriginalVBxClustering(plda, **options)
    return clustering.instantiate(clustering.default_parameters())


def test_silent_speakers_compete(people_plda, talk):
    conversation = talk(3, 20)
    segmentations = conversation.segmentations
    segmentations.data[::2, :, 0] = 0
    inputs = conversation.embeddings, segmentations
    hard, _, _ = build(people_plda, spurious_speaker=False)(*inputs)
    assert (hard != -2).all()
    ours = VBxClustering(people_plda).instantiate(VBxClustering.default_parameters())
    npt.assert_array_equal(ours(*inputs)[0][::2, 0], -2)


def test_silent_speakers_compete_for_agglomerative_clusters(talk):
    # the silent speaker of the last chunk fits the cluster of the active one better
    conversation = talk(2, 10, noise=0.1)
    first, second = conversation.embeddings[0].copy()
    conversation.embeddings[:] = first, second
    conversation.embeddings[-1] = 0.6 * first + 0.4 * second, first
    segmentations = conversation.segmentations
    segmentations.data[-1, :, 1] = 0
    for kind, expected in (
        (AgglomerativeClustering, True),
        (OriginalAgglomerativeClustering, False),
    ):
        clustering = kind().instantiate(
            {"method": "centroid", "min_cluster_size": 2, "threshold": 0.5}
        )
        hard, _, _ = clustering(conversation.embeddings, segmentations)
        assert (hard[-1, 0] == hard[0, 0]) == expected


def test_bounds_are_ignored(people_plda, talk):
    conversation = talk(3, 20)
    clustering = build(people_plda)
    hard, _, centroids = clustering(
        **conversation.inputs, num_clusters=7, file={"expected_speakers": 7}
    )
    assert len(centroids) == 3
    assert same_partition(hard, conversation.truth)


@pytest.mark.parametrize("number", range(1, 7))
def test_bounds_have_an_effect_if_asked_for(people_plda, talk, number):
    clustering = build(people_plda, ignore_bounds=False)
    inputs = talk(3, 20).inputs
    for bounds in (
        {"num_clusters": number},
        {"min_clusters": number, "max_clusters": number},
    ):
        hard, _, centroids = clustering(**inputs, **bounds)
        assert len(centroids) == len(np.unique(hard[hard >= 0])) == number


def test_unassigned_speakers_are_the_first_cluster(people_plda, talk):
    # two speakers in each chunk, one person in all
    conversation = talk(2, 20)
    person = conversation.embeddings[conversation.truth == 0][0]
    conversation.embeddings[:] = person
    expected, _, expected_centroids = build(people_plda, spurious_speaker=False)(
        **conversation.inputs
    )
    assert (expected == -2).any()
    hard, soft, centroids = build(people_plda)(**conversation.inputs)
    npt.assert_array_equal(hard == 0, expected == -2)
    npt.assert_array_equal(hard[hard > 0], expected[expected != -2] + 1)
    npt.assert_array_equal(centroids[0], 0)
    npt.assert_array_equal(centroids[1:], expected_centroids)
    assert soft.shape[2] == len(centroids)


def test_silence_is_the_spurious_speaker(people_plda, talk):
    conversation = talk(2, 5)
    segmentations = conversation.segmentations
    segmentations.data[:] = 0
    embeddings = np.full_like(conversation.embeddings, np.nan)
    hard, _, centroids = build(people_plda)(embeddings, segmentations)
    npt.assert_array_equal(hard, 0)
    npt.assert_array_equal(centroids, np.zeros((1, DIMENSION)))


def test_names_of_the_original_are_second_names(people_plda):
    clustering = build(people_plda)
    clustering.ahc_threshold, clustering.maxIters = 0.7, 3
    assert (clustering.threshold, clustering.max_iterations) == (0.7, 3)


@pytest.mark.parity
@pytest.mark.parametrize("case", range(4))
@pytest.mark.parametrize(
    ("name", "criterion", "threshold"),
    [
        ("distance", "distance", 0.6),
        ("distance_loose", "distance", 0.9),
        ("maxclust", "maxclust", 5),
    ],
)
@pytest.mark.parametrize("spurious_speaker", [False, True])
def test_equals_original(
    parity: Path,
    case: int,
    name: str,
    criterion: Literal["distance", "maxclust"],
    threshold: float,
    spurious_speaker: bool,
):
    expected = np.load(parity / "vbx" / f"clustering_{case}.npz")
    plda = PLDA.from_pretrained(parity / "vbx" / "plda_cluster", lda_dimension=12)
    clustering = OriginalVBxClustering(
        plda, ahc_criterion=criterion, spurious_speaker=spurious_speaker
    )
    clustering.instantiate({"threshold": threshold, "Fa": 0.07, "Fb": 0.8})
    segmentations = SlidingWindowFeature(
        expected["segmentations"], SlidingWindow(duration=8, step=0.8)
    )
    selection = clustering._select(expected["embeddings"], segmentations)
    npt.assert_array_equal(selection.chunks, expected["train_chunk"])
    npt.assert_array_equal(selection.speakers, expected["train_speaker"])

    hard, soft, centroids = clustering(
        expected["embeddings"], segmentations, max_clusters=1
    )
    if spurious_speaker:
        npt.assert_array_equal(hard, expected[f"{name}.hard"])
        return
    npt.assert_array_equal(hard, expected[f"{name}.hard_before_renumber"])
    known = ~np.isnan(expected[f"{name}.soft"])  # the original leaves NaN
    npt.assert_allclose(soft[known], expected[f"{name}.soft"][known], atol=1e-9)
    npt.assert_allclose(centroids, expected[f"{name}.centroids"], atol=1e-9)


def test_without_unassigned_speaker_numbers_stay():
    hard, soft, centroids = np.array([[0, 1]]), np.ones((1, 2, 2)), np.eye(2)
    for before, after in zip(
        (hard, soft, centroids), number_unassigned(hard, soft, centroids), strict=True
    ):
        npt.assert_array_equal(before, after)


def test_empty_clusters_lose_their_numbers():
    hard = np.array([[0, 3], [-2, 3]])
    soft = np.arange(16.0).reshape(2, 2, 4)
    centroids = np.arange(4.0)[:, None]
    numbered, soft_numbered, rows = number_unassigned(hard, soft, centroids)
    npt.assert_array_equal(numbered, [[1, 2], [0, 2]])
    npt.assert_array_equal(rows, [[0], [0], [3]])
    npt.assert_array_equal(soft_numbered[..., 1:], soft[..., [0, 3]])
