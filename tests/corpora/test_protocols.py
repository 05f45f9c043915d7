# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Protocols by name."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from pyannote.audio.utils.protocol import check_protocol
from pyannote.core import Segment
from pyannote.database import registry

from pyannote_diarizen.corpora.protocols import (
    find_protocol,
    load_protocol,
    subset_files,
)

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


def test_files_without_uem_are_annotated_as_a_whole(database: Path):
    soundfile.write(database.parent / "monday.wav", np.zeros(12000), 8000)
    protocol, _ = check_protocol(load_protocol(NAME, database))
    monday = next(protocol.train())
    assert [*monday["annotated"]] == [Segment(0, 1.5)]
    # the host has none of it, and stops at that when it trains
    assert next(registry.get_protocol(NAME).train())["annotated"] is None


def test_a_file_without_audio_and_uem_has_no_annotated_region(database: Path):
    monday, _ = subset_files(load_protocol(NAME, database), "train")
    assert monday["annotated"] is None


@pytest.mark.parametrize("uem", ["all.uem", "{uri}.uem"])
def test_a_uem_file_defines_annotated_regions(database: Path, uem: str):
    text = database.read_text().replace(
        "train.lst", f"train.lst\n          annotated: '{uem}'"
    )
    database.write_text(text)
    for name in ("all", "monday", "tuesday"):
        (database.parent / f"{name}.uem").write_text("monday 1 0.25 0.75\n")
    monday, _ = subset_files(load_protocol(NAME, database), "train")
    assert [*monday["annotated"]] == [Segment(0.25, 0.75)]


def test_files_come_with_their_audio(database: Path):
    monday, tuesday = subset_files(load_protocol(NAME, database), "train")
    assert (monday["uri"], tuesday["uri"]) == ("monday", "tuesday")
    assert tuesday["audio"] == database.parent / "tuesday.wav"
    with pytest.raises(FileNotFoundError, match="monday"):
        monday["audio"]


@pytest.mark.parametrize("name", ["Talks", "Talks.SpeakerDiarization.Other", "a.b.c"])
def test_unknown_names_list_the_known_ones(database: Path, name: str):
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


def test_a_database_that_was_deleted_is_ignored(database: Path):
    load_protocol(NAME, database)
    database.unlink()
    with pytest.raises(ValueError, match=r"no protocol called 'A\.B\.C'"):
        find_protocol("A.B.C")
