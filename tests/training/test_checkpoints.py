# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Checkpoints: whole or absent."""

import shutil
from collections import namedtuple

import pytest
import torch
from torch import nn

from pyannote_diarizen.training.checkpoints import (
    AtomicCheckpoints,
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


def test_a_disk_without_room_is_told_before_training(tmp_path, monkeypatch):
    model = nn.Linear(1000, 1000, bias=False)  # 4 MB, three times with AdamW
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(24_000_000))
    check_room(model, tmp_path)
    monkeypatch.setattr(shutil, "disk_usage", lambda folder: Usage(23_999_999))
    with pytest.raises(OSError, match=r"two checkpoints of 12 MB each"):
        check_room(model, tmp_path)
