# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Documents: conversion, JSON and checks."""

import json
import math
from types import SimpleNamespace

import pytest
from pyannote.core import Annotation, Segment

from pyannote_diarizen.results.document import DiarizationDocument, Turn, Word
from pyannote_diarizen.results.overlap import resolve_overlap

TURNS = [
    Turn(2.5, 5.125, "bob", 0.25),
    Turn(0.0, 3.0, "ann <&>"),
    Turn(1, 2, "ann <&>"),
]


def document(**options) -> DiarizationDocument:
    return DiarizationDocument("a call", TURNS, **options)


def test_speakers_come_in_the_order_of_their_first_turns():
    ann, bob = document(speaker_confidence={"bob": 0.5}).speakers
    assert (ann.label, ann.speaking_time, ann.num_turns) == ("ann <&>", 3.0, 2)
    assert (bob.label, bob.confidence) == ("bob", 0.5)


def test_json_is_read_back():
    written = document(
        words=[Word(0.5, 0.5, "yes", "bob"), Word(0.1, 0.25, "Où?", confidence=0.5)],
        duration=6,
        audio="a call.wav",
        pipeline={"name": "x", "settings": {"threshold": 0.5}},
        speaker_confidence={"bob": 0.5},
    )
    text = written.to_json()
    assert DiarizationDocument.from_json(text) == written
    content = json.loads(text)
    assert content == written.to_dict()
    assert (content["format"], content["version"]) == ("pyannote-diarizen", 1)
    assert content["turns"][0] == {"start": 0.0, "end": 3.0, "speaker": "ann <&>"}
    assert content["speakers"][0]["speaking_time"] == 3.0
    assert content["words"][0]["text"] == "Où?"


def test_annotations_and_outputs_are_converted():
    annotation = Annotation(uri="call")
    annotation[Segment(0, 2), "A"] = "ann"
    annotation[Segment(0, 2), "B"] = 3
    annotation[Segment(3, 4)] = "ann"
    converted = DiarizationDocument.from_output(annotation, duration=5.0)
    assert (converted.uri, converted.end) == ("call", 5.0)
    assert converted.turns == (Turn(0, 2, "ann"), Turn(0, 2, "3"), Turn(3, 4, "ann"))
    assert converted.exclusive_turns == (Turn(0, 2, "ann"), Turn(3, 4, "ann"))
    exclusive = Annotation(uri="call")
    exclusive[Segment(0, 2)] = 3
    output = SimpleNamespace(
        speaker_diarization=annotation, exclusive_speaker_diarization=exclusive
    )
    both = DiarizationDocument.from_output(output)
    assert both.turns == converted.turns
    assert both.exclusive_turns == (Turn(0, 2, "3"),)
    assert [*both.annotation().itertracks(yield_label=True)][1][2] == "3"
    assert both.annotation(exclusive=True).labels() == ["3"]
    with pytest.raises(TypeError, match="got str"):
        DiarizationDocument.from_output("call.rttm")


def test_overlap_is_that_of_the_longest_turn(rng):
    starts, durations = rng.uniform(0, 100, 200), rng.exponential(4, 200)
    times = sorted(zip(starts, starts + durations, strict=True))
    turns = [Turn(*time, speaker=str(n)) for n, time in enumerate(times)]
    exclusive = resolve_overlap(turns)
    assert resolve_overlap(exclusive) == exclusive
    for time in rng.uniform(0, 100, 500):
        around = [turn for turn in turns if turn.start <= time < turn.end]
        found = [turn.speaker for turn in exclusive if turn.start <= time < turn.end]
        longest = max(around, key=lambda turn: turn.duration, default=None)
        assert found == ([longest.speaker] if longest else [])


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ((math.nan, 1, "a"), "`start` should be in seconds, at least 0, got nan"),
        ((0, math.inf, "a"), "`end` should be in seconds"),
        ((-1, 1, "a"), "got -1"),
        ((True, 2, "a"), "got True"),
        (("0", 2, "a"), "got '0'"),
        ((2, 1, "a"), "the end, 1.0 s, is before the start, 2.0 s"),
        ((1, 1, "a"), "lasts 0 s"),
        ((0, 3e9, "a"), "is it in milliseconds?"),
        ((0, 1, " "), "`speaker` should be a text that is not empty"),
        ((0, 1, 3), "`speaker` should be a text"),
        ((0, 1, "a", 1.5), "`confidence` should be between 0 and 1, got 1.5"),
    ],
)
def test_wrong_turns_are_refused(values, message):
    with pytest.raises(ValueError, match=message.replace("?", r"\?")):
        Turn(*values)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"format": "other"}, 'expected an object with "format"'),
        ({"version": 2}, "expected version 1 of the format, got 2"),
        ({"turns": {}}, '"turns" should be a list, got {}'),
        ({"turns": [[0, 1]]}, r'number 0 of "turns": expected an object'),
        ({"turns": [{"start": 0, "end": 1}]}, '"speaker" is missing'),
        ({"words": [{"start": 0, "end": "x", "text": "a"}]}, "`end` should be"),
        ({"uri": ""}, "`uri` should be"),
        ({"duration": -1}, "`duration` should be in seconds, got -1"),
        ({"pipeline": []}, '"pipeline" should be'),
        ({"speakers": [3]}, "expected an object, got 3"),
    ],
)
def test_wrong_json_is_refused(change, message):
    content = document().to_dict() | change
    with pytest.raises((TypeError, ValueError), match=message):
        DiarizationDocument.from_json(json.dumps(content))


@pytest.mark.parametrize("text", ["", "[" * 100_000, '{"duration": NaN}', "[1]", "{,}"])
def test_text_that_is_no_document_is_refused(text):
    with pytest.raises(ValueError, match=r"line 1|nested|NaN|expected an object"):
        DiarizationDocument.from_json(text)


def test_other_keys_are_ignored():
    content = document().to_dict() | {"new": 1}
    content["turns"][0]["new"] = 1
    assert DiarizationDocument.from_dict(content) == document()
