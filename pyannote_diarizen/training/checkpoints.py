# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Checkpoints of a run: atomic writing, disk space, and resuming."""

import errno
import os
import shutil
from collections.abc import Iterable
from pathlib import Path
from typing import Any

import yaml
from lightning.pytorch.plugins.io import TorchCheckpointIO
from torch import nn

from pyannote_diarizen.atomic import replacing
from pyannote_diarizen.weights import save_weights

CONFIG = "config.yaml"
"""Configuration of a run."""

CHECKPOINTS = "checkpoints"
LAST = Path(CHECKPOINTS) / "last.ckpt"
RUNS = Path("runs")
"""Folder of runs without a name, as in `hparams/config.yaml`."""

_OVERRIDES = Path(".hydra") / "overrides.yaml"
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


def checkpoint_to_resume(resume: str, folder: Path) -> Path | None:
    """Checkpoint that training resumes from.

    Parameters
    ----------
    resume : str
        "last", or the path of a checkpoint.
    folder : Path
        Folder of the run.

    Returns
    -------
    checkpoint : Path or None
        None if the run was interrupted before its first checkpoint.

    Raises
    ------
    FileNotFoundError
        If `resume` is a path that does not exist.
    """
    if resume == "last":
        return folder / LAST if (folder / LAST).is_file() else None
    checkpoint = Path(resume).expanduser()
    if not checkpoint.is_file():
        raise FileNotFoundError(
            f"`resume` should be 'last' or a checkpoint, but there is no '{resume}'."
        )
    return checkpoint


def complete_arguments(arguments: list[str]) -> list[str]:
    """Add the arguments of the interrupted run to `+resume=last`.

    Parameters
    ----------
    arguments : list of str
        Arguments of the command line. `run=FOLDER` is the run to resume, by default the
        latest in `runs/`.

    Returns
    -------
    arguments : list of str
        Arguments of the run that are not given again, then `arguments`.
        Unchanged without `+resume=last`.

    Raises
    ------
    FileNotFoundError
        If there is no such run.
    """
    if "+resume=last" not in arguments:
        return arguments
    keys = {_key(argument) for argument in arguments}
    given = [each.removeprefix("run=") for each in arguments if _key(each) == "run"]
    folder = Path(given[-1]) if given else _latest(RUNS.glob("*"))
    if not (folder / _OVERRIDES).is_file():
        raise FileNotFoundError(
            f"There is no training to resume in '{folder}': give its folder by run=."
        )
    former = yaml.safe_load((folder / _OVERRIDES).read_text(encoding="utf-8"))
    run = [] if given else [f"run={folder}"]
    kept = [each for each in former if _key(each) not in keys | {"run"}]
    return [*kept, *arguments, *run]


def _latest(folders: Iterable[Path]) -> Path:
    """Run that was started or resumed last."""
    started = [folder for folder in folders if (folder / CONFIG).is_file()]
    return max(started, key=lambda run: (run / CONFIG).stat().st_mtime, default=RUNS)


def _key(argument: str) -> str:
    return argument.partition("=")[0].lstrip("+~")
