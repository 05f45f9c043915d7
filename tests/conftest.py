# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Fixtures that every part of the suite shares."""

import os
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from fake_hub import FakeHub, serve

ROOT = Path(__file__).parents[1]


def _folder(variable: str, default: Path) -> Path:
    folder = Path(os.environ.get(variable, default))
    if not folder.is_dir():
        pytest.skip(f"{folder} is absent; set {variable} to the folder to use")
    return folder


@pytest.fixture(scope="session", autouse=True)
def _caches(tmp_path_factory) -> Iterator[None]:
    """Keep caches of the package apart from those of the user."""
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("caches")))
        # fonts take seconds to list
        patch.setenv("MPLCONFIGDIR", str(Path.home() / ".cache" / "matplotlib"))
        yield


@pytest.fixture
def rng() -> np.random.Generator:
    """Seeded random generator."""
    return np.random.default_rng(42)


@pytest.fixture(scope="session")
def shared() -> Path:
    """Folder of real recordings and speech."""
    return _folder("PYANNOTE_DIARIZEN_SHARED", ROOT.parent / "shared")


@pytest.fixture(scope="session")
def parity() -> Path:
    """Folder of reference vectors made by the original DiariZen."""
    return _folder("PYANNOTE_DIARIZEN_PARITY", ROOT.parent / "shared" / "parity")


@pytest.fixture
def hub(tmp_path, monkeypatch) -> Iterator[FakeHub]:
    """Hub that serves what is put into `hub.root`; the cache is empty."""
    yield from serve(tmp_path, monkeypatch)


@pytest.fixture
def third_party(monkeypatch) -> None:
    """Make the components of `third_party/` installed."""
    monkeypatch.syspath_prepend(ROOT / "tests" / "third_party")
