# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Checkpoints of a run: atomic writing and disk space."""

import errno
import os
import shutil
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch import nn

from pyannote_diarizen.atomic import replacing
from pyannote_diarizen.weights import save_weights

CHECKPOINTS = "checkpoints"
LAST = Path(CHECKPOINTS) / "last.ckpt"
_STATES = 3
"""Values per weight in a checkpoint: the weight, and two moments of AdamW."""


class EpochCheckpoints(ModelCheckpoint):
    """Callback that writes a checkpoint per epoch and keeps the best and last ones.

    Parameters
    ----------
    run : Path or str
        Folder of the run.
    keep : int, optional
        Number of best epochs, by `loss/val`, and of last epochs to keep. Defaults to
        5. None keeps all epochs.
    """

    def __init__(self, run: Path | str, keep: int | None = 5) -> None:
        if keep is not None and keep < 1:
            raise ValueError(f"`keep` should be at least 1 or null, got {keep}.")
        super().__init__(
            dirpath=Path(run) / CHECKPOINTS,
            filename="{epoch:04d}",
            auto_insert_metric_name=False,
            save_top_k=-1,
            save_last=True,
            save_on_train_epoch_end=True,
            enable_version_counter=False,
        )
        self.keep = keep
        self._losses: dict[int, float] = {}

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Write the checkpoint of the epoch, then delete others."""
        if "loss/val" in trainer.callback_metrics:
            loss = float(trainer.callback_metrics["loss/val"])
            self._losses[trainer.current_epoch] = loss
        super().on_train_epoch_end(trainer, pl_module)
        if self.keep is None or not trainer.is_global_zero:
            return
        best = sorted(self._losses, key=self._losses.__getitem__)[: self.keep]
        written = sorted(Path(str(self.dirpath)).glob("[0-9]*.ckpt"))
        for path in written[: -self.keep]:
            if int(path.stem) not in best:
                trainer.strategy.remove_checkpoint(path)

    def state_dict(self) -> dict[str, Any]:
        """State of the parent, and the loss of each epoch."""
        return super().state_dict() | {"losses": dict(self._losses)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load the state."""
        self._losses = dict(state_dict.get("losses", {}))
        super().load_state_dict(state_dict)


class AtomicCheckpoints(TorchCheckpointIO):
    """Checkpoints that are complete even if a run is interrupted while it writes.

    `TorchCheckpointIO` of Lightning may write to another disk first, and then copies.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None
    ) -> None:
        """Write a checkpoint, then move it into place."""
        with replacing(Path(path)) as temporary:
            save_weights(checkpoint, temporary)


def check_room(model: nn.Module, folder: Path) -> None:
    """Check that the disk has space for two checkpoints: the last one and the next.

    Parameters
    ----------
    model : nn.Module
    folder : Path
        Existing folder of the run.

    Raises
    ------
    OSError
        If there is less space.
    """
    weights = sum(each.numel() * each.element_size() for each in model.parameters())
    # two checkpoints, of _STATES values per weight, in bytes
    wanted, free = 2 * _STATES * weights, shutil.disk_usage(folder).free
    if free < wanted:
        reason = (
            f"{os.strerror(errno.ENOSPC)} for two checkpoints of {wanted / 2e6:.0f} MB "
            f"each, only {free / 1e6:.0f} MB: make room or write to another disk"
        )
        raise OSError(errno.ENOSPC, reason, str(folder))
