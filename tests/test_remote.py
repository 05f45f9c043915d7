# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Files at addresses."""

import sys
from pathlib import Path

import pytest
from addresses import memory, served  # noqa: F401
from fsspec.implementations.memory import MemoryFile

from pyannote_diarizen.errors import (
    AudioFileError,
    MissingAudioFileError,
    MissingPackagesError,
)
from pyannote_diarizen.remote import RemotePath, parse_path


@pytest.mark.parametrize("text", ["a.wav", "/a/b.wav", "C:/a.wav", "a:b//c.wav"])
def test_paths_are_no_addresses(text):
    assert parse_path(text) == Path(text)


def test_addresses_are_no_paths():
    assert parse_path("file:///a/b.wav") == Path("/a/b.wav")
    address = parse_path("https://host/calls/a.WAV?token=b.c")
    assert address == RemotePath("https://host/calls/a.WAV?token=b.c")
    assert (address.plain.as_posix(), address.suffix) == ("/host/calls/a.WAV", ".WAV")
    assert RemotePath("s3://calls/a#1?.wav").plain.as_posix() == "/calls/a#1?.wav"


def test_audio_of_a_folder_is_found(memory):  # noqa: F811
    for name in ("b.wav", "sub/a.FLAC", ".hidden.wav", "text.txt"):
        memory.pipe_file(f"/calls/{name}", b"some")
    memory.pipe_file("/other/call", b"some")
    suffixes = (".wav", ".flac")
    found = RemotePath("memory://calls").list_audio(suffixes)
    assert [each.plain.name for each in found] == ["b.wav", "a.FLAC"]
    (call,) = RemotePath("memory://other/call").list_audio(suffixes)
    assert call.read_bytes() == b"some"
    for missing in ("memory://gone", "memory://other"):
        with pytest.raises(AudioFileError, match=f"'{missing}' does not exist, or"):
            RemotePath(missing).list_audio(suffixes)


def test_files_of_http_are_fetched(served, tmp_path):  # noqa: F811
    folder, url = served
    (folder / "a.wav").write_bytes(b"samples")
    local = RemotePath(f"{url}/a.wav").fetch(tmp_path)
    assert (local.name, local.read_bytes()) == ("a.wav", b"samples")
    with pytest.raises(MissingAudioFileError, match=r"gone\.wav' does not exist"):
        RemotePath(f"{url}/gone.wav").fetch(tmp_path)


def test_an_address_that_does_not_answer(tmp_path):
    pytest.importorskip("aiohttp")
    with pytest.raises(AudioFileError, match=r"'http://127\.0\.0\.1:1/a\.wav' cannot"):
        RemotePath("http://127.0.0.1:1/a.wav").fetch(tmp_path)


def test_http_is_read_only(served):  # noqa: F811
    _, url = served
    with pytest.raises(OSError, match=f"'{url}/out' cannot be written, NotImpl"):
        RemotePath(f"{url}/out").check_writable()


def test_a_file_is_written_whole_or_not_at_all(memory, monkeypatch):  # noqa: F811
    path = RemotePath("memory://out/a.rttm")
    path.write_bytes(b"first")
    version = path.checksum()

    def fail(*_: object) -> None:
        raise OSError(28, "No space left on device")

    with monkeypatch.context() as patched:
        patched.setattr(MemoryFile, "write", fail)
        with pytest.raises(OSError, match=r"a\.rttm' cannot be written, .* No space"):
            path.write_bytes(b"second")
    assert path.read_bytes() == b"first"
    assert path.checksum() == version


def test_a_check_leaves_no_file(memory):  # noqa: F811
    RemotePath("memory://out").check_writable()
    assert memory.find("/") == []
    assert RemotePath("memory://out/finished").read_folder() == []


def test_folders_are_read_whatever_the_names(memory):  # noqa: F811
    memory.pipe({"/out/call[1].json": b"one", "/out/call1.json": b"two"})
    assert sorted(RemotePath("memory://out").read_folder()) == [b"one", b"two"]


def test_protocols_need_packages(monkeypatch):
    with pytest.raises(ValueError, match=r"'none://a\.wav' cannot be read: Protocol"):
        RemotePath("none://a.wav").list_audio([".wav"])
    monkeypatch.setitem(sys.modules, "fsspec.core", None)
    with pytest.raises(MissingPackagesError, match=r"pyannote-diarizen\[remote\]"):
        RemotePath("memory://a.wav").read_bytes()
