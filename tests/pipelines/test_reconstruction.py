# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Speakers who are never the most active ones, and exclusive diarization."""

import numpy as np
import numpy.testing as npt
import pytest
from pyannote.core import SlidingWindow, SlidingWindowFeature

from pyannote_diarizen.pipelines.reconstruction import exclusive_turns, keep_speakers
from pyannote_diarizen.pipelines.segmentation import find_turns, select_speakers

FRAMES = SlidingWindow(start=0.0, duration=0.025, step=0.02)


def feature(data) -> SlidingWindowFeature:
    return SlidingWindowFeature(np.asarray(data, dtype=float), FRAMES)


# -- number of speakers


def test_a_speaker_selected_nowhere_gets_the_frames_closest_to_selection():
    activity = np.tile([9.0, 0.0], (10, 1))
    activity[3:7, 1] = 1
    activity[4:6, 1] = 4
    discrete = np.tile([1, 0], (10, 1))
    keep_speakers(discrete, activity, 2)
    assert np.flatnonzero(discrete[:, 1]).tolist() == [4, 5]
    npt.assert_array_equal(discrete.sum(axis=1), 1)  # no overlap is added


def test_frames_without_speech_are_the_last_resort():
    activity = np.array([[2, 0], [2, 0.1], [0, 0], [0, 1], [0, 0]])
    discrete = np.array([[1, 0], [1, 0], [0, 0], [0, 0], [0, 0]])
    keep_speakers(discrete, activity, 2)
    assert discrete[:, 1].tolist() == [0, 1, 0, 0, 0]
    discrete = np.array([[1, 0], [1, 0], [0, 0], [0, 0], [0, 0]])
    activity[1, 1] = 0
    keep_speakers(discrete, activity, 2)
    assert discrete.tolist() == [[1, 0], [1, 0], [0, 0], [0, 1], [0, 0]]


def test_no_speaker_loses_all_frames_to_another():
    activity = np.array([[3.0, 2, 1, 1], [0, 0, 0, 0]])
    discrete = np.array([[1, 0, 0, 0], [0, 0, 0, 0]])
    keep_speakers(discrete, activity, 4)
    assert discrete[0].tolist() == [1, 1, 1, 1]


def test_only_as_many_as_requested_the_most_active_first():
    activity = np.array([[9.0, 1, 2], [9, 0, 2], [9, 1, 2], [9, 1, 2], [9, 0, 0]])
    for number, selected in ((0, [0]), (1, [0]), (2, [0, 2]), (3, [0, 1, 2])):
        discrete = select_speakers(activity, np.ones((5, 1)))
        keep_speakers(discrete, activity, number)
        assert np.flatnonzero(discrete.any(axis=0)).tolist() == selected


def test_every_active_speaker_has_a_turn(rng):
    for _ in range(50):
        num_speakers = rng.integers(1, 9)
        activity = rng.integers(0, 9, (30, num_speakers)).astype(float)
        activity *= rng.random(num_speakers) < 0.7  # some are silent
        discrete = select_speakers(activity, rng.integers(0, 2, (30, 1)))
        before = find_turns(feature(discrete))
        keep_speakers(discrete, activity, num_speakers)
        turns = find_turns(feature(discrete))
        assert {*np.flatnonzero(activity[:-1].any(axis=0))} <= {*turns.labels()}
        assert {*before.labels()} <= {*turns.labels()}


# -- exclusive diarization


def test_exclusive_diarization_has_the_same_speech_without_overlap(rng):
    for _ in range(20):
        active = np.repeat(rng.random((40, 4)) < 0.4, 5, axis=0)
        discrete, activity = feature(active), feature(rng.random((200, 4)) * active)
        turns = find_turns(discrete, min_duration_off=0.3)
        exclusive = exclusive_turns(turns, discrete, activity)
        assert turns.get_overlap()
        assert not exclusive.get_overlap()
        assert exclusive.get_timeline().support() == turns.get_timeline().support()
        for segment, _, label in exclusive.itertracks(yield_label=True):
            alone = turns.label_timeline(label).crop(segment).duration()
            assert alone == pytest.approx(segment.duration)


def test_a_speaker_comes_before_the_one_whose_pause_is_filled():
    discrete = feature([[1, 0]] * 5 + [[0, 1]] * 5 + [[1, 0]] * 5 + [[0, 0]])
    turns = find_turns(discrete, min_duration_off=1.0)
    assert turns.get_overlap()
    exclusive = exclusive_turns(turns, discrete, discrete)
    assert exclusive == find_turns(discrete)
