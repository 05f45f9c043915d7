# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The pipeline that comes with the package."""

import hashlib
from pathlib import Path

import pytest
import soundfile
from opentelemetry.trace import NoOpTracer
from pyannote.audio.telemetry import metrics

from pyannote_diarizen.audio.sample import sample_file
from pyannote_diarizen.hub.bundled import bundled_folder
from pyannote_diarizen.hub.loading import load_pipeline


@pytest.fixture
def audio(tmp_path) -> Path:
    """Eight seconds of conversation."""
    samples, sample_rate = soundfile.read(sample_file()["audio"])
    path = tmp_path / "a.wav"
    soundfile.write(path, samples[8 * sample_rate : 16 * sample_rate], sample_rate)
    return path


def test_the_package_stays_small():
    files = [path for path in bundled_folder().rglob("*") if path.is_file()]
    assert sum(path.stat().st_size for path in files) < 20e6


@pytest.mark.parametrize(("name", "num_files"), [("tiny", 4), ("campplus", 2)])
def test_the_model_card_is_about_the_bundled_files(name, num_files):
    folder = bundled_folder(f"diarizen-{name}")
    card = (folder / "README.md").read_text(encoding="utf-8")
    files = [path for path in folder.rglob("*") if path.suffix in (".bin", ".npz")]
    for path in files:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        assert f"{digest}  {path.relative_to(folder).as_posix()}\n" in card
    assert len(files) == num_files


def test_telemetry_of_pyannote_needs_no_ffmpeg_either(audio, monkeypatch):
    """It measures the duration of each file, and is on by default."""
    monkeypatch.setenv("PYANNOTE_METRICS_ENABLED", "1")
    monkeypatch.setattr(metrics, "tracer", NoOpTracer())
    assert load_pipeline("diarizen-tiny", "cpu")(audio).speaker_diarization.labels()
