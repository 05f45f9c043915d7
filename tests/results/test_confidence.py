# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Confidence in documents, and turns worth a second listen."""

import numpy as np
import pytest

from pyannote_diarizen.results.confidence import add_confidence
from pyannote_diarizen.results.document import DiarizationDocument
from pyannote_diarizen.results.turns import Turn, doubtful_turns


class Durations:
    """Confidence of a turn: a tenth of its duration."""

    kind = "durations"

    def __call__(self, features, diarization, turns):
        assert diarization.labels() == ["ann", "bob"]
        return np.array([segment.duration / 10 for segment, _ in turns])


@pytest.fixture
def document() -> DiarizationDocument:
    turns = [Turn(0, 8, "ann"), Turn(6, 7, "bob"), Turn(10, 12, "ann")]
    return DiarizationDocument("call", turns, pipeline={"name": "tiny"})


def test_turns_and_speakers(document):
    known = add_confidence(document, Durations(), features=object())
    assert [turn.confidence for turn in known.turns] == [0.8, 0.1, 0.2]
    # the turn of bob is inside that of ann
    assert [turn.confidence for turn in known.exclusive_turns] == [0.8, 0.2]
    confidence = {one.label: one.confidence for one in known.speakers}
    assert confidence == {"ann": pytest.approx(0.68), "bob": pytest.approx(0.1)}
    assert known.pipeline == {"name": "tiny", "confidence": "durations"}
    assert [turn.confidence for turn in document.turns] == [None] * 3


def test_nothing_without_features(document):
    assert add_confidence(document, Durations(), None) is document
    assert add_confidence(document, None, object()) is document


def test_json_lists_the_doubtful_turns(document):
    known = add_confidence(document, Durations(), features=object())
    content = known.to_dict()
    assert content["review"] == [
        {"start": 6.0, "end": 7.0, "speaker": "bob", "confidence": 0.1}
    ]
    assert "review" not in document.to_dict()
    assert DiarizationDocument.from_json(known.to_json()) == known


def test_doubtful_turns_are_a_tenth_of_the_time():
    values = [0.5, 0.1, 0.9, 0.3, None]
    turns = [Turn(5 * i, 5 * i + 4, "ann", value) for i, value in enumerate(values)]
    doubtful = doubtful_turns(turns, share=0.5)
    assert [turn.confidence for turn in doubtful] == [0.1, 0.3]
    assert [turn.confidence for turn in doubtful_turns(turns)] == [0.1]
    assert doubtful_turns(turns[4:]) == []
