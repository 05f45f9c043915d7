# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Checkpoints: whole or absent, and found again."""

import os
import shutil
from collections import namedtuple

import pytest
import torch
from torch import nn

from pyannote_diarizen.training.checkpoints import (
    AtomicCheckpoints,
    check_room,
    complete_arguments,
)

Usage = namedtuple("Usage", "free")


def test_a_checkpoint_that_cannot_be_written_leaves_the_one_before(
    tmp_path, monkeypatch
):
    path = tmp_path / "last.ckpt"
    AtomicCheckpoints().save_checkpoint({"epoch": 1}, path)

    def fill_up(content, temporary):
        temporary.write_bytes(b"half")
        raise OSError(28, "No space left on device")

    monkeypatch.setattr("pyannote_diarizen.training.checkpoints.save_weights", fill_up)
    with pytest.raises(OSError, match=r"No space left.*make room.*last\.ckpt"):
        AtomicCheckpoints().save_checkpoint({"epoch": 2}, path)
    assert [each.name for each in tmp_path.iterdir()] == ["last.ckpt"]
    assert torch.load(path, weights_only=True) == {"epoch": 1}


def test_a_disk_without_room_is_told_before_training(tmp_path, monkeypatch):
    model = nn.Linear(1000, 1000, bias=False)  # 4 MB, three times with AdamW
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(24_000_000))
    check_room(model, tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(23_999_999))
    with pytest.raises(OSError, match=r"two checkpoints of 12 MB each"):
        check_room(model, tmp_path)


def begin(run, *arguments):
    """Leave what Hydra writes when a run begins."""
    (run / ".hydra").mkdir(parents=True)
    lines = "".join(f"- {argument}\n" for argument in arguments)
    (run / ".hydra" / "overrides.yaml").write_text(lines)
    (run / "config.yaml").touch()


def test_resuming_repeats_what_began_the_run_but_for_what_is_typed(tmp_path):
    run = tmp_path / "run"
    begin(run, "protocol=P", f"run={run}", "trainer.max_epochs=5", "+database=d.yml")
    typed = [f"run={run}", "+resume=last", "trainer.max_epochs=9"]
    completed = ["protocol=P", "+database=d.yml", *typed]
    assert complete_arguments(typed) == completed
    shutil.rmtree(run)
    begin(run, *completed)  # interrupted and resumed a second time
    assert complete_arguments(typed) == completed


def test_the_latest_run_is_resumed_unless_another_is_named(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    begin(tmp_path / "runs" / "old", "protocol=old")
    begin(tmp_path / "runs" / "new", "protocol=new")
    os.utime(tmp_path / "runs" / "old" / "config.yaml", (1, 1))
    assert complete_arguments(["+resume=last"]) == [
        *("protocol=new", "+resume=last", "run=runs/new")
    ]
    assert complete_arguments(["protocol=P"]) == ["protocol=P"]


def test_there_has_to_be_a_run(tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    with pytest.raises(FileNotFoundError, match="no training to resume in 'runs'"):
        complete_arguments(["+resume=last"])
