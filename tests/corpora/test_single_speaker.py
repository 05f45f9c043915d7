# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Clips and turns of single speakers."""

from pathlib import Path
from typing import Any

import numpy as np
import numpy.testing as npt
import pytest
import torch
from pyannote.core import Annotation, Segment, Timeline

from pyannote_diarizen.audio.reader import AudioReader
from pyannote_diarizen.corpora.single_speaker import (
    clips_of_speakers,
    read_turns,
    turn_excerpts,
)
from pyannote_diarizen.errors import AudioFileError


@pytest.fixture
def team(tmp_path: Path) -> Path:
    for name in ("Ann Lee/1.wav", "Ann Lee/office/2.flac", "Bob.wav", "notes.txt"):
        path = tmp_path / "team" / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    return tmp_path / "team"


def test_names_of_files_and_folders(team: Path):
    clips = clips_of_speakers([team, team / "Ann Lee" / "1.wav"])
    assert clips == [
        ("Ann Lee", team / "Ann Lee" / "1.wav"),
        ("Ann Lee", team / "Ann Lee" / "office" / "2.flac"),
        ("Bob", team / "Bob.wav"),
        ("1", team / "Ann Lee" / "1.wav"),
    ]


def test_a_name_for_all(team: Path):
    assert {name for name, _ in clips_of_speakers([team], name="Eve")} == {"Eve"}


def test_names_that_are_not_text(team: Path):
    with pytest.warns(UserWarning, match=r"'\\udce9va' is not text: .* '\?va'"):
        ((name, _),) = clips_of_speakers([team / "Bob.wav"], name="\udce9va")
    assert name == "?va"


def test_missing_clips(team: Path):
    with pytest.raises(AudioFileError, match="does not exist"):
        clips_of_speakers([team / "Eve.wav"])


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


def test_overlap_and_other_regions_are_left_out(file):
    turns = [(speaker, seconds(turn)) for speaker, turn in read_turns(file, AUDIO)]
    assert turns == [("Ann", (0, 2)), ("Ann", (3, 4)), ("Bob", (5, 8))]


@pytest.mark.parametrize(
    ("scope", "name"), [("global", "Ann"), ("database", "DB/Ann"), ("file", "DB/a/Ann")]
)
def test_names_have_their_scope(file, scope: str, name: str):
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


def test_a_short_rest_is_dropped(file):
    excerpts = turn_excerpts(file, AUDIO, duration=2.5, min_duration=0.6)
    assert [len(x) / RATE for _, x in excerpts] == [2.5, 2.5]


def test_a_file_without_labels(file):
    del file["annotation"]
    with pytest.raises(ValueError, match="'a' has no annotation"):
        list(read_turns(file, AUDIO))
