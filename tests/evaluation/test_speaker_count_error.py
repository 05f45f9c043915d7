# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import pytest
from pyannote.core import Annotation, Segment, Timeline

from pyannote_diarizen.evaluation.speaker_count_error import SpeakerCountError


def speech(*labels: str) -> Annotation:
    """One second of each speaker, one after the other."""
    annotation = Annotation()
    for start, label in enumerate(labels):
        annotation[Segment(start, start + 1)] = label
    return annotation


def test_too_many_and_too_few_count_alike():
    metric = SpeakerCountError()
    assert abs(metric) == 0
    assert metric(speech("a", "b"), speech("x", "y", "z")) == 1
    assert metric(speech("a", "b"), speech("x")) == 1
    assert metric(speech("a", "b"), speech("x", "y")) == 0
    assert abs(metric) == pytest.approx(2 / 3)


def test_what_was_not_annotated_does_not_count():
    annotated = Timeline([Segment(0, 2)])
    metric = SpeakerCountError()
    assert metric(speech("a", "b", "c"), speech("x", "y"), uem=annotated) == 0
    assert metric(speech("a", "b"), speech("x", "x", "y"), uem=annotated) == 1
