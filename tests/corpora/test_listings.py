# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Wrong lines are reported; the other lines are read as pyannote.database does."""

from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from pyannote.database.util import load_rttm, load_uem

from pyannote_diarizen.corpora.listings import (
    read_lst,
    read_rttm,
    read_scp,
    read_uem,
    read_wav_scp,
)
from pyannote_diarizen.errors import AudioFileError

READERS = {".rttm": read_rttm, ".uem": read_uem, ".lst": read_lst, ".scp": read_scp}


def findings(folder: Path, suffix: str, content: str) -> list[tuple]:
    path = folder / f"file{suffix}"
    path.write_text(content)
    return [
        (found.line, found.status, f"{found.text}: {found.remedy}")
        for found in READERS[suffix](path).findings
    ]


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
    assert listing.findings == []
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
    assert listing.findings == []
    ours = {(region.uri, region.start, region.end) for region in listing.items}
    theirs = {
        (u, *segment) for u, regions in load_uem(path).items() for segment in regions
    }
    assert ours == theirs


@pytest.mark.parametrize(
    ("line", "message"),
    [
        (speaker(start="nan"), "start in seconds, at least 0, got 'nan'"),
        (speaker(start="-1"), "got '-1'"),
        (speaker(duration="1,5"), "duration in seconds, at least 0, got '1,5'"),
        (speaker(duration="inf"), "got 'inf'"),
        (speaker(start="1_0"), "got '1_0'"),
        (speaker(start="\u0661"), "got '\u0661'"),
        (speaker().replace(" 1 ", ' "1" ', 1), "a quotation mark would join lines"),
        ("SPKR-INFO a 1 x <NA> <NA> u A <NA> <NA>\n", "<NA> or numbers as times, got"),
        ("SPKR-INFO a b c d e f g h i j\n", "expected at most 10 fields"),
        ('LEXEME a 1 0 1 "yes <NA> A <NA> <NA>\n', "would join lines"),
        (
            speaker(name="<NA>"),
            "speaker is called '<NA>', which is read as a missing value",
        ),
        (speaker(name="None"), "read as a missing value: rename"),
        (speaker(uri="nan"), "recording is called 'nan'"),
        (speaker(name='"A"'), "remove the quotation mark"),
        (speaker(name="Mr A B"), "got 12 fields: remove spaces from names"),
        ("SPEAKER monday 1 0 1\n", "got 5 fields"),
        ("monday 0 1 A\n", "begins with SPEAKER, got 'monday 0 1 A'"),
        (";; a comment\n", "delete it"),
        (speaker().lower(), "begins with SPEAKER, got 'speaker monday"),
        ("\f" + speaker(), r"got '\x0cSPEAKER monday"),
        (speaker(name="Mr\u2028A"), r"called 'Mr\u2028A', with an invisible character"),
        (speaker(uri="mon\xa0day"), r"called 'mon\xa0day', with an invisible"),
    ],
)
def test_turns_with_errors(tmp_path, line, message):
    ((number, status, text),) = findings(tmp_path, ".rttm", speaker("7", "1") + line)
    assert (number, status) == (2, "error")
    assert message in text


def test_all_errors_of_a_line_are_reported(tmp_path):
    found = findings(tmp_path, ".rttm", speaker("x", "y", "NA"))
    assert [line for line, _, _ in found] == [1, 1, 1]


@pytest.mark.parametrize(
    ("second", "message"),
    [
        (speaker(), "the turn repeats another turn of 'A', line 1: delete it"),
        (
            speaker("2.9"),
            "overlaps another turn of 'A', line 1: merge the two, which count once",
        ),
        (speaker(duration="0", name="B"), "lasts 0 s and is ignored"),
    ],
)
def test_turns_with_warnings(tmp_path, second, message):
    ((number, status, text),) = findings(tmp_path, ".rttm", speaker() + second)
    assert (number, status) == (2, "warning")
    assert message in text


def test_turns_of_several_speakers_may_overlap(tmp_path):
    lines = [speaker(), speaker("3.0"), speaker("2.0", name="B"), speaker(uri="x")]
    assert findings(tmp_path, ".rttm", "".join(lines)) == []


@pytest.mark.parametrize(
    ("suffix", "content", "message"),
    [
        (".uem", "monday 1 9 3\n", "ends at 3 s, before it begins at 9 s"),
        (".uem", "monday 1 3 3\n", "swap the two"),
        (".uem", "monday 1 0 nan\n", "end in seconds, at least 0, got 'nan'"),
        (".uem", 'monday "1 0 3\n', "a quotation mark would join lines"),
        (".uem", ";; NIST\n", "expected `recording channel start end`"),
        (".uem", "monday 0 30\n", "expected `recording channel start end`"),
        (".lst", "\n", "a blank line is read as a name"),
        (".lst", "monday morning\n", "one name without spaces"),
        (".lst", "mon\x0cday\n", "with an invisible character"),
        (".lst", "mon\ufeffday\n", "'mon\\ufeffday', with an invisible"),
        (".scp", "monday\n", "the path of its audio"),
        (".scp", "monday\xa0a.wav\n", "the path of its audio"),
        (".scp", "monday flac -dc a.flac |\n", "audio from a command"),
    ],
)
def test_other_lines_with_errors(tmp_path, suffix, content, message):
    ((number, status, text),) = findings(tmp_path, suffix, content)
    assert (number, status) == (1, "error")
    assert message in text


def test_overlapping_regions_give_a_warning(tmp_path):
    ((number, status, text),) = findings(
        tmp_path, ".uem", "a 1 5 9\na 1 0 6\nb 1 0 9\n"
    )
    assert (number, status) == (1, "warning")
    assert "overlaps line 2" in text


@pytest.mark.parametrize("suffix", [".lst", ".scp"])
def test_a_recording_is_listed_once(tmp_path, suffix):
    line = "monday" if suffix == ".lst" else "monday a.wav"
    ((number, _, text),) = findings(tmp_path, suffix, f"{line}\n{line}\n")
    assert number == 2
    assert "twice" in text


def test_a_byte_order_mark_is_reported(tmp_path):
    path = tmp_path / "file.lst"
    path.write_bytes(b"\xef\xbb\xbfmonday\r\ntuesday\r\n")
    listing = read_lst(path)
    assert [recording.uri for recording in listing.items] == ["monday", "tuesday"]
    (finding,) = listing.findings
    assert (finding.line, finding.status) == (1, "error")
    assert "byte-order mark" in finding.text


@pytest.mark.parametrize("end", ["\n", "\r\n", "\r"])
def test_lines_end_as_for_the_host(tmp_path, end):
    path = tmp_path / "file.rttm"
    lines = [speaker(name="A\u200dB"), speaker(start="5", name="\u0627\u200c\u0628")]
    path.write_bytes(end.join("".join(lines).splitlines()).encode())
    listing = read_rttm(path)
    assert listing.findings == []
    assert [turn.line for turn in listing.items] == [1, 2]
    labels = load_rttm(path)["monday"].labels()
    assert sorted(turn.speaker for turn in listing.items) == sorted(labels)


def test_a_path_may_start_at_home(tmp_path, monkeypatch):
    monkeypatch.setenv("HOME", str(tmp_path))
    (tmp_path / "wav.scp").write_text("a ~/my call.wav\n")
    recordings = read_wav_scp(tmp_path / "wav.scp")
    assert recordings == {"a": tmp_path / "my call.wav"}


def test_a_binary_file_is_reported(tmp_path):
    path = tmp_path / "file.rttm"
    path.write_bytes(b"RIFF\xff\xfe\x00")
    (finding,) = read_rttm(path).findings
    assert str(finding).startswith(f"'{path}': is not text in UTF-8")


@pytest.mark.parity
def test_lists_of_the_original_have_no_error(parity):
    folder = parity / "dataset"
    assert read_uem(folder / "all.uem").findings == []
    assert read_scp(folder / "wav.scp").findings == []
    turns = read_rttm(folder / "rttm")
    assert len(turns.items) == len((folder / "rttm").read_text().splitlines())
    assert not any(found.status == "error" for found in turns.findings)


def test_wav_scp_gives_names_and_paths_in_order(tmp_path):
    path = tmp_path / "wav.scp"
    path.write_text("b /audio/b.wav\n\na\t/audio/my call.flac  \n")
    assert list(read_wav_scp(path).items()) == [
        ("b", Path("/audio/b.wav")),
        ("a", Path("/audio/my call.flac")),
    ]


def test_relative_paths_start_here_or_beside_the_list(tmp_path, monkeypatch):
    folder = tmp_path / "data"
    folder.mkdir()
    (folder / "beside.wav").touch()
    (tmp_path / "here.wav").touch()
    (folder / "here.wav").touch()
    path = folder / "wav.scp"
    path.write_text("a beside.wav\nb here.wav\nc nowhere.wav\n")
    monkeypatch.chdir(tmp_path)
    assert read_wav_scp(path) == {
        "a": folder / "beside.wav",
        "b": Path("here.wav"),
        "c": Path("nowhere.wav"),
    }


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"a /a.wav\nb\n", "line 2: expected .* got 'b'"),
        (b"a sph2pipe -f wav /a.sph |\n", "line 1: audio from a command"),
        (b"a /a.wav\na /b.wav\n", "line 2: 'a' is in the list twice"),
        (b"RIFF\xff\xfe\x00", "in UTF-8"),
    ],
)
def test_a_wav_scp_with_an_error_is_refused(tmp_path, content, message):
    path = tmp_path / "wav.scp"
    path.write_bytes(content)
    with pytest.raises(AudioFileError, match=rf"wav\.scp'.*{message}"):
        read_wav_scp(path)


@pytest.mark.parity
def test_wav_scp_of_the_original(parity):
    recordings = read_wav_scp(parity / "dataset" / "wav.scp")
    assert recordings
    for name, audio in recordings.items():
        assert audio.is_file(), name


WORDS = ["SPKR-INFO", ";;", "NA", "None", "1_0", "٣", "1.", '"a"', "é", "inf", "\ufeff"]
SPACES = [" ", "\t", "\n", "\r", "\f", "\v", "\x1c", "\x85", "\xa0", "\u2028", "\u3000"]


@given(
    st.lists(
        st.tuples(
            st.integers(0, 9), st.sampled_from([None] * 9 + WORDS),
            st.integers(0, 9), st.sampled_from(SPACES + [" "] * 20),
        ),
        min_size=1, max_size=3,
    )
)  # fmt: skip
@settings(
    max_examples=100,
    deadline=None,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
def test_lines_without_errors_are_read_alike_by_the_host(tmp_path, changes):
    """One field, and the space after one field, are replaced in each line."""
    text = ""
    for field, word, gap, space in changes:
        fields = speaker().split()
        fields[field] = word or fields[field]
        gaps = [" "] * 9 + ["\n"]
        gaps[gap] = space if gap < 9 else "\n"
        text += "".join(map("".join, zip(fields, gaps, strict=True)))
    path = tmp_path / "file.rttm"
    path.write_bytes(text.encode())
    listing = read_rttm(path)
    if any(finding.status == "error" for finding in listing.findings):
        return
    ours = [(turn.uri, turn.start, turn.end, turn.speaker) for turn in listing.items]
    theirs = [
        (uri, turn.start, turn.end, label)
        for uri, annotation in load_rttm(path).items()
        for turn, _, label in annotation.itertracks(yield_label=True)
    ]
    assert sorted(ours) == sorted(theirs)


def test_a_very_long_name_is_not_printed_whole(tmp_path):
    path = tmp_path / "a.lst"
    path.write_text(2 * f"{'x' * 100_000}\n")
    (finding,) = read_lst(path).findings
    assert "xxx..." in str(finding)
    assert len(str(finding)) < 1500


def test_a_path_that_is_too_long_is_an_error_of_its_line(tmp_path):
    path = tmp_path / "wav.scp"
    path.write_text(f"monday {'x' * 100_000}\n")
    (finding,) = read_scp(path).findings
    assert finding.line == 1
    assert "is no path: File name too long" in finding.text
