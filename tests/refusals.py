# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Checks of errors that leave a folder as it was."""

import re
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest


def content(folder: Path) -> dict[Path, bytes | bool]:
    """Files and what they hold, and folders."""
    return {path: path.is_file() and path.read_bytes() for path in folder.rglob("*")}


@contextmanager
def refused(folder: Path, message: str) -> Iterator[None]:
    """Expect one readable error, and nothing written."""
    before = content(folder)
    with pytest.raises((OSError, ValueError)) as caught:
        yield
    text = " ".join(str(caught.value).split())
    assert re.search(message, text), text
    assert len(text) < 1500
    assert content(folder) == before
