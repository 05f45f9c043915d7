# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import os
import subprocess
import sys
from pathlib import Path

import pytest

BROKEN = "raise OSError('libtorchaudio.so: undefined symbol: _ZNK5torch')"

DOCTOR = "from pyannote_diarizen.cli.main import app; app()", "doctor"
DEMO = "from pyannote_diarizen.cli.main import app; app()", "demo"
TRAIN = "from pyannote_diarizen.cli.train import main; main()", "protocol=X.Y.Z"
PIPELINES = ("import pyannote_diarizen.pipelines",)


@pytest.fixture
def python(tmp_path):
    """Run Python where torchaudio 2.9.1, built for another torch, does not load."""
    (tmp_path / "torchaudio").mkdir()
    (tmp_path / "torchaudio" / "__init__.py").write_text(BROKEN)
    metadata = tmp_path / "torchaudio-2.9.1.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Name: torchaudio\nVersion: 2.9.1")
    path = os.pathsep.join((str(tmp_path), os.environ.get("PYTHONPATH", "")))

    def run(code: str, *arguments: str, quick: bool = False):
        if quick:  # nothing needs torch before torchaudio fails
            (tmp_path / "torch.py").touch()
        return subprocess.run(
            [sys.executable, "-c", code, *arguments],
            env={**os.environ, "PYTHONPATH": path},
            capture_output=True,
            text=True,
            check=False,
            cwd=tmp_path,
        )

    return run


def test_all_is_well_here(run):
    result = run("doctor", "diarizen-tiny")
    assert result.exit_code == 0, result.stdout
    lines = result.stdout.splitlines()
    assert lines[0].startswith("ok       packages: pyannote-diarizen ")
    loaded = "ok       'diarizen-tiny' can be loaded: pipeline Di"
    assert any(line.startswith(loaded) for line in lines)
    assert lines[-1].startswith("| all ")


def test_it_works_where_torchaudio_does_not_load(python):
    ran = python(*DOCTOR, "diarizen-tiny")
    assert ran.returncode == 1
    assert "Traceback" not in ran.stdout + ran.stderr
    assert "error    imports: torchaudio 2.9.1 cannot be loaded beside to" in ran.stdout
    assert '-> pip install "torchaudio' in ran.stdout
    assert "ok       cache: " in ran.stdout
    assert "error    'diarizen-tiny' cannot be loaded: libtorchaudio.so" in ran.stdout


@pytest.mark.parametrize(("command", "quick"), [(DEMO, True), (TRAIN, False)])
def test_commands_explain_a_clash_in_two_lines(python, command, quick):
    ran = python(*command, quick=quick)
    assert ran.returncode == 2
    clash, line = ran.stderr.splitlines()
    assert "torchaudio 2.9.1 cannot be loaded beside torch " in clash
    assert line.startswith('pip install "torchaudio')


def test_imports_explain_a_clash(python):
    *_, error, line = python(*PIPELINES, quick=True).stderr.splitlines()
    assert error.startswith("pyannote_diarizen.errors.IncompatiblePackagesError: torc")
    assert line.startswith('pip install "torchaudio')


@pytest.fixture
def loading(monkeypatch):
    """Skip the imports in another process, which take seconds."""
    monkeypatch.setattr(
        "pyannote_diarizen.diagnosis.machine.find_import_failure", lambda: None
    )


@pytest.mark.usefixtures("loading")
def test_a_checkpoint_that_does_not_load_is_exit_code_1(run, here):
    Path("model.pt").write_bytes(b"<!DOCTYPE html>")
    result = run("doctor", "model.pt")
    assert result.exit_code == 1
    assert "'model.pt' cannot be loaded: 'model.pt' is damaged" in result.stdout


@pytest.mark.usefixtures("loading")
def test_a_training_that_cannot_run_is_told(run, tmp_path):
    config = tmp_path / "config.yaml"
    config.write_text(
        "protocol: Unknown.SpeakerDiarization.Protocol\n"
        "model: {_target_: a.Model}\n"
        "task: {_target_: a.Task}\n"
        "optimizer: {_target_: torch.optim.AdamW, lr: 2.0e-5}\n"
        "scheduler: {_target_: a.schedule}\n"
        "backbone: {lr: 1.0e-3, frozen: false}\n"
        "trainer: {_target_: a.Trainer}\n"
    )
    result = run("doctor", "--config", str(config))
    assert result.exit_code == 1
    assert "are they swapped?" in result.stdout
    assert "-> optimizer.lr=0.001 backbone.lr=2e-05" in result.stdout
    assert "error    task: There is no protocol called 'Unknown" in result.stdout
    assert run("doctor", "--config", str(tmp_path / "none.yaml")).exit_code == 2
