# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Checkpoints of a run: atomic writing and disk space."""

import errno
import os
import shutil
from pathlib import Path
from typing import Any

from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch import nn

from pyannote_diarizen.atomic import replacing
from pyannote_diarizen.weights import save_weights

CHECKPOINTS = "checkpoints"
LAST = Path(CHECKPOINTS) / "last.ckpt"
_STATES = 3
"""Values per weight in a checkpoint: the weight, and two moments of AdamW."""


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
