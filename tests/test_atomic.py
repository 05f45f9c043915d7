# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Files that are either whole or absent."""

from pathlib import Path

import pytest

from pyannote_diarizen.atomic import replacing


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


def test_the_suffix_survives_because_writers_read_it(tmp_path):
    with replacing(tmp_path / "a.png") as temporary:
        assert temporary.suffix == ".png"
        temporary.touch()
