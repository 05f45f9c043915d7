# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Turns of labelled files: one speaker at a time, under a name of their own."""

from typing import Any

import numpy as np
import numpy.testing as npt
import pytest
import torch
from pyannote.core import Annotation, Segment, Timeline

from pyannote_diarizen.audio.reader import AudioReader
from pyannote_diarizen.corpora.turns import read_turns, turn_excerpts

RATE = 1000
AUDIO = AudioReader(sample_rate=RATE)


@pytest.fixture
def file() -> dict[str, Any]:
    """Ten seconds whose samples count up; Ann and Bob overlap from 4 s to 5 s."""
    annotation = Annotation(uri="a")
    annotation[Segment(0, 2), 0] = "Ann"
    annotation[Segment(3, 5), 1] = "Ann"
    annotation[Segment(4, 9), 2] = "Bob"
    return {
        "uri": "a",
        "database": "DB",
        "waveform": torch.arange(10.0 * RATE)[None] / 10000,
        "sample_rate": RATE,
        "annotation": annotation,
        "annotated": Timeline([Segment(0, 8)]),
        "scope": "global",
    }


def seconds(waveform: np.ndarray) -> tuple[float, float]:
    """First and last second of a part of the waveform."""
    first, last = np.rint(10000 * waveform[[0, -1]])
    return first / RATE, (last + 1) / RATE


def test_overlap_and_what_nobody_listened_to_are_left_out(file):
    turns = [(speaker, seconds(turn)) for speaker, turn in read_turns(file, AUDIO)]
    assert turns == [("Ann", (0, 2)), ("Ann", (3, 4)), ("Bob", (5, 8))]


@pytest.mark.parametrize(
    ("scope", "name"), [("global", "Ann"), ("database", "DB/Ann"), ("file", "DB/a/Ann")]
)
def test_names_say_where_they_hold(file, scope: str, name: str):
    speakers = {speaker for speaker, _ in read_turns(file | {"scope": scope}, AUDIO)}
    assert speakers == {name, name.replace("Ann", "Bob")}


def test_turns_are_joined_and_cut(file):
    excerpts = list(turn_excerpts(file, AUDIO, duration=2.5, min_duration=0.5))
    assert [(speaker, len(x) / RATE) for speaker, x in excerpts] == [
        ("Ann", 2.5),
        ("Ann", 0.5),
        ("Bob", 2.5),
        ("Bob", 0.5),
    ]
    turns = [turn for speaker, turn in read_turns(file, AUDIO) if speaker == "Ann"]
    joined = np.concatenate([x for speaker, x in excerpts if speaker == "Ann"])
    npt.assert_array_equal(joined, np.concatenate(turns))


def test_what_is_left_over_is_dropped_if_too_short(file):
    excerpts = turn_excerpts(file, AUDIO, duration=2.5, min_duration=0.6)
    assert [len(x) / RATE for _, x in excerpts] == [2.5, 2.5]


def test_a_file_without_labels(file):
    del file["annotation"]
    with pytest.raises(ValueError, match="'a' has no annotation"):
        list(read_turns(file, AUDIO))
