# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import numpy as np
import numpy.testing as npt
import pytest
from pyannote.core import SlidingWindow, SlidingWindowFeature

from pyannote_diarizen.clustering.local_speakers import (
    active_speakers,
    number_unassigned,
    one_to_one,
    reliable_speakers,
)


def chunks(activity: np.ndarray) -> SlidingWindowFeature:
    return SlidingWindowFeature(activity, SlidingWindow(duration=8, step=0.8))


def test_a_single_frame_makes_a_speaker_active():
    activity = np.zeros((2, 10, 2))
    activity[1, 3, 0] = 1
    active = active_speakers(np.ones((2, 2, 4)), chunks(activity))
    npt.assert_array_equal(active, [[False, False], [True, False]])


def test_reliable_speakers_are_alone_in_as_many_frames_as_the_ratio_rounds_to():
    activity = np.zeros((1, 24, 3))
    activity[0, :2, 0] = 1  # 2 frames of 24: the 2.4 that a tenth would be round to 2
    activity[0, 2:20, 1:] = 1  # two at once
    activity[0, 20:, 2] = 1
    found = reliable_speakers(np.ones((1, 3, 4)), chunks(activity), 0.1)
    npt.assert_array_equal(found, [[0, 0], [0, 2]])


def test_all_active_speakers_are_taken_where_too_few_are_reliable():
    activity = np.zeros((1, 20, 3))
    activity[0, :10, 0] = 1
    activity[0, 10:, :2] = 1
    embeddings = np.ones((1, 3, 4))
    npt.assert_array_equal(
        reliable_speakers(embeddings, chunks(activity), 0.1)[1], [0, 1]
    )
    activity[0, :2, 0], activity[0, :2, 2] = 0, 1
    npt.assert_array_equal(
        reliable_speakers(embeddings, chunks(activity), 0.1)[1], [0, 2]
    )
    npt.assert_array_equal(
        reliable_speakers(embeddings, chunks(activity), 0.1, min_embeddings=3)[1],
        [0, 1, 2],
    )


@pytest.mark.parametrize("value", [np.nan, np.inf, 0.0])
def test_speakers_without_embedding_are_never_chosen(value):
    embeddings = np.ones((1, 3, 4))
    embeddings[0, 1] = value
    npt.assert_array_equal(reliable_speakers(embeddings, None, 0.1)[1], [0, 2])


def test_no_score_is_the_worst_score():
    soft = np.array([[[np.nan, np.nan], [0.2, 0.9], [0.5, 0.8]]])
    npt.assert_array_equal(one_to_one(soft), [[-2, 1, 0]])


def test_no_score_at_all():
    assert sorted(one_to_one(np.full((1, 3, 2), np.nan))[0]) == [-2, 0, 1]


def test_nobody_unassigned_changes_nothing():
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
