# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
from itertools import pairwise

import numpy as np
import numpy.testing as npt
import pytest
from pyannote.core import SlidingWindow, SlidingWindowFeature

from pyannote_diarizen.clustering.local_speakers import (
    active_speakers,
    one_to_one,
    reliable_speakers,
    speaker_sequences,
)


def chunks(activity: np.ndarray) -> SlidingWindowFeature:
    return SlidingWindowFeature(activity, SlidingWindow(duration=8, step=0.8))


def test_a_single_frame_makes_a_speaker_active():
    activity = np.zeros((2, 10, 2))
    activity[1, 3, 0] = 1
    active = active_speakers(np.ones((2, 2, 4)), chunks(activity))
    npt.assert_array_equal(active, [[False, False], [True, False]])


def test_segmentations_of_a_single_frame_stay_as_they_are():
    activity = np.ones((3, 1, 2), dtype=np.uint8)  # both speakers overlap
    activity.setflags(write=False)
    reliable_speakers(np.ones((3, 2, 4)), chunks(activity), 0.1)
    assert activity.all()


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


# -- sequences


def cut(timeline: np.ndarray, num_chunks: int, step: int = 2, duration: int = 8):
    """Chunks of 8 frames every 2 out of (num_frames, num_speakers) activity."""
    data = np.stack(
        [timeline[i * step : i * step + duration] for i in range(num_chunks)]
    )
    window = SlidingWindow(duration=duration, step=step)
    return SlidingWindowFeature(data.astype(np.uint8), window)


def all_active(segmentations: SlidingWindowFeature) -> tuple[np.ndarray, np.ndarray]:
    return np.nonzero(segmentations.data.any(axis=1))


@pytest.fixture
def dialogue() -> np.ndarray:
    """Two people: one speaks until frame 12, the other from frame 10 on."""
    timeline = np.zeros((24, 2))
    timeline[:12, 0] = timeline[10:, 1] = 1
    return timeline


def sequences(segmentations, chunks, speakers) -> list[list[tuple[int, int]]]:
    order, starts = speaker_sequences(segmentations, chunks, speakers)
    places = list(zip(chunks[order].tolist(), speakers[order].tolist(), strict=True))
    bounds = [*np.flatnonzero(starts), len(order)]
    return [places[i:j] for i, j in pairwise(bounds)]


def test_each_speaker_is_a_sequence_in_order_of_time(dialogue):
    segmentations = cut(dialogue, 9)
    first, second = sequences(segmentations, *all_active(segmentations))
    assert first == [(chunk, 0) for chunk in range(6)]
    assert second == [(chunk, 1) for chunk in range(2, 9)]


def test_sequences_go_on_when_local_speakers_change_places(dialogue):
    segmentations = cut(dialogue, 9)
    segmentations.data[1::2] = segmentations.data[1::2, :, ::-1]
    first, second = sequences(segmentations, *all_active(segmentations))
    assert first == [(chunk, chunk % 2) for chunk in range(6)]
    assert second == [(chunk, 1 - chunk % 2) for chunk in range(2, 9)]


def test_a_sequence_ends_where_chunks_share_no_active_frame(dialogue):
    timeline = np.zeros((40, 1))
    timeline[:4] = timeline[30:] = 1
    segmentations = cut(timeline, 17)
    chunks, speakers = all_active(segmentations)
    assert [len(s) for s in sequences(segmentations, chunks, speakers)] == [2, 5]


def test_a_speaker_without_embedding_ends_a_sequence(dialogue):
    segmentations = cut(dialogue, 5)
    chunks, speakers = all_active(segmentations)
    kept = (chunks != 2) | (speakers != 0)
    first, _, third = sequences(segmentations, chunks[kept], speakers[kept])
    assert first == [(0, 0), (1, 0)]
    assert third == [(3, 0), (4, 0)]


def test_without_overlap_each_embedding_is_a_sequence(dialogue):
    segmentations = cut(dialogue, 3, step=8)
    order, starts = speaker_sequences(segmentations, *all_active(segmentations))
    assert starts.all()
    npt.assert_array_equal(order, np.arange(len(order)))


def test_no_speaker_has_no_sequence(dialogue):
    none = np.empty(0, dtype=int)
    order, starts = speaker_sequences(cut(dialogue, 3), none, none)
    assert order.size == starts.size == 0
