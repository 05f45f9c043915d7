# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The pipeline that comes with the package."""

import hashlib
import os
import subprocess
import sys
from pathlib import Path

import pytest
import soundfile
from opentelemetry.trace import NoOpTracer
from pyannote.audio.telemetry import metrics

from pyannote_diarizen.audio.sample import sample_file
from pyannote_diarizen.hub.bundled import bundled_folder
from pyannote_diarizen.hub.loading import load_pipeline

STOCK_SCRIPT = """
import sys
from pyannote.audio import Pipeline
output = Pipeline.from_pretrained(sys.argv[1])("a.wav")
print(output.speaker_diarization.to_rttm())
"""


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


def test_the_model_card_is_about_the_bundled_files():
    card = (bundled_folder() / "README.md").read_text(encoding="utf-8")
    files = [
        path for path in bundled_folder().rglob("*") if path.suffix in (".bin", ".npz")
    ]
    for path in files:
        digest = hashlib.sha256(path.read_bytes()).hexdigest()
        name = path.relative_to(bundled_folder()).as_posix()
        assert f"{digest}  {name}\n" in card
    assert len(files) == 4


def test_a_script_that_knows_pyannote_only_can_use_it(audio):
    ran = subprocess.run(
        [sys.executable, "-c", STOCK_SCRIPT, bundled_folder()],
        cwd=audio.parent,
        env={**os.environ, "HF_HUB_OFFLINE": "1"},
        capture_output=True,
        text=True,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    assert ran.stdout.startswith("SPEAKER a 1 ")


def test_telemetry_of_pyannote_needs_no_ffmpeg_either(audio, monkeypatch):
    """It measures the duration of each file, and is on by default."""
    monkeypatch.setenv("PYANNOTE_METRICS_ENABLED", "1")
    monkeypatch.setattr(metrics, "tracer", NoOpTracer())
    assert load_pipeline("diarizen-tiny", "cpu")(audio).speaker_diarization.labels()
