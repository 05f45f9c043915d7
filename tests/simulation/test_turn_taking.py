# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Turn taking, estimated and drawn."""

import gzip

import numpy as np
import pytest
from pyannote.core import Annotation, Segment

from pyannote_diarizen.simulation.turn_taking import TurnTaking


def annotate(*turns: tuple[float, float, str], uri: str = "file") -> Annotation:
    annotation = Annotation(uri=uri)
    for track, (start, end, speaker) in enumerate(turns):
        annotation[Segment(start, end), track] = speaker
    return annotation


def test_estimates_by_hand():
    # b interjects while a speaks, begins 1 s early, goes on 1.25 s later; a 2 s later
    turns = [
        (0, 4, "a"),
        (1, 2, "b"),
        (3, 7, "b"),
        (8.25, 12.25, "b"),
        (14.25, 18.25, "a"),
    ]
    habits = TurnTaking.from_annotations([annotate(*turns)])
    assert habits.turn_duration == pytest.approx(4)
    assert habits.turn_spread == pytest.approx(0)
    assert habits.same_speaker == pytest.approx(1 / 3)
    assert habits.hesitation == pytest.approx(1)
    assert habits.pause == pytest.approx(2)
    assert habits.overlap_probability == pytest.approx(1 / 2)
    assert habits.overlap == pytest.approx(1)
    assert habits.backchannel_rate == pytest.approx(1 / 16)
    assert habits.backchannel_duration == pytest.approx(1)


def test_short_pauses_do_not_end_turns():
    habits = TurnTaking.from_annotations(
        [annotate((0, 1, "a"), (1.2, 3, "a"), (4, 7, "b"))]
    )
    assert habits.turn_duration == pytest.approx(3)
    assert habits.same_speaker == 0


def test_parameters_without_observation_keep_their_default():
    habits = TurnTaking.from_annotations([annotate((0, 1, "a"), (2, 3, "b"))])
    assert habits.overlap_probability == 0
    assert habits.overlap == TurnTaking().overlap
    assert habits.backchannel_rate == 0
    assert habits.backchannel_duration == TurnTaking().backchannel_duration


def test_turns_of_different_recordings_have_no_gaps():
    monologues = [annotate((0, 1, "a")), annotate((0, 0, "c"), (2, 4, "b"))]
    habits = TurnTaking.from_annotations(monologues)
    assert habits.turn_duration == pytest.approx(np.sqrt(2))
    assert habits.same_speaker == TurnTaking().same_speaker
    assert habits.overlap_probability == TurnTaking().overlap_probability


def test_a_single_turn_is_not_enough():
    with pytest.raises(ValueError, match="At least two turns"):
        TurnTaking.from_annotations([annotate((0, 1, "a"))])


def test_rttm_may_be_compressed_and_files_left_out(tmp_path):
    path = tmp_path / "train.rttm.gz"
    kept = annotate((0, 3, "a"), (4, 7, "b"), uri="kept")
    with gzip.open(path, "wt") as file:
        kept.write_rttm(file)
        annotate((0, 1, "a"), (2, 3, "b"), uri="dev1").write_rttm(file)
    assert TurnTaking.from_rttm(path, exclude=["dev*"]).turn_duration == pytest.approx(
        3
    )
    with pytest.raises(ValueError, match="no recording except the excluded"):
        TurnTaking.from_rttm(path, exclude=["dev*", "kept"])
    with pytest.raises(FileNotFoundError, match="missing"):
        TurnTaking.from_rttm(tmp_path / "missing.rttm")


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"overlap_probability": 45}, "between 0 and 1"),
        ({"turn_duration": 2000}, "in seconds"),
        ({"pause": -1}, "from 0"),
        ({"pause": float("nan")}, "nan"),
        ({"turn_duration": 0}, "`turn_duration` should be above 0"),
        ({"backchannel_duration": 0.0}, "above 0"),
    ],
)
def test_values_out_of_range_are_errors(options, message):
    with pytest.raises(ValueError, match=message):
        TurnTaking(**options)


def test_gaps_follow_their_distribution(rng):
    habits = TurnTaking(overlap_probability=0.3, overlap=0.5, pause=0.8, hesitation=0.4)
    gaps = np.array([habits.draw_gap(True, 100.0, rng) for _ in range(20000)])
    assert np.mean(gaps < 0) == pytest.approx(0.3, abs=0.01)
    assert -gaps[gaps < 0].mean() == pytest.approx(0.5, rel=0.05)
    assert gaps[gaps >= 0].mean() == pytest.approx(0.8, rel=0.05)
    own = [habits.draw_gap(False, 100.0, rng) for _ in range(20000)]
    assert min(own) >= 0.25
    assert np.mean(own) == pytest.approx(0.65, rel=0.05)


def test_backchannels_stay_inside_the_turn(rng):
    habits = TurnTaking(backchannel_rate=0.5)
    drawn = [habits.draw_backchannels(4.0, rng) for _ in range(2000)]
    assert np.mean([len(backchannels) for backchannels in drawn]) == pytest.approx(
        2, abs=0.1
    )
    assert all(
        offset >= 0 and offset + duration <= 4 for d in drawn for offset, duration in d
    )
