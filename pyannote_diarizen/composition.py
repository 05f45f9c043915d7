# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Composition of the configuration of a training, without importing torch.

The options of components are read from their constructors, which takes the import of
torch and pyannote.audio. They are cached: a wrong command line is refused at once.
"""

import json
import sys
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from dataclasses import asdict, dataclass
from importlib.metadata import entry_points
from pathlib import Path
from typing import Any

import yaml
from hydra.core.config_store import ConfigStore
from omegaconf import DictConfig, OmegaConf
from omegaconf.errors import OmegaConfBaseException

from pyannote_diarizen.atomic import write_file
from pyannote_diarizen.errors import unknown_keys
from pyannote_diarizen.resources import cache_folder

CONFIG = "config.yaml"
"""Configuration of a run."""

RUNS = Path("runs")
"""Folder of runs without a name, as in `hparams/config.yaml`."""

OVERRIDES = Path(".hydra") / "overrides.yaml"
"""Options of the command line of a run."""

ADDED = ("database", "pretrained", "resume")
"""Options that `hparams/config.yaml` does not hold: a plus adds them."""

_WITHOUT_OPTIONS = "own"
"""Choice of a group whose class is given by `_target_`."""

_REPLACED = ("model", "scheduler")
"""Groups whose options mean nothing to a class given by `_target_`."""

_ENTRY_POINTS = ("pyannote_diarizen.models", "pyannote_diarizen.tasks")


@dataclass(frozen=True)
class Components:
    """Options of components, as Hydra composes them.

    Parameters
    ----------
    configs : dict
        Options with their defaults, by group and name.
    options : dict
        Names of all options of each class or function, by its dotted path.
    files : list of str
        Files that the options were read from.
    """

    configs: dict[str, dict[str, dict[str, Any]]]
    options: dict[str, list[str]]
    files: list[str]

    def store(self) -> None:
        """Register the options with Hydra."""
        store = ConfigStore.instance()
        for group, configs in self.configs.items():
            for name, config in configs.items():
                store.store(name, config, group)
        for group in _REPLACED:
            store.store(_WITHOUT_OPTIONS, {}, group)

    def check(self, config: DictConfig) -> None:
        """Refuse unknown options of components, and options without a value.

        Raises
        ------
        ValueError
            The message lists the known options, or those without a value.
        """
        for group in map(str, config):
            node = OmegaConf.select(config, group)
            target = node.get("_target_") if isinstance(node, DictConfig) else None
            if target in self.options:
                known = self.options[target]
                for key in map(str, node):
                    if key not in known and not key.startswith("_"):
                        raise ValueError(unknown_keys(f"in '{group}'", [key], known))
        described = OmegaConf.to_yaml(config)  # with references as they are written
        missing = [
            f"+{name}"
            for name in ADDED
            if f"${{{name}}}" in described and name not in config
        ] or sorted(OmegaConf.missing_keys(config))
        if missing:
            typed = " ".join(f"{name}=..." for name in missing)
            raise ValueError(f"Value(s) are missing: add {typed}")


def cached_components(describe: Callable[[], Components]) -> Components:
    """Read components from the cache, or describe and cache them.

    Parameters
    ----------
    describe : callable
        Imports and describes the components.

    Returns
    -------
    components : Components
        Those of the cache, unless a file, an entry point or the environment changed.
    """
    cache = cache_folder() / "options.json"
    # another environment, or checkout, has other files
    owner = [sys.prefix, __file__, _entry_points()]
    with suppress(OSError, ValueError, KeyError, TypeError):
        stored = json.loads(cache.read_text(encoding="utf-8"))
        if stored["key"] == [owner, _states(stored["components"]["files"])]:
            return Components(**stored["components"])
    components = describe()
    described = {
        "key": [owner, _states(components.files)],
        "components": asdict(components),
    }
    with suppress(OSError):  # a folder that is not writable
        write_file(json.dumps(described), cache)
    return components


def _entry_points() -> list[list[str]]:
    return sorted(
        [group, point.name, point.value]
        for group in _ENTRY_POINTS
        for point in entry_points(group=group)
    )


def _states(files: Iterable[str]) -> list[list[int]]:
    """Time and size of each file."""
    states = [Path(file).stat() for file in files]
    return [[state.st_mtime_ns, state.st_size] for state in states]


def explain_unknown_key(
    error: Exception, components: Components, arguments: Sequence[str]
) -> str | None:
    """Compose the message for an unknown key: known keys, or the plus that it needs.

    Parameters
    ----------
    error : Exception
        Raised by Hydra.
    components : Components
    arguments : sequence of str
        Arguments of the command line.

    Returns
    -------
    message : str or None
        One line; None if the error is another one.
    """
    cause = error.__cause__
    if not isinstance(cause, OmegaConfBaseException):
        return None
    if not isinstance(cause.parent_node, DictConfig):
        return None
    name = str(cause.full_key)
    where, _, key = name.rpartition(".")
    listed = [str(each) for each in cause.parent_node if each != "_target_"]
    typed = next((each for each in arguments if _key(each).startswith(name)), name)
    target = cause.parent_node.get("_target_") if where else None
    addable = components.options.get(str(target), []) if where else list(ADDED)
    if key in addable:
        return f"'{name}' has no default, a plus adds it: +{typed}"
    known = [*listed, *(each for each in addable if each not in listed)]
    message = unknown_keys(f"in '{where}'" if where else "to set", [key], known)
    if where and target not in components.options:
        owner = f"options of {target}" if target else "keys"
        message += f" A plus adds other {owner}: +{typed}"
    return message


def complete_arguments(arguments: list[str]) -> list[str]:
    """Add the arguments of the former run to `+resume=`.

    Parameters
    ----------
    arguments : list of str
        Arguments of the command line. The run to resume is that of the checkpoint, or
        with `+resume=last` that of `run=FOLDER`, by default the latest in `runs/`.

    Returns
    -------
    arguments : list of str
        Arguments of the run that are not given again, then `arguments`.
        Unchanged without `+resume=`.

    Raises
    ------
    FileNotFoundError
        If there is no run for `+resume=last`.
    ValueError
        If its options cannot be read.
    """
    typed = {_key(each): each.partition("=")[2] for each in arguments}
    if "resume" not in typed:
        return arguments
    is_last = typed["resume"] == "last"
    if not is_last:
        folder = Path(typed["resume"]).parent.parent  # of checkpoints/0000.ckpt
    else:
        folder = Path(typed["run"]) if "run" in typed else _latest(RUNS.glob("*"))
    if not (folder / OVERRIDES).is_file():
        if not is_last:
            return arguments
        raise FileNotFoundError(
            f"There is no training to resume in '{folder}': give its folder by run=."
        )
    former = yaml.safe_load((folder / OVERRIDES).read_text(encoding="utf-8"))
    if not (isinstance(former, list) and all(isinstance(each, str) for each in former)):
        raise ValueError(
            f"'{folder / OVERRIDES}' should list the options of the training: give "
            "them again, without +resume=last."
        )
    run = [f"run={folder}"] if is_last and "run" not in typed else []
    kept = [each for each in former if _key(each) not in {*typed, "run"}]
    return [*kept, *arguments, *run]


def free_options(arguments: Sequence[str]) -> list[str]:
    """Add two plus signs to the options of classes that are given by `_target_`.

    Parameters
    ----------
    arguments : sequence of str
        Arguments of the command line.

    Returns
    -------
    arguments : list of str
        Hydra then accepts options that the group does not have.

    Examples
    --------
    >>> free_options(["model._target_=my.Model", "model.width=3", "seed=1"])
    ['model=own', '++model._target_=my.Model', '++model.width=3', 'seed=1']
    """
    keys = [_key(argument) for argument in arguments]
    free = [key.removesuffix("_target_") for key in keys if key.endswith("._target_")]
    own = [
        f"{group}={_WITHOUT_OPTIONS}"
        for group in _REPLACED
        if f"{group}." in free and group not in keys
    ]
    return own + [
        f"++{argument.lstrip('+')}"
        if key.startswith(tuple(free)) and argument[0] != "~"
        else argument
        for key, argument in zip(keys, arguments, strict=True)
    ]


def _latest(folders: Iterable[Path]) -> Path:
    """Run that was started or resumed last."""
    started = [folder for folder in folders if (folder / CONFIG).is_file()]
    return max(started, key=lambda run: (run / CONFIG).stat().st_mtime, default=RUNS)


def _key(argument: str) -> str:
    return argument.partition("=")[0].lstrip("+~")
