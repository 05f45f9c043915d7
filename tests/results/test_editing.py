# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Corrections of the speakers of a document."""

import pytest

from pyannote_diarizen.results.document import DiarizationDocument
from pyannote_diarizen.results.editing import merge_speakers, rename_speakers
from pyannote_diarizen.results.turns import Turn, Word


@pytest.fixture
def document() -> DiarizationDocument:
    turns = [
        Turn(0, 2, "A", 0.9),
        Turn(1.5, 4, "B", 0.5),
        Turn(4, 5, "A", 0.2),
        Turn(4.5, 7, "C"),
    ]
    return DiarizationDocument(
        "call",
        turns,
        words=[Word(0.2, 0.4, "so", "A"), Word(5.1, 5.4, "yes", "C"), Word(8, 9, "?")],
        duration=10,
        speaker_confidence={"A": 0.8, "B": 0.5},
    )


def values(turns):
    return [(turn.start, turn.end, turn.speaker, turn.confidence) for turn in turns]


def test_renamed_everywhere(document):
    renamed = rename_speakers(document, {"A": "Ann", "C": "A"})
    assert [turn.speaker for turn in renamed.turns] == ["Ann", "B", "Ann", "A"]
    assert {turn.speaker for turn in renamed.exclusive_turns} == {"Ann", "B", "A"}
    assert [word.speaker for word in renamed.words] == ["Ann", "A", None]
    assert renamed.speaker_confidence == {"Ann": 0.8, "B": 0.5}
    assert (renamed.uri, renamed.duration) == ("call", 10)
    swapped = rename_speakers(document, {"A": "B", "B": "A"})
    assert rename_speakers(swapped, {"A": "B", "B": "A"}) == document


def test_merged_turns_that_touch_become_one(document):
    merged = merge_speakers(document, "B", "A")
    # the longest of the three, 1.5 to 4 s, has the confidence of all
    assert values(merged.turns) == [(0, 5, "A", 0.5), (4.5, 7, "C", None)]
    assert values(merged.exclusive_turns)[-1][:3] == (4.5, 7, "C")
    assert merged.speaker_confidence == {}
    assert [word.speaker for word in merged.words] == ["A", "C", None]


@pytest.mark.parametrize(
    ("edit", "arguments", "message"),
    [
        (rename_speakers, [{"Ann": "Bob"}], "'call' has no speaker Ann, but A, B, C"),
        (rename_speakers, [{"A": "B"}], "would be called B: merge them instead"),
        (rename_speakers, [{"A": "X", "B": "X"}], "would be called X"),
        (merge_speakers, ["A", "X"], "no speaker X"),
        (merge_speakers, ["A", "A"], "into the same speaker"),
        (rename_speakers, [{"A": " "}], "should be a text that is not empty"),
    ],
)
def test_wrong_names(document, edit, arguments, message):
    with pytest.raises(ValueError, match=message):
        edit(document, *arguments)
