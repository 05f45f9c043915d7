# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Checkpoints of a run: written whole or not at all, found again to go on."""

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
"""What a run that has begun was configured with."""

CHECKPOINTS = "checkpoints"
LAST = Path(CHECKPOINTS) / "last.ckpt"
RUNS = Path("runs")
"""Folder of the runs that nobody named, as in `hparams/config.yaml`."""

_TYPED = Path(".hydra") / "overrides.yaml"
_STATES = 3
"""AdamW keeps two averages of each weight."""


class AtomicCheckpoints(TorchCheckpointIO):
    """Checkpoints that a run interrupted at any time leaves whole.

    Lightning's own writes to another disk, then copies to where it belongs.
    """

    def save_checkpoint(
        self, checkpoint: dict[str, Any], path: Any, storage_options: Any = None
    ) -> None:
        """Write a checkpoint, then move it into place."""
        with replacing(Path(path)) as temporary:
            save_weights(checkpoint, temporary)


def check_room(model: nn.Module, folder: Path) -> None:
    """Refuse to train where the disk has no room for a checkpoint and its successor.

    Parameters
    ----------
    model : nn.Module
    folder : Path
        Of the run. Exists.

    Raises
    ------
    OSError
        If there is less.
    """
    weights = sum(each.numel() * each.element_size() for each in model.parameters())
    wanted, free = 2 * _STATES * weights, shutil.disk_usage(folder).free
    if free < wanted:
        reason = (
            f"{os.strerror(errno.ENOSPC)} for two checkpoints of {wanted / 2e6:.0f} MB "
            f"each, only {free / 1e6:.0f} MB: make room or write to another disk"
        )
        raise OSError(errno.ENOSPC, reason, str(folder))


def checkpoint_to_resume(resume: str, folder: Path) -> Path | None:
    """Checkpoint at which training goes on.

    Parameters
    ----------
    resume : str
        "last", or the path of a checkpoint.
    folder : Path
        Of the run.

    Returns
    -------
    checkpoint : Path or None
        None if the run was interrupted before it wrote the first one.

    Raises
    ------
    FileNotFoundError
        If `resume` is a path, of nothing.
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
    """Repeat what began the run that `+resume=last` goes on with.

    Parameters
    ----------
    arguments : list of str
        As typed. `run=FOLDER` says which run; the latest in `runs/` if absent.

    Returns
    -------
    arguments : list of str
        With those of the run in front, but for the ones that are typed anew; as they
        are without `+resume=last`.

    Raises
    ------
    FileNotFoundError
        If there is no such run.
    """
    if "+resume=last" not in arguments:
        return arguments
    typed = {_key(argument) for argument in arguments}
    given = [each.removeprefix("run=") for each in arguments if _key(each) == "run"]
    folder = Path(given[-1]) if given else _latest(RUNS.glob("*"))
    if not (folder / _TYPED).is_file():
        raise FileNotFoundError(
            f"There is no training to resume in '{folder}': name its folder by run=."
        )
    began = yaml.safe_load((folder / _TYPED).read_text(encoding="utf-8"))
    run = [] if given else [f"run={folder}"]
    return [each for each in began if _key(each) not in typed | {"run"}] + (
        arguments + run
    )


def _latest(folders: Iterable[Path]) -> Path:
    """Run that began or was resumed last."""
    begun = [folder for folder in folders if (folder / CONFIG).is_file()]
    return max(begun, key=lambda run: (run / CONFIG).stat().st_mtime, default=RUNS)


def _key(argument: str) -> str:
    return argument.partition("=")[0].lstrip("+~")
