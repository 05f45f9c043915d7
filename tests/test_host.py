# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Workarounds for pyannote.audio, each with a test that fails once it can go."""

import importlib.util
import subprocess
import sys
import warnings
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
from pyannote.audio import Inference
from pyannote.core import SlidingWindow, SlidingWindowFeature

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


def aggregate(num_chunks: int, chunks: SlidingWindow) -> np.ndarray:
    """Chunks of 126 frames, one every 40 ms, put together by pyannote.audio."""
    scores = SlidingWindowFeature(np.ones((num_chunks, 126, 1), np.float32), chunks)
    frames = SlidingWindow(duration=0.025, step=0.04)
    return Inference.aggregate(scores, frames, hamming=False, missing=0.0).data


HALFWAY = SlidingWindow(duration=5.0, step=0.5)


def test_pyannote_refuses_chunks_that_start_between_frames():
    aggregate(3, HALFWAY)
    with pytest.raises(ValueError, match="could not be broadcast"):
        aggregate(4, HALFWAY)


@pytest.mark.parametrize("num_chunks", [1, 2, 3, 4, 8])
def test_chunks_that_never_start_between_frames_can_be_aggregated(num_chunks):
    scores = aggregate(num_chunks, _host.without_ties(HALFWAY, 0.04))
    assert len(scores) == 126 + round(12.5 * (num_chunks - 1) + 0.1)
    assert (scores == 1).all()


@pytest.mark.parametrize(("step", "frame_step"), [(1.6, 0.02), (1.0, 0.016875)])
def test_others_stay_as_they_are(step, frame_step):
    chunks = SlidingWindow(duration=5.0, step=step)
    assert _host.without_ties(chunks, frame_step) is chunks


def python(code: str, folder: Path) -> str:
    """Run code in another process, and return the last line of the error."""
    ran = subprocess.run(
        [sys.executable, "-c", code], cwd=folder, capture_output=True, text=True
    )
    return (ran.stderr.splitlines() or ["no error"])[-1]


@pytest.mark.parametrize(
    "content", ["a: [", "Protocols: {A: {SpeakerDiarization: {B: }}}"]
)
def test_a_wrong_database_in_the_current_folder_stops_pyannote(tmp_path, content):
    (tmp_path / "database.yml").write_text(content)
    assert python("import pyannote.database", tmp_path) != "no error"
    code = "from pyannote_diarizen import _host; _host.import_databases()"
    message = python(code, tmp_path)
    assert message.startswith(f"ValueError: '{tmp_path / 'database.yml'}', which")
