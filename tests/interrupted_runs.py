# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Runs that are interrupted within their process."""

from pathlib import Path

import torch
from lightning.pytorch import Callback

from pyannote_diarizen.training.run import assemble


class InterruptionError(Exception):
    """Interruption of a run within its process."""


class InterruptedAt(Callback):
    """Stop in the middle of an epoch."""

    def __init__(self, epoch: int) -> None:
        self.epoch = epoch

    def on_train_batch_end(self, trainer, pl_module, outputs, batch, batch_idx):
        """Raise in the second batch."""
        if (trainer.current_epoch, batch_idx) == (self.epoch, 1):
            raise InterruptionError


def trained(config, interrupted_at: int | None = None) -> Path:
    run = assemble(config)
    if interrupted_at is not None:
        run.trainer.callbacks.append(InterruptedAt(interrupted_at))
    try:
        run.fit()
    except InterruptionError:
        assert interrupted_at is not None
    return Path(config.run)


def last(folder: Path) -> dict:
    return torch.load(folder / "checkpoints" / "last.ckpt", weights_only=False)
