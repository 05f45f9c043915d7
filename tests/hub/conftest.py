# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import shutil
from pathlib import Path

import pytest
from published import write_embedding, write_original

from pyannote_diarizen.hub.conversion import convert


@pytest.fixture(scope="session")
def intact(tmp_path_factory) -> Path:
    """Folder with the same pipeline in both layouts."""
    folder = tmp_path_factory.mktemp("intact")
    original = write_original(folder / "original")
    write_embedding(original / "embedding")
    convert(original, folder / "converted")
    return folder


@pytest.fixture
def here(intact, tmp_path, monkeypatch) -> Path:
    """Copy of `intact`, which is the current folder."""
    shutil.copytree(intact, tmp_path / "here")
    monkeypatch.chdir(tmp_path / "here")
    return tmp_path / "here"
