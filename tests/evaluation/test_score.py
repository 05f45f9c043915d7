# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Scores that one can check by hand."""

import pytest
from pyannote.core import Annotation, Segment, Timeline

from pyannote_diarizen.evaluation.score import DiarizationScore, score_diarization


def annotation(*turns: tuple[float, float, str]) -> Annotation:
    """Who speaks when, out of (start, end, speaker)."""
    result = Annotation(uri="file")
    for track, (start, end, speaker) in enumerate(turns):
        result[Segment(start, end), track] = speaker
    return result


ANNOTATED = Timeline([Segment(0, 10)])


def test_names_of_speakers_do_not_matter():
    score = score_diarization(
        annotation((0, 4, "A"), (4, 10, "B")),
        annotation((0, 4, "x"), (4, 10, "y")),
        ANNOTATED,
    )
    assert score == DiarizationScore(total=10.0)
    assert score.error_rate == 0.0


def test_each_kind_of_error_is_told_apart():
    score = score_diarization(
        annotation((0, 4, "A"), (4, 8, "B")),
        # misses one second of A, takes one second of B for A, invents one second
        annotation((1, 5, "x"), (5, 9, "y")),
        ANNOTATED,
    )
    assert score == DiarizationScore(8.0, 1.0, 1.0, 1.0)
    assert score.error_rate == pytest.approx(3 / 8)


def test_overlap_is_scored_and_borders_are_not_forgiven():
    reference = annotation((0, 4, "A"), (2, 4, "B"))
    score = score_diarization(reference, annotation((0.0, 3.9, "x")), ANNOTATED)
    assert score.total == pytest.approx(6.0)
    assert score.missed_detection == pytest.approx(2.1)


def test_what_was_not_annotated_is_not_scored():
    hypothesis = annotation((0, 4, "x"), (8, 20, "x"))
    score = score_diarization(
        annotation((0, 4, "A")), hypothesis, Timeline([Segment(0, 6)])
    )
    assert score.error == 0.0


def test_files_weigh_their_speech():
    pooled = DiarizationScore(30.0, missed_detection=3.0) + DiarizationScore(
        10.0, confusion=5.0
    )
    assert pooled.error_rate == pytest.approx(8 / 40)
    assert pooled.share(pooled.confusion) == pytest.approx(5 / 40)


@pytest.mark.parametrize(("false_alarm", "rate"), [(0.0, 0.0), (2.0, 1.0)])
def test_a_reference_without_speech_has_a_rate_too(false_alarm, rate):
    assert DiarizationScore(false_alarm=false_alarm).error_rate == rate
