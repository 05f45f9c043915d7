# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Files and folders that are either whole or absent."""

from pathlib import Path

import pytest

from pyannote_diarizen.atomic import new_folder, recording_path, replacing


def _write_half(path: Path) -> None:
    with replacing(path) as temporary:
        temporary.write_text("ha")
        raise OSError("disk full")


def test_a_whole_file_takes_the_place_of_the_old_one(tmp_path):
    path = tmp_path / "new folder" / "a.rttm"
    for text in ("old", "new"):
        with replacing(path) as temporary:
            temporary.write_text(text)
    assert path.read_text() == "new"
    assert list(path.parent.iterdir()) == [path]


def test_an_error_leaves_the_old_file_and_no_other(tmp_path):
    path = tmp_path / "a.rttm"
    path.write_text("old")
    with pytest.raises(OSError, match="disk full"):
        _write_half(path)
    assert path.read_text() == "old"
    assert list(tmp_path.iterdir()) == [path]


def test_an_error_leaves_no_new_folder(tmp_path):
    with pytest.raises(OSError, match="disk full"):
        _write_half(tmp_path / "new" / "folder" / "a.rttm")
    assert list(tmp_path.iterdir()) == []


def test_the_suffix_survives_because_writers_read_it(tmp_path):
    with replacing(tmp_path / "a.png") as temporary:
        assert temporary.suffix == ".png"
        temporary.touch()


def _write_half_a_folder(path: Path) -> None:
    with new_folder(path) as temporary:
        (temporary / "a").mkdir()
        raise OSError("disk full")


def test_a_folder_appears_when_it_is_whole(tmp_path):
    path = tmp_path / "around" / "folder"
    with new_folder(path) as temporary:
        (temporary / "a.txt").touch()
        assert not path.exists()
    assert [file.name for file in path.iterdir()] == ["a.txt"]
    assert list(path.parent.iterdir()) == [path]


def test_an_empty_folder_is_filled(tmp_path, monkeypatch):
    (tmp_path / "folder").mkdir()
    monkeypatch.chdir(tmp_path)
    with new_folder(Path("folder")) as temporary:
        (temporary / "a.txt").touch()
    assert (tmp_path / "folder" / "a.txt").is_file()


@pytest.mark.parametrize("name", ["folder", "around/another/folder"])
def test_an_error_leaves_no_folder(tmp_path, name):
    with pytest.raises(OSError, match="disk full"):
        _write_half_a_folder(tmp_path / name)
    assert list(tmp_path.iterdir()) == []


def test_a_folder_cannot_be_in_a_file(tmp_path):
    (tmp_path / "a.txt").touch()
    with pytest.raises(NotADirectoryError, match=r"a\.txt' is a file: choose another"):
        _write_half_a_folder(tmp_path / "a.txt" / "around" / "folder")


def test_what_exists_is_not_replaced(tmp_path):
    (tmp_path / "a.txt").touch()
    for path in (tmp_path, tmp_path / "a.txt"):
        with pytest.raises(FileExistsError, match=f"'{path}' exists"):
            _write_half_a_folder(path)
    assert [file.name for file in tmp_path.iterdir()] == ["a.txt"]


@pytest.mark.parametrize("uri", ["a", "réunion", "a.b", "..a", "monday/a", "x" * 250])
def test_names_of_recordings_are_paths_inside_the_folder(tmp_path, uri):
    path = recording_path(tmp_path, uri, ".rttm")
    with replacing(path) as temporary:
        temporary.touch()
    assert path == tmp_path / f"{uri}.rttm"
    assert path.is_file()


@pytest.mark.parametrize(
    ("uri", "message"),
    [
        ("../up", "no file inside"),
        ("a/../../up", "no file inside"),
        ("/etc/passwd", "no file inside"),
        ("..", "no file inside"),
        ("", "no file inside"),
        ("./m", "should be called 'm'"),
        ("m/", "should be called 'm'"),
        ("a//m", "should be called 'a/m'"),
        ("a/../m", "should be called 'm'"),
        ("x" * 251, "256 bytes with .rttm"),
        ("é" * 126, "257 bytes with .rttm"),
        (f"{'x' * 256}/a", "at most 255 are possible"),
        ("taken", "taken.rttm' is a folder"),
        ("a\0b", "no file inside"),
    ],
)
def test_other_names_of_recordings_are_refused(tmp_path, uri, message):
    (tmp_path / "taken.rttm").mkdir()
    with pytest.raises(ValueError, match=message):
        recording_path(tmp_path, uri, ".rttm")
