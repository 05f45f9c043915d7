# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Speakers who are never the most active ones, exclusive diarization, names."""

import numpy as np
import numpy.testing as npt
import pytest
from pyannote.audio.pipelines.speaker_diarization import DiarizeOutput
from pyannote.core import Annotation, Segment, SlidingWindow, SlidingWindowFeature

from pyannote_diarizen.functional.speaker_bounds import SpeakerBounds
from pyannote_diarizen.pipelines.reconstruction import (
    Reconstruction,
    exclusive_turns,
    keep_speakers,
    labels_by_appearance,
)
from pyannote_diarizen.pipelines.segmentation import select_speakers
from pyannote_diarizen.pipelines.turn_finding import find_turns

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


# -- names


def test_order_of_appearance_does_not_depend_on_names():
    turns = Annotation()
    turns[Segment(0, 2)], turns[Segment(1, 2)], turns[Segment(3, 4)] = "z", "a", "z"
    assert labels_by_appearance(turns) == ["z", "a"]


@pytest.mark.parametrize("naming", ["appearance", "cluster", "reference"])
def test_names_and_embeddings_stay_together_beyond_a_hundred_speakers(naming):
    num_speakers = 120
    activity = np.repeat(np.eye(num_speakers), 3, axis=0)[::-1]  # the last one first
    activity[:, 7] = 0  # a cluster that never speaks
    frames = Reconstruction(SpeakerBounds())
    chunks = SlidingWindow(duration=7.2, step=7.2)
    count = feature(activity.sum(axis=1, keepdims=True))
    clusters = np.arange(num_speakers)[None]
    discrete = frames(SlidingWindowFeature(activity[None], chunks), clusters, count)

    before = find_turns(discrete)
    labels = before.labels()  # in the order of strings, as pyannote.audio takes them
    old = {cluster: f"SPEAKER_{rank:02d}" for rank, cluster in enumerate(labels)}
    before = before.rename_labels(mapping=old)
    cluster_of = {name: cluster for cluster, name in old.items()}
    embeddings = np.array([[cluster_of[name]] for name in before.labels()])
    output = frames.finish(DiarizeOutput(before, before, embeddings), 0.0, naming)

    after = output.speaker_diarization
    assert after.get_timeline() == before.get_timeline()
    rows = dict(zip(after.labels(), output.speaker_embeddings.ravel(), strict=True))
    assert len(rows) == num_speakers - 1
    for turn, _, name in after.itertracks(yield_label=True):
        cluster = num_speakers - 1 - round((turn.start - 0.0125) / 0.06)
        assert rows[name] == cluster
        if naming == "cluster":
            assert name == cluster
    assert output.exclusive_speaker_diarization == after
    if naming == "appearance":
        assert labels_by_appearance(after)[:3] == [f"SPEAKER_0{k}" for k in range(3)]
        assert labels_by_appearance(after)[-1] == "SPEAKER_118"
