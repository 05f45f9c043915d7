# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Workarounds for pyannote.audio, each with the test that tells when it can go."""

import importlib.util
import sys
import warnings
from collections.abc import Callable

import pytest

from pyannote_diarizen import _host


@pytest.fixture
def import_io_anew(monkeypatch) -> Callable[[], None]:
    """Run `pyannote.audio.core.io` once more, as where torchcodec does not load."""
    monkeypatch.setitem(sys.modules, "torchcodec", None)
    spec = importlib.util.find_spec("pyannote.audio.core.io")

    def run() -> None:
        spec.loader.exec_module(importlib.util.module_from_spec(spec))

    return run


def test_pyannote_warns_where_torchcodec_does_not_load(import_io_anew):
    with pytest.warns(UserWarning, match="torchcodec is not installed correctly"):
        import_io_anew()


def test_missing_ffmpeg_can_be_ignored(import_io_anew):
    with warnings.catch_warnings(record=True) as caught:
        warnings.simplefilter("always")
        _host.ignore_missing_ffmpeg()
        import_io_anew()
    assert caught == []
