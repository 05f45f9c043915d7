# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
from pathlib import Path

import pytest

from pyannote_diarizen.corpora.wav_scp import read_wav_scp
from pyannote_diarizen.errors import AudioFileError


def test_names_and_paths_in_order(tmp_path):
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
def test_lines_that_cannot_be_read_are_named(tmp_path, content, message):
    path = tmp_path / "wav.scp"
    path.write_bytes(content)
    with pytest.raises(AudioFileError, match=rf"wav\.scp'.*{message}"):
        read_wav_scp(path)


@pytest.mark.parity
def test_list_of_the_original(parity):
    recordings = read_wav_scp(parity / "dataset" / "wav.scp")
    assert recordings
    for name, audio in recordings.items():
        assert audio.is_file(), name
