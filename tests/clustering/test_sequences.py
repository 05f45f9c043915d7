# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
from itertools import pairwise

import numpy as np
import numpy.testing as npt
import pytest
from pyannote.core import SlidingWindow, SlidingWindowFeature

from pyannote_diarizen.clustering.sequences import follow_voices


def cut(timeline: np.ndarray, num_chunks: int, step: int = 2, duration: int = 8):
    """Chunks of 8 frames every 2 out of (num_frames, num_speakers) activity."""
    data = np.stack(
        [timeline[i * step : i * step + duration] for i in range(num_chunks)]
    )
    window = SlidingWindow(duration=duration, step=step)
    return SlidingWindowFeature(data.astype(np.uint8), window)


def everybody(segmentations: SlidingWindowFeature) -> tuple[np.ndarray, np.ndarray]:
    return np.nonzero(segmentations.data.any(axis=1))


@pytest.fixture
def dialogue() -> np.ndarray:
    """Two people: one speaks until frame 12, the other from frame 10 on."""
    timeline = np.zeros((24, 2))
    timeline[:12, 0] = timeline[10:, 1] = 1
    return timeline


def sequences(segmentations, chunks, speakers) -> list[list[tuple[int, int]]]:
    order, starts = follow_voices(segmentations, chunks, speakers)
    places = list(zip(chunks[order].tolist(), speakers[order].tolist(), strict=True))
    bounds = [*np.flatnonzero(starts), len(order)]
    return [places[i:j] for i, j in pairwise(bounds)]


def test_each_voice_is_a_sequence_in_order_of_time(dialogue):
    segmentations = cut(dialogue, 9)
    first, second = sequences(segmentations, *everybody(segmentations))
    assert first == [(chunk, 0) for chunk in range(6)]
    assert second == [(chunk, 1) for chunk in range(2, 9)]


def test_voices_are_followed_through_changes_of_local_speakers(dialogue):
    segmentations = cut(dialogue, 9)
    segmentations.data[1::2] = segmentations.data[1::2, :, ::-1]
    first, second = sequences(segmentations, *everybody(segmentations))
    assert first == [(chunk, chunk % 2) for chunk in range(6)]
    assert second == [(chunk, 1 - chunk % 2) for chunk in range(2, 9)]


def test_a_voice_ends_where_chunks_share_no_frame_of_it(dialogue):
    timeline = np.zeros((40, 1))
    timeline[:4] = timeline[30:] = 1
    segmentations = cut(timeline, 17)
    chunks, speakers = everybody(segmentations)
    assert [len(s) for s in sequences(segmentations, chunks, speakers)] == [2, 5]


def test_what_is_not_clustered_ends_a_voice(dialogue):
    segmentations = cut(dialogue, 5)
    chunks, speakers = everybody(segmentations)
    kept = (chunks != 2) | (speakers != 0)
    first, _, third = sequences(segmentations, chunks[kept], speakers[kept])
    assert first == [(0, 0), (1, 0)]
    assert third == [(3, 0), (4, 0)]


def test_chunks_that_do_not_overlap_have_nothing_to_follow(dialogue):
    segmentations = cut(dialogue, 3, step=8)
    order, starts = follow_voices(segmentations, *everybody(segmentations))
    assert starts.all()
    npt.assert_array_equal(order, np.arange(len(order)))


def test_nobody_to_follow(dialogue):
    nobody = np.empty(0, dtype=int)
    order, starts = follow_voices(cut(dialogue, 3), nobody, nobody)
    assert order.size == starts.size == 0
