# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Protocols by name."""

import pickle
from pathlib import Path

import numpy as np
import pytest
import soundfile
from pyannote.audio.utils.protocol import check_protocol
from pyannote.core import Annotation, Segment
from pyannote.database import registry

from pyannote_diarizen.corpora.database import find_protocol
from pyannote_diarizen.corpora.protocols import (
    load_protocol,
    merge_turns,
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
    registry.load_database(database)
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
    registry.load_database(database)
    database.unlink()
    with pytest.raises(ValueError, match=r"no protocol called 'A\.B\.C'"):
        find_protocol("A.B.C")


def other_database(folder: Path, uri: str) -> Path:
    """Another file that defines the protocol, with one recording."""
    folder.mkdir()
    (folder / "train.lst").write_text(f"{uri}\n")
    soundfile.write(folder / f"{uri}.wav", np.zeros(8000), 8000)
    path = folder / "database.yml"
    path.write_text(YML)
    return path


def test_the_given_file_defines_the_protocol(tmp_path):
    first = other_database(tmp_path / "first", "monday")
    second = other_database(tmp_path / "second", "friday")
    registry.load_database(second)
    for path, uri in ((first, "monday"), (second, "friday"), (first, "monday")):
        (file,) = subset_files(load_protocol(NAME, path), "train")
        assert (file["uri"], file["audio"].parent) == (uri, path.parent)
    empty = tmp_path / "empty.yml"
    empty.write_text("Protocols: {}")
    with pytest.raises(ValueError, match="no protocol called"):
        load_protocol(NAME, empty)


def test_audio_may_be_defined_in_another_file(tmp_path, database):
    other = other_database(tmp_path / "other", "monday")
    registry.load_database(other)
    database.write_text(YML.replace("Databases:\n  Talks: ./{uri}.wav\n", ""))
    train = find_protocol(NAME, database).subsets(NAME)["train"]
    assert train.audio == {"monday": other.parent / "monday.wav"}
    monday, _ = subset_files(load_protocol(NAME, database), "train")
    assert monday["audio"] == other.parent / "monday.wav"


def test_names_of_recordings_are_no_wildcards(database: Path):
    (database.parent / "train.lst").write_text("rec[1]\n")
    (database.parent / "rec1.wav").touch()
    database.write_text(YML.replace("./{uri}", "./*/{uri}"))
    (file,) = subset_files(load_protocol(NAME, database), "train")
    with pytest.raises(FileNotFoundError, match=r"rec\[1\]' is missing"):
        file["audio"]


TURN = "SPEAKER monday 1 {} {} <NA> <NA> {} <NA> <NA>\n"


@pytest.mark.parametrize(
    "turns", [((1, 2), (2.5, 1)), ((1, 2.5), (1, 2.5)), ((1, 2.5), (2, 1))]
)
def test_overlapping_turns_of_a_speaker_count_once(database: Path, turns):
    database.write_text(
        YML.replace("train.lst", "train.lst\n          annotation: a.rttm")
    )
    lines = [TURN.format(*turn, "A") for turn in turns]
    lines += [TURN.format(1.5, 1, "B"), TURN.format(4, 1, "A"), TURN.format(5, 1, "A")]
    (database.parent / "a.rttm").write_text("".join(lines))
    monday, _ = subset_files(load_protocol(NAME, database), "train")
    assert monday["annotation"].label_duration("A") == 4.5
    assert monday["annotation"].label_duration("B") == 1


def test_other_annotations_are_not_changed():
    annotation = Annotation()
    for start in (0, 1, 3):
        annotation[Segment(start, start + 1)] = "A"
    annotation[Segment(0, 4), 1] = "B"
    assert merge_turns(annotation) is annotation


def test_a_protocol_can_be_sent_to_another_process(database: Path):
    protocol = load_protocol(NAME, database)
    again = pickle.loads(pickle.dumps(protocol))
    files, others = subset_files(protocol, "train"), subset_files(again, "train")
    assert [file["uri"] for file in files] == [file["uri"] for file in others]
    assert others[1]["audio"] == files[1]["audio"]


COMBINED = """
Requirements: database.yml
Protocols:
  X:
    SpeakerDiarization:
      Both:
        train: {Talks.SpeakerDiarization.Listed: [train]}
        development: {Talks.SpeakerDiarization.Listed: [train]}
"""


def test_protocols_of_x_combine_others(database: Path):
    path = database.parent / "x.yml"
    path.write_text(COMBINED)
    protocol = load_protocol("X.SpeakerDiarization.Both", path)
    assert [file["uri"] for file in subset_files(protocol, "train")] == [
        *("monday", "tuesday")
    ]
    assert subset_files(protocol, "development")[1]["audio"].name == "tuesday.wav"
    assert subset_files(protocol, "train")[0]["scope"] == "database"
    with pytest.raises(ValueError, match="no test subset"):
        subset_files(protocol, "test")
    found = find_protocol("X.SpeakerDiarization.Both", path)
    assert found.subsets("X.SpeakerDiarization.Both")["train"].uris == [
        *("monday", "tuesday")
    ]


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("[train]", "[train, train]", "twice: its recordings would count twice"),
        ("[train]", "train", "should have a list of subsets, got 'train'"),
        ("[train]", "[dev]", "should have a list of subsets, got"),
        ("[train]", "[test]", "has no test subset"),
        ("Listed:", "Unlisted:", "'Talks.SpeakerDiarization.Unlisted' is no known"),
        ("Talks.SpeakerDiarization.Listed", "X.SpeakerDiarization.Both", "combines"),
    ],
)
def test_protocols_of_x_with_errors(database: Path, old, new, message):
    path = database.parent / "x.yml"
    path.write_text(COMBINED.replace(old, new))
    name = "X.SpeakerDiarization.Both"
    found = map(str, find_protocol(name, path).subsets(name)["train"].findings)
    (finding,) = (each for each in found if message in each)
    assert finding.startswith(f"'{path}', line 7: train of X")
    if new in ("train", "Unlisted:"):
        with pytest.raises(ValueError, match=r"line 7: .* subsets of a known"):
            load_protocol(name, path)
