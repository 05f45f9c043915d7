# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Protocols by name."""

from pathlib import Path

import pytest

from pyannote_diarizen.data.protocols import load_protocol, subset_files

YML = """
Databases:
  Talks: ./{uri}.wav
Protocols:
  Talks:
    SpeakerDiarization:
      Listed:
        scope: database
        train:
          uri: train.lst
"""
NAME = "Talks.SpeakerDiarization.Listed"


# the registry, which all tests share, warns of databases that replace others
pytestmark = pytest.mark.filterwarnings("ignore:Replacing existing")


@pytest.fixture
def database(tmp_path: Path) -> Path:
    (tmp_path / "train.lst").write_text("monday\ntuesday\n")
    (tmp_path / "tuesday.wav").touch()
    path = tmp_path / "database.yml"
    path.write_text(YML)
    return path


def test_files_come_with_their_audio(database: Path):
    monday, tuesday = subset_files(load_protocol(NAME, database), "train")
    assert (monday["uri"], tuesday["uri"]) == ("monday", "tuesday")
    assert tuesday["audio"] == database.parent / "tuesday.wav"
    with pytest.raises(FileNotFoundError, match="monday"):
        monday["audio"]


@pytest.mark.parametrize("name", ["Talks", "Talks.SpeakerDiarization.Other", "a.b.c"])
def test_unknown_names_are_told_beside_those_that_exist(database: Path, name: str):
    with pytest.raises(ValueError, match=NAME):
        load_protocol(name, database)


def test_missing_subset(database: Path):
    protocol = load_protocol(NAME, database)
    with pytest.raises(ValueError, match="no development subset"):
        subset_files(protocol, "development")
    with pytest.raises(ValueError, match="one of train, development, test"):
        subset_files(protocol, "dev")


def test_missing_database(tmp_path: Path):
    with pytest.raises(FileNotFoundError, match="nowhere"):
        load_protocol(NAME, tmp_path / "nowhere.yml")
