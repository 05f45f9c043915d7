# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Lines that are wrong are named, and the others read as pyannote.database does."""

from pathlib import Path

import pytest
from pyannote.database.util import load_rttm, load_uem

from pyannote_diarizen.corpora.listings import read_lst, read_rttm, read_scp, read_uem

READERS = {".rttm": read_rttm, ".uem": read_uem, ".lst": read_lst, ".scp": read_scp}


def defects(folder: Path, suffix: str, content: str) -> list[tuple]:
    path = folder / f"file{suffix}"
    path.write_text(content)
    found = READERS[suffix](path).defects
    return [(defect.line, defect.severe, defect.text) for defect in found]


def speaker(start="1.0", duration="2.0", name="A", uri="monday") -> str:
    return f"SPEAKER {uri} 1 {start} {duration} <NA> <NA> {name} <NA> <NA>\n"


def test_turns_are_those_of_the_host(tmp_path):
    path = tmp_path / "file.rttm"
    path.write_text(
        "SPKR-INFO monday 1 <NA> <NA> <NA> unknown A <NA> <NA>\n"
        + speaker()
        + speaker("2.5", "0.125", "B", "tuesday")
        + "\n"
        + "SPEAKER monday 1 9 1.5 <NA> <NA> 12\n"
    )
    listing = read_rttm(path)
    assert listing.defects == []
    ours = {(t.uri, t.start, t.end, t.speaker) for t in listing.items}
    theirs = {
        (uri, segment.start, segment.end, label)
        for uri, annotation in load_rttm(path).items()
        for segment, _, label in annotation.itertracks(yield_label=True)
    }
    assert ours == theirs
    assert [turn.line for turn in listing.items] == [2, 3, 5]


def test_regions_are_those_of_the_host(tmp_path):
    path = tmp_path / "file.uem"
    path.write_text("monday 1 0.5 30\nmonday 1 40 50.25\ntuesday NA 0 9\n")
    listing = read_uem(path)
    assert listing.defects == []
    ours = {(region.uri, region.start, region.end) for region in listing.items}
    theirs = {
        (u, *segment) for u, regions in load_uem(path).items() for segment in regions
    }
    assert ours == theirs


@pytest.mark.parametrize(
    ("line", "told"),
    [
        (speaker(start="nan"), "start in seconds, from 0, got 'nan'"),
        (speaker(start="-1"), "got '-1'"),
        (speaker(duration="1,5"), "duration in seconds, from 0, got '1,5'"),
        (speaker(duration="inf"), "got 'inf'"),
        (speaker(name="<NA>"), "speaker is called '<NA>', which is read as none"),
        (speaker(name="None"), "read as none: rename"),
        (speaker(uri="nan"), "recording is called 'nan'"),
        (speaker(name='"A"'), "take the quotation mark out"),
        (speaker(name="Mr A B"), "got 12 fields: are there spaces in a name?"),
        ("SPEAKER monday 1 0 1\n", "got 5 fields"),
        ("monday 0 1 A\n", "begins with SPEAKER, got 'monday 0 1 A'"),
        (";; a comment\n", "delete it"),
    ],
)
def test_turns_that_cannot_be_used(tmp_path, line, told):
    ((number, severe, text),) = defects(tmp_path, ".rttm", speaker("7", "1") + line)
    assert (number, severe) == (2, True)
    assert told in text


def test_all_that_is_wrong_in_a_line_is_told(tmp_path):
    found = defects(tmp_path, ".rttm", speaker("x", "y", "NA"))
    assert [line for line, _, _ in found] == [1, 1, 1]


@pytest.mark.parametrize(
    ("second", "told"),
    [
        (speaker(), "'A' repeats their own turn of line 1: delete it."),
        (speaker("2.9"), "'A' overlaps with their own turn of line 1: merge the two."),
        (speaker(duration="0", name="B"), "lasts 0 s and is ignored"),
    ],
)
def test_turns_that_are_odd(tmp_path, second, told):
    ((number, severe, text),) = defects(tmp_path, ".rttm", speaker() + second)
    assert (number, severe) == (2, False)
    assert told in text


def test_turns_that_meet_or_overlap_with_others_are_right(tmp_path):
    lines = [speaker(), speaker("3.0"), speaker("2.0", name="B"), speaker(uri="x")]
    assert defects(tmp_path, ".rttm", "".join(lines)) == []


@pytest.mark.parametrize(
    ("suffix", "content", "told"),
    [
        (".uem", "monday 1 9 3\n", "ends at 3 s, before it begins at 9 s"),
        (".uem", "monday 1 3 3\n", "swap the two?"),
        (".uem", "monday 1 0 nan\n", "end in seconds, from 0, got 'nan'"),
        (".uem", ";; NIST\n", "expected `recording channel start end`"),
        (".uem", "monday 0 30\n", "expected `recording channel start end`"),
        (".lst", "\n", "a blank line is taken for a name"),
        (".lst", "monday morning\n", "one name, without spaces"),
        (".scp", "monday\n", "the path of its audio"),
        (".scp", "monday flac -dc a.flac |\n", "audio from a command"),
    ],
)
def test_other_lines_that_cannot_be_used(tmp_path, suffix, content, told):
    ((number, severe, text),) = defects(tmp_path, suffix, content)
    assert (number, severe) == (1, True)
    assert told in text


def test_regions_that_overlap_are_odd(tmp_path):
    ((number, severe, text),) = defects(tmp_path, ".uem", "a 1 5 9\na 1 0 6\nb 1 0 9\n")
    assert (number, severe) == (1, False)
    assert "overlaps with line 2" in text


@pytest.mark.parametrize("suffix", [".lst", ".scp"])
def test_a_recording_is_listed_once(tmp_path, suffix):
    line = "monday" if suffix == ".lst" else "monday a.wav"
    ((number, _, text),) = defects(tmp_path, suffix, f"{line}\n{line}\n")
    assert number == 2
    assert "twice" in text


def test_an_invisible_mark_is_told(tmp_path):
    path = tmp_path / "file.lst"
    path.write_bytes(b"\xef\xbb\xbfmonday\r\ntuesday\r\n")
    listing = read_lst(path)
    assert [recording.uri for recording in listing.items] == ["monday", "tuesday"]
    (defect,) = listing.defects
    assert (defect.line, defect.severe) == (1, True)
    assert "invisible mark" in defect.text


def test_what_is_no_text_is_told(tmp_path):
    path = tmp_path / "file.rttm"
    path.write_bytes(b"RIFF\xff\xfe\x00")
    (defect,) = read_rttm(path).defects
    assert str(defect).startswith(f"'{path}': should be a list in UTF-8")


@pytest.mark.parity
def test_lists_of_the_original_are_right(parity):
    folder = parity / "dataset"
    assert read_uem(folder / "all.uem").defects == []
    assert read_scp(folder / "wav.scp").defects == []
    turns = read_rttm(folder / "rttm")
    assert len(turns.items) == len((folder / "rttm").read_text().splitlines())
    assert not any(defect.severe for defect in turns.defects)
