# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Speakers are called as files and folders are."""

from pathlib import Path

import pytest

from pyannote_diarizen.corpora.clips import clips_of_speakers
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


def test_missing_clips(team: Path):
    with pytest.raises(AudioFileError, match="does not exist"):
        clips_of_speakers([team / "Eve.wav"])
