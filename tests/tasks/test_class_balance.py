# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Time with each number of speakers."""

import numpy as np
import numpy.testing as npt
from pyannote.core import Annotation, Segment

from pyannote_diarizen.tasks.class_balance import seconds_by_num_speakers


def test_overlapping_turns_of_one_speaker_count_once():
    turns = [(0.0, 2.0, "A"), (1.0, 3.0, "A"), (2.5, 3.5, "B")]
    npt.assert_allclose(seconds_by_num_speakers(turns, [(0, 4)], 2), [0.5, 3.0, 0.5])


def test_only_annotated_regions_count():
    turns = [(-1.0, 2.0, "A"), (1.0, 9.0, "B")]
    regions = [(0.0, 1.5), (4.0, 5.0)]
    npt.assert_allclose(seconds_by_num_speakers(turns, regions, 2), [0.0, 2.0, 0.5])
    npt.assert_array_equal(seconds_by_num_speakers(turns, [], 2), [0, 0, 0])


def test_the_last_class_includes_higher_numbers():
    turns = [(0.0, 1.0, speaker) for speaker in "ABCD"]
    npt.assert_allclose(seconds_by_num_speakers(turns, [(0, 1)], 2), [0, 0, 1])


def test_overlap_is_the_one_of_pyannote(rng):
    annotation = Annotation()
    for track, start in enumerate(rng.uniform(0, 50, 40)):
        turn = Segment(start, start + rng.uniform(0.1, 5))
        annotation[turn, track] = "ABC"[rng.integers(3)]
    annotation = annotation.support()
    turns = [(s.start, s.end, x) for s, _, x in annotation.itertracks(yield_label=True)]
    silence, alone, overlap = seconds_by_num_speakers(turns, [(0, 60)], 2)
    expected = annotation.get_overlap().duration()
    assert abs(overlap - expected) < 0.01 * len(turns)
    speech = annotation.get_timeline().support().duration()
    assert abs(alone + overlap - speech) < 0.01 * len(turns)
    assert np.isclose(silence + alone + overlap, 60)
