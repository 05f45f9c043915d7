# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import json
import subprocess
import time
from dataclasses import asdict
from pathlib import Path
from types import SimpleNamespace

import pytest
from typer.testing import CliRunner

from pyannote_diarizen.cli.main import app
from pyannote_diarizen.evaluation import profiling
from pyannote_diarizen.evaluation.profiling import (
    Profile,
    Stage,
    StageTimer,
    profile_in_process,
    stock_pipeline,
)
from pyannote_diarizen.hub.loading import load_pipeline


@pytest.fixture
def profile() -> Profile:
    stages = [
        Stage("start", 2.0, 3.0, 1 << 20),
        Stage("segmentation", 4.0, 5.0, 3 << 20),
    ]
    return Profile("configured", 40.0, 2, "SPEAKER some 1 0 1\n", stages)


@pytest.fixture
def process(monkeypatch, profile):
    """Processes that end at once."""
    ended = SimpleNamespace(returncode=0, stderr="", commands=[])
    ended.stdout = "noise\n" + json.dumps(asdict(profile)) + "\n"

    def run(command, **_):
        ended.commands.append(command)
        return ended

    monkeypatch.setattr(subprocess, "run", run)
    return ended


def test_stages_add_up(profile):
    assert profile.seconds == 6.0
    assert profile.cpu_seconds == 8.0
    assert profile.real_time_factor == 0.1  # without the start
    assert profile.peak_memory == 3 << 20


def test_time_belongs_to_the_stage_that_reports():
    timer = StageTimer(time.time() - 5)
    time.sleep(0.02)
    timer("segmentation", None, total=2, completed=0)
    time.sleep(0.02)
    timer("segmentation", None, total=2, completed=2)
    timer("discrete_diarization", None)
    start, segmentation, clustering = timer.stages
    assert start.seconds == pytest.approx(5, abs=0.5)
    assert 0.04 <= segmentation.seconds < 1
    assert clustering.name == "clustering"
    assert segmentation.peak_memory is None or segmentation.peak_memory > 1 << 20


def test_profiles_come_from_another_process(process, profile):
    assert profile_in_process("stock", "diarizen-tiny", Path("a.wav")) == profile
    assert process.commands[0][2:7] == [
        "pyannote_diarizen.evaluation.profiling",
        *("stock", "diarizen-tiny", "a.wav", "auto"),
    ]
    process.returncode, process.stderr = 1, "Traceback\nValueError: no such model"
    with pytest.raises(ValueError, match=r"'a.wav' cannot be.*: no such model"):
        profile_in_process("stock", "diarizen-tiny", Path("a.wav"))


def test_the_command_compares_systems(process, tmp_path):
    import soundfile

    soundfile.write(tmp_path / "a.wav", [0.0] * 1600, 16000)
    command = ["profile", str(tmp_path / "a.wav"), "--against", "stock"]
    result = CliRunner().invoke(app, command)
    assert result.exit_code == 0
    assert "segmentation" in result.stdout
    assert "real-time factor 0.1000, 40 s of audio" in result.stdout
    assert "takes 1.0 times the CPU time of the first, for the same turns" in (
        result.stdout
    )
    result = CliRunner().invoke(app, [*command, "--against", "others"])
    assert result.exit_code == 2
    assert len(process.commands) == 2


def test_stock_has_the_models_of_ours():
    ours = load_pipeline("diarizen-tiny", "cpu")
    stock = stock_pipeline(ours)
    assert type(stock) is profiling.SpeakerDiarization
    assert stock._segmentation.model is ours._segmentation.model
    assert stock.parameters(instantiated=True) == ours.parameters(instantiated=True)
    ours.klustering = "AutoClustering"
    with pytest.raises(ValueError, match="has no AutoClustering"):
        stock_pipeline(ours)
