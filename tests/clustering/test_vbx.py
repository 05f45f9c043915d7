# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""VBxClustering: contract of the host, bounds, awkward inputs, the original."""

from typing import Any

import numpy as np
import numpy.testing as npt
import pytest
from people import DIMENSION, same_partition, windows
from pyannote.audio.pipelines import clustering as host

from pyannote_diarizen.clustering import VBxClustering


def test_finds_who_speaks(clustering, conversation):
    hard, soft, centroids = clustering(**conversation.inputs)
    assert same_partition(hard, conversation.truth)
    npt.assert_array_equal(hard == -2, conversation.truth == -2)
    assert hard.dtype == np.int32
    assert soft.shape == (20, 3, 3)
    assert centroids.shape == (3, DIMENSION)


def test_centroids_are_mean_embeddings(clustering, conversation):
    clustering.Fa = 0.5  # enough evidence for responsibilities to be 0 or 1
    hard, _, centroids = clustering(**conversation.inputs)
    means = [conversation.embeddings[hard == k].mean(axis=0) for k in range(3)]
    npt.assert_allclose(centroids, means, atol=1e-6)


def test_soft_clusters_are_cosine_similarities(clustering, conversation):
    _, soft, centroids = clustering(**conversation.inputs)
    embedding, centroid = conversation.embeddings[4, 1], centroids[2]
    cosine = embedding @ centroid
    cosine /= np.linalg.norm(embedding) * np.linalg.norm(centroid)
    npt.assert_allclose(soft[4, 1, 2], 1 + cosine)


def test_twice_the_same_and_arguments_left_alone(clustering, conversation):
    before = conversation.embeddings.copy()
    first = clustering(**conversation.inputs, num_clusters=5)
    second = clustering(**conversation.inputs, num_clusters=5)
    for one, other in zip(first, second, strict=True):
        npt.assert_array_equal(one, other)
    npt.assert_array_equal(conversation.embeddings, before)


def test_order_of_local_speakers_does_not_matter(clustering, conversation):
    swapped = {
        "embeddings": conversation.embeddings[..., ::-1, :],
        "segmentations": windows(conversation.segmentations.data[..., ::-1]),
    }
    hard, _, _ = clustering(**swapped)
    expected, _, _ = clustering(**conversation.inputs)
    assert same_partition(hard[:, ::-1], expected)


def test_agrees_with_stock_pyannote(clustering, conversation, people_plda):
    stock = host.VBxClustering(people_plda).instantiate(
        VBxClustering.default_parameters()
    )
    bounds = {"min_clusters": 1, "max_clusters": np.inf}
    expected, _, expected_centroids = stock(**conversation.inputs, **bounds)
    hard, _, centroids = clustering(**conversation.inputs, **bounds)
    active = conversation.truth != -2
    npt.assert_array_equal(hard[active], expected[active])
    npt.assert_allclose(centroids, expected_centroids, atol=1e-9)


@pytest.mark.parametrize("number", [1, 2, 3, 4, 7, 50])
def test_requested_number_comes_out(clustering, conversation, number: int):
    hard, soft, centroids = clustering(**conversation.inputs, num_clusters=number)
    npt.assert_array_equal(np.unique(hard[hard != -2]), np.arange(number))
    assert len(centroids) == soft.shape[2] == number
    # the bound excludes further speakers: all active speakers are assigned
    npt.assert_array_equal(hard == -2, conversation.truth == -2)


@pytest.mark.parametrize(
    ("bounds", "expected"),
    [
        ({"min_clusters": 2, "max_clusters": 5}, 3),
        ({"min_clusters": 4}, 4),
        ({"max_clusters": 2}, 2),
        ({"max_clusters": 1}, 1),
        ({"min_clusters": None, "max_clusters": None}, 3),
        ({"num_clusters": 2, "min_clusters": 5}, 2),
    ],
)
def test_bounds(clustering, conversation, bounds: dict[str, Any], expected: int):
    hard, _, centroids = clustering(**conversation.inputs, **bounds)
    assert len(centroids) == len(np.unique(hard[hard != -2])) == expected


def test_halves_of_a_forced_split_are_halves_of_one_speaker(clustering, conversation):
    hard, _, _ = clustering(**conversation.inputs, num_clusters=4)
    active = conversation.truth != -2
    pairs = {*zip(hard[active], conversation.truth[active], strict=True)}
    assert len(pairs) == 4


def test_more_clusters_than_speakers_who_are_alone_long_enough(
    clustering, conversation
):
    conversation.segmentations.data[:, 2:10, 0] = 0
    conversation.segmentations.data[:, 12:20, 1] = 0
    conversation.segmentations.data[2:, 22:30, 2] = 0
    hard, _, _ = clustering(**conversation.inputs, num_clusters=3)
    assert len(np.unique(hard[hard != -2])) == 3


def test_contradictory_bounds(clustering, conversation):
    with pytest.raises(ValueError, match="min_clusters"):
        clustering(**conversation.inputs, min_clusters=4, max_clusters=2)


def test_equal_embeddings_are_one_speaker_unless_told_otherwise(clustering, rng):
    embeddings = np.tile(rng.standard_normal(DIMENSION), (10, 1, 1))
    segmentations = windows(np.ones((10, 30, 1)))
    hard, _, _ = clustering(embeddings, segmentations)
    npt.assert_array_equal(hard, 0)
    hard, _, _ = clustering(embeddings, segmentations, num_clusters=4)
    npt.assert_array_equal(np.unique(hard), np.arange(4))


def test_silence_gives_no_speaker(clustering, conversation):
    conversation.segmentations.data[:] = 0
    hard, soft, centroids = clustering(**conversation.inputs)
    npt.assert_array_equal(hard, -2)
    assert soft.shape == (20, 3, 0)
    assert centroids.shape == (0, DIMENSION)


def test_one_active_speaker(clustering, conversation):
    conversation.segmentations.data[1:] = 0
    conversation.segmentations.data[0, :, 1:] = [1, 0]
    hard, _, centroids = clustering(**conversation.inputs)
    assert np.argwhere(hard == 0).tolist() == [[0, 1]]
    npt.assert_allclose(centroids, conversation.embeddings[[0], 1])


def test_two_active_speakers(clustering, conversation):
    conversation.segmentations.data[1:] = 0
    hard, _, centroids = clustering(**conversation.inputs, num_clusters=2)
    assert sorted(hard[0]) == [-2, 0, 1]
    npt.assert_array_equal(hard[1:], -2)
    expected = conversation.embeddings[0, 1:]
    npt.assert_allclose(centroids[hard[0, 1:]], expected, atol=1e-6)


def test_speech_without_embedding_is_one_speaker(clustering, conversation):
    conversation.embeddings[:] = np.nan
    hard, _, centroids = clustering(**conversation.inputs)
    npt.assert_array_equal(hard == 0, conversation.truth != -2)
    npt.assert_array_equal(centroids, np.zeros((1, DIMENSION)))


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_unusable_embeddings_do_not_disturb_others(clustering, conversation, value):
    expected, _, _ = clustering(**conversation.inputs)
    conversation.embeddings[5, 2] = value
    hard, soft, _ = clustering(**conversation.inputs)
    assert np.isfinite(soft).all()
    # being alone in the chunk with two others, it gets the cluster that is left
    assert same_partition(hard, expected)


def test_left_over_speaker_stays_unassigned_unless_nobody_else_is_there(
    clustering, conversation
):
    # chunks of three speakers, of whom two are the same person
    person = conversation.embeddings[conversation.truth == 0][0]
    conversation.embeddings[:, :2] = person
    free, _, centroids = clustering(**conversation.inputs)
    number = len(centroids)
    assert (free[1::2] == -2).any()
    bounded, _, _ = clustering(**conversation.inputs, max_clusters=number)
    npt.assert_array_equal(bounded[free != -2], free[free != -2])
    npt.assert_array_equal(bounded == -2, conversation.truth == -2)


def test_without_constraint_everybody_joins_the_closest(people_plda, conversation):
    clustering = VBxClustering(people_plda, constrained_assignment=False)
    clustering.instantiate(VBxClustering.default_parameters())
    hard, soft, _ = clustering(**conversation.inputs)
    active = conversation.truth != -2
    npt.assert_array_equal(hard[active], soft.argmax(axis=2)[active])
    npt.assert_array_equal(hard[~active], -2)


def test_shapes_that_disagree(clustering, conversation):
    with pytest.raises(ValueError, match="as many chunks and speakers"):
        clustering(conversation.embeddings[:5], conversation.segmentations)


def test_unknown_criterion_is_refused(people_plda):
    with pytest.raises(ValueError, match="maxclust"):
        VBxClustering(people_plda, ahc_criterion="inconsistent")


def test_number_of_first_clusters_is_not_a_distance(people_plda, conversation):
    clustering = VBxClustering(people_plda, ahc_criterion="maxclust")
    clustering.instantiate(VBxClustering.default_parameters())
    with pytest.raises(ValueError, match="is it a distance"):
        clustering(**conversation.inputs)


def test_fewer_iterations_stop_earlier(people_plda, conversation):
    found = []
    for max_iterations in (1, 20):
        clustering = VBxClustering(people_plda, max_iterations=max_iterations)
        clustering.instantiate(VBxClustering.default_parameters())
        found.append(clustering(**conversation.inputs)[2])
    assert found[0].shape != found[1].shape or not np.allclose(*found)


def test_spurious_speakers_are_dropped_unless_requested(people_plda, conversation, rng):
    stranger = 4 * rng.standard_normal(DIMENSION)
    conversation.embeddings[7, 1] = stranger
    kept = VBxClustering(people_plda, min_share=0.0)
    dropped = VBxClustering(people_plda, min_share=0.05)
    for clustering in (kept, dropped):
        clustering.instantiate({"threshold": 0.6, "Fa": 0.5, "Fb": 0.1})
    assert len(kept(**conversation.inputs)[2]) == 4
    assert len(dropped(**conversation.inputs)[2]) == 3
    assert len(dropped(**conversation.inputs, min_clusters=4)[2]) == 4


def test_share_is_no_percentage(people_plda):
    with pytest.raises(ValueError, match="in percent"):
        VBxClustering(people_plda, min_share=5)


def test_order_in_time_separates_voices_that_sound_alike(people_plda, rng):
    """Two voices that overlap, each going on from chunk to chunk."""
    people = 0.7 * rng.standard_normal((2, DIMENSION))
    truth = np.tile([0, 1], (40, 1))
    embeddings = people[truth] + 1.2 * rng.standard_normal((40, 2, DIMENSION))
    activity = np.zeros((40, 30, 2))
    activity[:, :20, 0] = activity[:, 10:, 1] = 1
    inputs = {"embeddings": embeddings, "segmentations": windows(activity)}
    share = []
    for ordered in (False, True):
        clustering = VBxClustering(
            people_plda,
            ordered=ordered,
            constrained_assignment=False,
            ahc_criterion="maxclust",
        )
        parameters = {"threshold": 6, "Fa": 0.3, "Fb": 1.0}
        if ordered:
            parameters["loop_prob"] = 0.95
        clustering.instantiate(parameters)
        evidence = clustering.evidence(**inputs)
        found = evidence.responsibilities.argmax(axis=1)
        counts = [np.bincount(found[evidence.speakers == s]) for s in (0, 1)]
        share.append(sum(count.max() for count in counts) / 80)
    assert share[1] == 1 > share[0]


def test_loop_prob_is_a_parameter_of_ordered_clusterings_only(people_plda):
    assert "loop_prob" not in VBxClustering(people_plda).parameters()
    ordered = VBxClustering(people_plda, ordered=True)
    assert set(VBxClustering.default_parameters(ordered=True)) == set(
        ordered.parameters()
    )
