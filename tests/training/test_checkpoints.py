# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Checkpoints: whole or absent."""

import shutil
from collections import namedtuple
from unittest.mock import MagicMock, patch

import pytest
import torch
from lightning.pytorch.callbacks import ModelCheckpoint
from torch import nn

from pyannote_diarizen.training.checkpoints import (
    AtomicCheckpoints,
    EpochCheckpoints,
    check_room,
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


def test_a_disk_without_room_is_an_error_before_training(tmp_path, monkeypatch):
    model = nn.Linear(1000, 1000, bias=False)  # 4 MB, three times with AdamW
    # four epochs, the last checkpoint, and the next one while it is written
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(72_000_000))
    check_room(model, tmp_path, 4)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(71_999_999))
    with pytest.raises(OSError, match=r"6 checkpoints of 12 MB each.*keep=1"):
        check_room(model, tmp_path, 4)
    (tmp_path / "checkpoints").mkdir()
    (tmp_path / "checkpoints" / "0000.ckpt").touch()  # needs no more room
    check_room(model, tmp_path, 4)


def test_epochs_before_a_run_was_resumed_are_not_the_last_ones(tmp_path):
    folder = tmp_path / "checkpoints"
    folder.mkdir()
    names = ["0000.ckpt", "0001.ckpt", "0002.ckpt", "0007.ckpt", "best-of-mine.ckpt"]
    for name in names:
        (folder / name).touch()
    callback = EpochCheckpoints(tmp_path, keep=1)
    trainer = MagicMock(callback_metrics={}, current_epoch=2, is_global_zero=True)
    with patch.object(ModelCheckpoint, "on_train_epoch_end"):
        callback.on_train_epoch_end(trainer, None)
    removed = [call.args[0].name for call in trainer.strategy.mock_calls]
    assert removed == ["0000.ckpt", "0001.ckpt"]
