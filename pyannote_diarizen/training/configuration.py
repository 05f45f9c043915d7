# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Classes that the command line names, with the values that they take.

`model=NAME` and `task=NAME` are entry points of `pyannote_diarizen.models` and
`pyannote_diarizen.tasks`, of whatever package. Their options, and what these are by
default, are those of their constructors: there is no second list to keep in step.
"""

import inspect
from collections.abc import Callable, Iterator, Mapping
from dataclasses import is_dataclass
from typing import Any

from hydra.core.config_store import ConfigStore
from hydra.errors import InstantiationException
from hydra.utils import get_object, instantiate
from omegaconf import DictConfig, MissingMandatoryValue, OmegaConf

from pyannote_diarizen.errors import unknown_keys
from pyannote_diarizen.plugins import Group, component_names, load_component

GROUPS: dict[str, Group] = {"model": "models", "task": "tasks"}
"""Group of components behind each group of the configuration."""

_GIVEN = ("self", "protocol", "task", "augmentation", "simulator", "imitation")
"""What a run gives to its components by itself."""

_PLAIN = (bool, int, float, str, type(None))


def register_components() -> None:
    """Let Hydra find the classes of entry points by their names."""
    store = ConfigStore.instance()
    for group, components in GROUPS.items():
        for name in component_names(components):
            kind = load_component(components, name)
            store.store(name, component_config(kind), group)


def component_config(kind: type) -> dict[str, Any]:
    """Describe a class by its dotted path and its options.

    Parameters
    ----------
    kind : type

    Returns
    -------
    config : dict
        What `build` takes. Options whose default is something else than plain values,
        or a dataclass of those, are left out.
    """
    target = f"{kind.__module__}.{kind.__qualname__}"
    return {"_target_": target} | {
        name: _plain(parameter.default)
        for name, parameter in parameters(kind).items()
        if name not in _GIVEN and _is_plain(parameter.default)
    }


def build(config: DictConfig, **given: Any) -> Any:
    """Make what a configuration describes.

    Parameters
    ----------
    config : DictConfig
        With `_target_`, the dotted path of a class or function.
    **given
        Arguments that no configuration can hold.

    Returns
    -------
    built : Any

    Raises
    ------
    ValueError
        If `config` holds an option that there is not, when the message lists those
        that there are; or one that is refused; or lacks one.
    """
    target = config._target_
    known = parameters(get_object(target))
    for name in map(str, config):
        if name not in known and not name.startswith("_"):
            options = [option for option in known if option not in _GIVEN]
            raise ValueError(unknown_keys(f"of {target}", [name], options))
    try:
        plain = OmegaConf.to_container(config, resolve=True, throw_on_missing=True)
        return instantiate(plain, _convert_="all", **given)
    except MissingMandatoryValue as error:
        raise ValueError(f"{target} needs a value for {error.full_key}.") from error
    except InstantiationException as error:
        raise ValueError(f"{target}: {error.__cause__ or error}") from error


def parameters(target: Callable[..., Any]) -> Mapping[str, inspect.Parameter]:
    """Parameters of a class or function, by name.

    Parameters
    ----------
    target : type or callable

    Returns
    -------
    parameters : mapping of str to inspect.Parameter
        Of a class, also those that it passes on to its parents.
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
    if is_dataclass(value):
        return all(map(_is_plain, vars(value).values()))
    if isinstance(value, (list, tuple)):
        return all(map(_is_plain, value))
    return isinstance(value, _PLAIN)


def _plain(value: Any) -> Any:
    if is_dataclass(value):
        return {name: _plain(item) for name, item in vars(value).items()}
    return [_plain(item) for item in value] if isinstance(value, tuple) else value
