# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Configuration of a training: components by name, and their options.

`model=NAME` and `task=NAME` are entry points of any installed package (see
`pyannote_diarizen.plugins`), `scheduler=NAME` functions of `functional.schedules`. The
options and their defaults are read from the constructors; no YAML repeats them.
"""

import inspect
import sys
from collections.abc import Callable, Iterable, Iterator, Mapping
from dataclasses import is_dataclass
from pathlib import Path
from typing import Any

from hydra.errors import InstantiationException
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, MissingMandatoryValue, OmegaConf
from pyannote.audio.core.task import Task
from torch_audiomentations.core.composition import BaseCompose
from torch_audiomentations.core.transforms_interface import BaseWaveformTransform

import pyannote_diarizen
from pyannote_diarizen.composition import Components
from pyannote_diarizen.corpora.protocols import load_protocol
from pyannote_diarizen.errors import unknown_keys
from pyannote_diarizen.functional.schedules import (
    constant,
    cosine,
    linear,
    noam,
    one_cycle,
)
from pyannote_diarizen.plugins import Group, component_names, load_component
from pyannote_diarizen.simulation.acoustics import Rooms
from pyannote_diarizen.simulation.augmentation import recording_conditions
from pyannote_diarizen.simulation.lazy_speech import LazySpeechPool
from pyannote_diarizen.simulation.recording import Mixing
from pyannote_diarizen.simulation.simulator import ConversationSimulator
from pyannote_diarizen.simulation.turn_taking import TurnTaking
from pyannote_diarizen.tasks.segmentation_distillation import Distillation
from pyannote_diarizen.tasks.wavlm_distillation import WavLMDistillation
from pyannote_diarizen.training.callbacks import ValidationFigures
from pyannote_diarizen.training.checkpoints import EpochCheckpoints
from pyannote_diarizen.training.clipping import PercentileClipping
from pyannote_diarizen.training.option_types import check_option

GROUPS: dict[str, Group] = {"model": "models", "task": "tasks"}
"""Group of components behind each group of the configuration."""

_SCHEDULES = (constant, linear, cosine, one_cycle, noam)
_DEFAULTS: tuple[Callable[..., Any], ...] = (
    Distillation,
    WavLMDistillation,
    PercentileClipping,
    ValidationFigures,
    EpochCheckpoints,
    ConversationSimulator,
    LazySpeechPool,
    Rooms.simulate,
    TurnTaking,
    Mixing,
    recording_conditions,
)
"""Classes whose options YAML files take from `/defaults` in their defaults list."""

PARTS = ("augmentation", "simulator", "distillation")
"""Groups of the configuration that are built first, then given to the task."""

_GIVEN = ("self", "protocol", "task", *PARTS)
"""Arguments that come from the run, not from its configuration."""

_NOTHING = object()

_PLAIN = (bool, int, float, str, type(None))


def register_components() -> None:
    """Register the options of components and schedules with Hydra, by name."""
    describe_components().store()


def describe_components() -> Components:
    """Read the options of components and schedules from their constructors."""
    kinds: dict[str, dict[str, Callable[..., Any]]] = {
        group: {name: load_component(points, name) for name in component_names(points)}
        for group, points in GROUPS.items()
    }
    kinds["scheduler"] = {schedule.__name__: schedule for schedule in _SCHEDULES}
    kinds["defaults"] = {kind.__qualname__: kind for kind in _DEFAULTS}
    configs = {
        group: {name: component_config(kind) for name, kind in named.items()}
        for group, named in kinds.items()
    }
    targets = set(_targets(configs))
    options = {
        target: [name for name in parameters(get_object(target)) if name not in _GIVEN]
        for target in sorted(targets)
    }
    return Components(configs, options, sorted(set(_source_files(targets))))


def _targets(configs: Any) -> Iterator[str]:
    """Yield the dotted paths in nested options."""
    if isinstance(configs, dict):
        for name, value in configs.items():
            if name == "_target_":
                yield value
            else:
                yield from _targets(value)


def _source_files(targets: Iterable[str]) -> Iterator[str]:
    """Yield the files that options and their defaults may come from."""
    yield from map(str, Path(pyannote_diarizen.__file__).parent.rglob("*.py"))
    for kind in map(get_object, targets):
        for parent in getattr(kind, "__mro__", (kind,)):
            file = getattr(sys.modules[parent.__module__], "__file__", None)
            if file:
                yield file


def _dotted(kind: Callable[..., Any]) -> str:
    return f"{kind.__module__}.{kind.__qualname__}"


def component_config(kind: Callable[..., Any]) -> dict[str, Any]:
    """Dotted path of a class or function, and its options with their defaults.

    Parameters
    ----------
    kind : type or callable

    Returns
    -------
    config : dict
        Argument of `build`. Only options whose default is plain (numbers, strings,
        sequences, dataclasses of them) are included.
    """
    return {"_target_": _dotted(kind)} | {
        name: _plain(parameter.default)
        for name, parameter in parameters(kind).items()
        if name not in _GIVEN and _is_plain(parameter.default)
    }


def make_task(config: DictConfig) -> Task:
    """Build the task of a training, with its protocol.

    Parameters
    ----------
    config : DictConfig
        Configuration of a training.

    Raises
    ------
    OSError
        If a file that `config` names does not exist.
    ValueError
        If `config` is wrong.
    """
    protocol = load_protocol(config.protocol, database_of(config))
    # only the chosen ones: some tasks do not take them
    given = {name: build(config[name]) for name in PARTS if config.get(name)}
    if isinstance(given.get("augmentation"), (BaseWaveformTransform, BaseCompose)):
        given["augmentation"].output_type = "dict"  # as pyannote.audio expects
    return build(config.task, protocol=protocol, **given)


def database_of(config: DictConfig) -> Path | None:
    """`database.yml` of a training, if its configuration names one."""
    return Path(config.database) if "database" in config else None


def build(config: DictConfig, **given: Any) -> Any:
    """Build the object that a configuration describes.

    Parameters
    ----------
    config : DictConfig
        Options, and `_target_`: dotted path of a class or function.
    **given
        Arguments that a configuration cannot hold.

    Returns
    -------
    built : Any

    Raises
    ------
    ValueError
        If an option is unknown (the message lists the known ones), missing, of
        another type, or refused by the constructor.
    """
    plain = plain_options(config)
    try:
        return instantiate(plain, _convert_="all", **given)
    except InstantiationException as error:
        raise ValueError(f"{config._target_}: {error.__cause__ or error}") from error


def plain_options(config: DictConfig) -> dict[str, Any]:
    """Return the options of `build` as plain values, or raise its errors about them."""
    if not (isinstance(config, DictConfig) and "_target_" in config):
        raise ValueError(
            f"A component should hold `_target_`, the path of its class, got {config}."
        )
    target = config._target_
    try:
        known = parameters(get_object(target))
    except (ImportError, ValueError) as error:
        raise ValueError(f"_target_={target} cannot be imported: {error}") from error
    for name in map(str, config):
        if name not in known and not name.startswith("_"):
            options = [option for option in known if option not in _GIVEN]
            raise ValueError(unknown_keys(f"of {target}", [name], options))
    try:
        plain: Any = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
    except MissingMandatoryValue as error:
        raise ValueError(f"{target} needs a value for {error.full_key}.") from error
    for name, parameter in known.items():
        if is_dataclass(parameter.default) and "_target_" in plain.get(name, ()):
            plain[name] = _own_options(plain[name], parameter.default)
        elif name in plain:
            check_option(target, name, plain[name], parameter)
    return plain


def _own_options(options: dict[str, Any], default: Any) -> dict[str, Any]:
    """Options of a class or function of one's own, in place of the class of `default`.

    Options of the latter that were not changed are left out. A function is not called,
    but gets its options.
    """
    target = get_object(options["_target_"])
    former = _plain(default)
    known = parameters(target)
    own = {
        name: value
        for name, value in options.items()
        if name in ("_target_", *known) or former.get(name, _NOTHING) != value
    }
    if unknown := [k for k in own if k not in known and not k.startswith("_")]:
        raise ValueError(unknown_keys(f"of {options['_target_']}", unknown, [*known]))
    return own if inspect.isclass(target) else {"_partial_": True, **own}


def parameters(target: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """Parameters of a class or function, by name.

    Parameters
    ----------
    target : type or callable

    Returns
    -------
    parameters : mapping of str to inspect.Parameter
        Parameters of a class include the parameters of parents that get its `**kwargs`.
    """
    if not inspect.isclass(target):
        return inspect.signature(target).parameters
    found: dict[str, inspect.Parameter] = {}
    for name, parameter in _constructor_parameters(target):
        found.setdefault(name, parameter)
    return found


def _constructor_parameters(kind: type) -> Iterator[tuple[str, inspect.Parameter]]:
    for parent in inspect.getmro(kind):
        if "__init__" not in vars(parent):
            continue
        passed_on = False
        for name, parameter in inspect.signature(parent.__init__).parameters.items():  # type: ignore[misc]
            if parameter.kind is inspect.Parameter.VAR_KEYWORD:
                passed_on = True
            elif parameter.kind is not inspect.Parameter.VAR_POSITIONAL:
                yield name, parameter
        if not passed_on:
            return


def _is_plain(value: Any) -> bool:
    """Whether YAML can hold a value."""
    if is_dataclass(value):
        return all(map(_is_plain, vars(value).values()))
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return isinstance(value, _PLAIN)


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        items = {name: _plain(item) for name, item in vars(value).items()}
        return {"_target_": _dotted(type(value)), **items}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
