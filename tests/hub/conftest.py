# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Published folders, and a hub of our own that serves them."""

import sys
from collections.abc import Iterator
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))
sys.path.append(str(Path(__file__).parents[1]))  # for `published`

from fake_hub import FakeHub, serve


@pytest.fixture
def hub(tmp_path, monkeypatch) -> Iterator[FakeHub]:
    """Hub that serves what is put into `hub.root`; the cache is empty."""
    yield from serve(tmp_path, monkeypatch)
