# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Folder of a run: its configuration, and the checkpoint that a training resumes from.

`config.yaml` and `.hydra/overrides.yaml` are written together, once the run is known to
be possible: an option that is refused leaves them as they are.
"""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf
from torch import nn

from pyannote_diarizen.atomic import expand_home, write_file
from pyannote_diarizen.composition import CONFIG, OVERRIDES
from pyannote_diarizen.training.checkpoints import LAST
from pyannote_diarizen.weights import read_weights

_FIXED = ("optimizer.", "backbone.", "task.max_speakers_per_")
"""Options that cannot change: the checkpoint holds the optimizer and the classes."""
_NOT_COMPARED = ("resume", "validate", "auto_batch_size")


def write_start(config: DictConfig, overrides: Sequence[str]) -> None:
    """Write the resolved `config` and the options of the command line.

    Parameters
    ----------
    config : DictConfig
        `config.run` is the folder.
    overrides : sequence of str
        Options that `+resume=last` repeats.
    """
    folder = Path(config.run)
    write_file(yaml.safe_dump(list(overrides)), folder / OVERRIDES)
    write_file(OmegaConf.to_yaml(config, resolve=True), folder / CONFIG)


def checkpoint_to_resume(config: DictConfig) -> Path | None:
    """Checkpoint that training resumes from.

    Parameters
    ----------
    config : DictConfig
        `config.run` is the folder; `config.resume`, optional, is "last" or the path of
        a checkpoint. Without it, the same configuration goes on where it ended.

    Returns
    -------
    checkpoint : Path or None
        None if the run is new, or was interrupted before its first checkpoint.

    Raises
    ------
    FileNotFoundError
        If `config.resume` is a path that does not exist.
    FileExistsError
        If the folder holds a training with another configuration.
    IsADirectoryError
        If a folder has the name of a file of the run.
    ValueError
        If an option changed that cannot change.
    """
    folder, resume = Path(config.run), config.get("resume", "last")
    for path in (folder / CONFIG, folder / OVERRIDES, folder / LAST):
        if path.is_dir():
            raise IsADirectoryError(
                f"'{path}' should be a file, but is a folder: remove it, or choose "
                "another folder by run=."
            )
    last = folder / LAST
    checkpoint = last if resume == "last" else expand_home(resume).absolute()
    if resume != "last" and not checkpoint.is_file():
        raise FileNotFoundError(
            f"`resume` should be 'last' or a checkpoint, but there is no '{resume}'."
        )
    inside = folder.resolve() in checkpoint.resolve().parents
    if ("resume" not in config or not inside) and _is_started(folder):
        changed = changed_options(folder, config)
        if changed or not (folder / CONFIG).is_file():
            raise FileExistsError(
                f"'{folder}' holds a training with another configuration"
                f"{_listed(changed)}: add +resume=last to go on with it, or choose "
                "another folder by run=."
            )
        if resume != "last" and resume != _stored_resume(folder):
            raise FileExistsError(
                f"'{folder}' holds a training that did not start from '{resume}': use "
                "+resume=last to go on with it, or choose another folder by run=."
            )
        if last.is_file():  # otherwise no epoch was completed
            checkpoint = last
    if not checkpoint.is_file():
        return None
    fixed = [
        name
        for name in changed_options(checkpoint.parents[1], config)
        if name.startswith(_FIXED)
    ]
    _refuse(fixed, checkpoint)
    return checkpoint


def _is_started(folder: Path) -> bool:
    return (folder / CONFIG).is_file() or (folder / LAST).is_file()


def _stored_resume(folder: Path) -> str | None:
    """Checkpoint that the run in a folder started from, if any."""
    return OmegaConf.select(OmegaConf.load(folder / CONFIG), "resume")


def _listed(changed: Iterable[str]) -> str:
    names = ", ".join(changed)
    return f" ({names})" if names else ""


def check_weights(model: nn.Module, checkpoint: Path, config: DictConfig) -> None:
    """Check that the weights of a checkpoint fit the model of a configuration.

    Parameters
    ----------
    model : nn.Module
    checkpoint : Path
    config : DictConfig

    Raises
    ------
    ValueError
        If names or shapes differ; the message lists the options that changed.
    """
    # the checkpoint is our own, and the specifications of its model are objects
    content = read_weights(checkpoint, weights_only=False)
    if not isinstance(content, Mapping) or "state_dict" not in content:
        raise ValueError(f"'{checkpoint}' is not a checkpoint of a training.")
    stored = content["state_dict"]
    weights = model.state_dict()
    # parts that `setup` adds later, as the classifier, are not built yet
    built = {name.partition(".")[0] for name in weights}
    shapes = {k: v.shape for k, v in stored.items() if k.partition(".")[0] in built}
    differing = [
        name
        for name in {**shapes, **weights}
        if name not in shapes or shapes[name] != getattr(weights.get(name), "shape", 0)
    ]
    if differing:
        changed = changed_options(checkpoint.parents[1], config)
        options = [k for k in changed if k.startswith(("model.", "pretrained"))]
        _refuse(options or [f"the model: {differing[0]}"], checkpoint)


def _refuse(options: Sequence[str], checkpoint: Path) -> None:
    if options:
        raise ValueError(
            f"A training that resumes cannot change {', '.join(options)}: "
            f"'{checkpoint}' does not fit. Leave it out, or start a new training in "
            "another folder by run=."
        )


def changed_options(folder: Path, config: DictConfig) -> list[str]:
    """Options that differ from those of the run in a folder.

    Parameters
    ----------
    folder : Path
    config : DictConfig

    Returns
    -------
    changed : list of str
        "name=value", with the value of `config`; none if the folder has no
        configuration. `run`, `resume`, `validate` and `auto_batch_size` do not count.
    """
    if not (folder / CONFIG).is_file():
        return []
    former = OmegaConf.load(folder / CONFIG)
    # paths inside the folder depend on its name
    current = OmegaConf.merge(config, {"run": former.run})
    old, new = (
        dict(_flat(OmegaConf.to_container(x, resolve=True))) for x in (former, current)
    )
    return [
        f"{name}={_shown(new.get(name))}"
        for name in {**old, **new}
        if name.rpartition(".")[2] not in _NOT_COMPARED
        and old.get(name) != new.get(name)
    ]


def _shown(value: Any) -> Any:
    return "null" if value is None else value


def _flat(nested: Any, prefix: str = "") -> Iterator[tuple[str, Any]]:
    for name, value in nested.items():
        if isinstance(value, Mapping):
            yield from _flat(value, f"{prefix}{name}.")
        else:
            yield f"{prefix}{name}", value
