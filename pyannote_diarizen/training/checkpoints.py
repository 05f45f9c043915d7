# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Checkpoints of a run: atomic writing and disk space."""

import errno
import os
import re
import shutil
from pathlib import Path
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import ModelCheckpoint
from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch import nn

from pyannote_diarizen.atomic import replacing
from pyannote_diarizen.errors import check_at_least
from pyannote_diarizen.weights import save_weights

CHECKPOINTS = "checkpoints"
LAST = Path(CHECKPOINTS) / "last.ckpt"
NUM_STATES = 3
"""Values per weight in a checkpoint: the weight, and two moments of AdamW."""


def find_checkpoints(folder: Path) -> dict[int, Path]:
    """Find the checkpoint of each epoch in a folder.

    Parameters
    ----------
    folder : Path
        Its files end in the number of the epoch: `0007.ckpt`, `epoch=0007.ckpt`.
    """
    named = {path: re.search(r"(\d+)$", path.stem) for path in folder.glob("*.ckpt")}
    return {int(match[1]): path for path, match in sorted(named.items()) if match}


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
        check_at_least(1, keep=keep)
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
        # epochs after this one are of a run that was resumed from an earlier epoch
        written = find_checkpoints(Path(str(self.dirpath)))
        epochs = sorted(each for each in written if each <= trainer.current_epoch)
        for epoch in epochs[: -self.keep]:
            if epoch not in best:
                trainer.strategy.remove_checkpoint(written[epoch])

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


def check_room(model: nn.Module, folder: Path, num_checkpoints: int) -> None:
    """Check that the disk has space for the checkpoints of a run.

    Parameters
    ----------
    model : nn.Module
    folder : Path
        Existing folder of the run.
    num_checkpoints : int
        Number of checkpoints that the run keeps.

    Raises
    ------
    OSError
        If there is less space.
    """
    weights = sum(each.numel() * each.element_size() for each in model.parameters())
    size = NUM_STATES * weights
    written = len(list((folder / CHECKPOINTS).glob("*.ckpt")))
    # the last one, and the next one while it is written, come on top
    num = max(num_checkpoints - written, 0) + 2
    free = shutil.disk_usage(folder).free
    if free < num * size:
        reason = (
            f"{os.strerror(errno.ENOSPC)} for {num} checkpoints of {size / 1e6:.0f} MB "
            f"each, only {free / 1e6:.0f} MB: make room, keep fewer by "
            "callbacks.checkpoints.keep=1, or write to another disk"
        )
        raise OSError(errno.ENOSPC, reason, str(folder))
