# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Errors of a diarization in time."""

import numpy as np
import pytest
from pyannote.core import Annotation, Segment, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate

from pyannote_diarizen.evaluation.metrics import score_diarization
from pyannote_diarizen.results import error_analysis
from pyannote_diarizen.results.error_analysis import compare


def annotation(*turns: tuple[float, float, str]) -> Annotation:
    made = Annotation()
    for track, (start, end, speaker) in enumerate(turns):
        made[Segment(start, end), track] = speaker
    return made


def random_turns(rng: np.random.Generator, speakers: str) -> Annotation:
    starts = rng.uniform(0, 100, 60)
    durations = rng.exponential(2, 60) + 0.1
    drawn = rng.choice(list(speakers), 60)
    return annotation(*zip(starts, starts + durations, drawn, strict=True))


def test_each_kind_of_error_has_its_time_and_speakers():
    reference = annotation((0, 4, "ann"), (4, 8, "bob"), (8, 9, "ann"))
    hypothesis = annotation((1, 4, "0"), (4, 8, "1"), (8, 9, "1"), (9, 10, "2"))
    found = compare(reference, hypothesis)
    assert found.mapping == {"0": "ann", "1": "bob"}
    assert [tuple(vars(error).values()) for error in found.errors] == [
        (0, 1, "missed", "ann", None),
        (8, 9, "confusion", "ann", "1"),
        (9, 10, "false alarm", None, "2"),
    ]


def test_a_speaker_in_excess_may_have_the_name_of_another_in_the_reference():
    reference = annotation((0, 4, "a"), (4, 6, "b"))
    hypothesis = annotation((0, 3, "b"), (3, 4, "a"), (4, 6, "c"))
    (error,) = compare(reference, hypothesis).errors
    assert tuple(vars(error).values()) == (3, 4, "confusion", "a", "a")


@pytest.mark.parametrize("block", [7.0, 1000.0])
def test_sums_and_mapping_are_those_of_pyannote_metrics(rng, monkeypatch, block):
    monkeypatch.setattr(error_analysis, "_BLOCK_DURATION", block)
    reference, hypothesis = random_turns(rng, "abc"), random_turns(rng, "abxy")
    found = compare(reference, hypothesis)
    expected = score_diarization(reference, hypothesis, Timeline([Segment(0, 200)]))
    np.testing.assert_allclose(
        list(vars(found.score).values()), list(vars(expected).values())
    )
    metric = DiarizationErrorRate()
    mapping = metric.optimal_mapping(reference.support(), hypothesis.support())
    assert found.mapping == mapping


def test_blocks_leave_no_border(monkeypatch):
    monkeypatch.setattr(error_analysis, "_BLOCK_DURATION", 1.0)
    (error,) = compare(annotation((0, 9.5, "a")), Annotation()).errors
    assert (error.start, error.end) == (0, 9.5)


def test_silence_has_no_error():
    assert compare(Annotation(), Annotation()).errors == []
    assert compare(Annotation(), annotation((0, 1, "a"))).mapping == {}
