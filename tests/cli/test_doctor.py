# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import os
import subprocess
import sys
from pathlib import Path

BROKEN = "raise OSError('libtorchaudio.so: undefined symbol: _ZNK5torch')"


def doctor(*arguments: str, **environment: str) -> subprocess.CompletedProcess:
    code = "from pyannote_diarizen.cli.main import app; app()"
    return subprocess.run(
        [sys.executable, "-c", code, "doctor", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def test_all_is_well_here(run):
    result = run("doctor", "diarizen-tiny")
    assert result.exit_code == 0, result.stdout
    lines = result.stdout.splitlines()
    assert lines[0].startswith("ok       packages: pyannote-diarizen ")
    assert lines[-1].startswith("ok       'diarizen-tiny' can be loaded: pipeline Di")


def test_it_works_where_torchaudio_does_not(tmp_path):
    """It came with another torch: pip says nothing of it, its import fails."""
    (tmp_path / "torchaudio").mkdir()
    (tmp_path / "torchaudio" / "__init__.py").write_text(BROKEN)
    metadata = tmp_path / "torchaudio-2.9.1.dist-info" / "METADATA"
    metadata.parent.mkdir()
    metadata.write_text("Name: torchaudio\nVersion: 2.9.1")
    ran = doctor("diarizen-tiny", PYTHONPATH=str(tmp_path))
    assert ran.returncode == 1
    assert "Traceback" not in ran.stdout + ran.stderr
    assert "error    packages: torchaudio 2.9.1 was not built for torch " in ran.stdout
    assert '-> pip install "torchaudio==' in ran.stdout
    assert "torchaudio cannot be imported: libtorchaudio.so: undef" in ran.stdout
    assert "ok       cache: " in ran.stdout
    assert "error    'diarizen-tiny' cannot be loaded: libtorchaudio.so" in ran.stdout


def test_a_checkpoint_that_does_not_load_is_exit_code_1(run, here):
    Path("model.pt").write_bytes(b"<!DOCTYPE html>")
    result = run("doctor", "model.pt")
    assert result.exit_code == 1
    assert "'model.pt' cannot be loaded: 'model.pt' is damaged" in result.stdout


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
