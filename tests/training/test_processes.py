# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-audio-train` in processes of its own: killed, resumed, distributed."""

import os
import signal
import subprocess
import sys
import time
from pathlib import Path

import pytest
from pyannote.audio import Pipeline
from typer.testing import CliRunner

from pyannote_diarizen.cli.main import app
from pyannote_diarizen.training.history import read_table

HERE = Path(__file__).parent
pytestmark = pytest.mark.slow


def command(options: dict) -> list[str]:
    """What one types."""
    typed = [f"{name}={value}" for name, value in options.items()]
    return [sys.executable, "-m", "pyannote_diarizen.cli.train", *typed]


def train(options: dict) -> None:
    environment = {**os.environ, "PYTHONPATH": str(HERE)}
    ran = subprocess.run(
        command(options), capture_output=True, text=True, env=environment
    )
    assert ran.returncode == 0, ran.stderr


def kill_when(exists: Path, options: dict) -> None:
    """Begin to train, and kill all of it soon after a file is there."""
    # a killed process leaves temporary files: in a folder that is removed
    environment = {**os.environ, "TMPDIR": str(options["run"].parent)}
    process = subprocess.Popen(
        command(options),
        env=environment,
        start_new_session=True,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
    )
    while not exists.is_file():
        assert process.poll() is None
        time.sleep(0.01)
    os.killpg(process.pid, signal.SIGKILL)
    process.wait()


@pytest.mark.parametrize("killed_after", ["checkpoints/0001.ckpt", "config.yaml"])
def test_a_run_that_is_killed_and_resumed_has_the_losses_of_one_that_is_not(
    tiny, tmp_path, killed_after
):
    options = tiny | {
        "task.num_workers": 1,
        "trainer.max_epochs": 4,
        "scheduler": "cosine",
    }
    train(options | {"run": tmp_path / "whole"})
    killed = tmp_path / "killed"
    kill_when(killed / killed_after, options | {"run": killed})
    assert len(read_table(killed / "metrics.csv")) < 4
    train({"run": killed, "+resume": "last"})
    whole = read_table(tmp_path / "whole" / "metrics.csv")
    assert len(whole) == 4
    assert read_table(killed / "metrics.csv") == whole


def test_two_processes_have_the_losses_of_one_with_twice_the_accumulation(
    tiny, tmp_path
):
    options = {k: v for k, v in tiny.items() if not k.startswith("model.")} | {
        "task._target_": "striding.Striding",
        "model": "PyanNet",
        "model.lstm.hidden_size": 8,
        "model.lstm.dropout": 0.0,
        "trainer.max_epochs": 3,
    }
    one = {"task.batches_per_epoch": 4, "trainer.accumulate_grad_batches": 2}
    two = {"task.batches_per_epoch": 2, "trainer.devices": 2, "trainer.strategy": "ddp"}
    train(options | one | {"run": tmp_path / "one"})
    train(options | two | {"run": tmp_path / "two"})
    losses = [
        [float(row["loss/train"]) for row in read_table(tmp_path / run / "metrics.csv")]
        for run in ("one", "two")
    ]
    assert len(set(losses[0])) == 3
    assert losses[1] == pytest.approx(losses[0], rel=1e-5)


def test_a_run_that_was_killed_becomes_a_pipeline(tiny, tmp_path, shared):
    folder = shared / "audio" / "ami"
    options = tiny | {
        "protocol": "AMIExcerpts.SpeakerDiarization.Excerpts",
        "+database": folder / "database.yml",
        "trainer.max_epochs": 2,
        "task.max_speakers_per_chunk": 3,
    }
    run, pipeline = tmp_path / "run", tmp_path / "pipeline"
    kill_when(run / "checkpoints" / "0000.ckpt", options | {"run": run})
    train({"run": run, "+resume": "last"})
    for arguments in (
        ["average", str(run), "--best", "2"],
        ["package", str(run), str(pipeline)],
        ["apply", str(folder / "dev00.flac"), "--pipeline", str(pipeline)],
    ):
        result = CliRunner().invoke(app, arguments)
        assert result.exit_code == 0, result.output
    Pipeline.from_pretrained(pipeline)
