# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Components by name: classes that any installed package registers as entry points.

A package adds one to its own pyproject.toml, and it is found by its name:

    [project.entry-points."pyannote_diarizen.models"]
    MyModel = "my_package.models:MyModel"
"""

from importlib.metadata import EntryPoint, entry_points
from typing import Any, Literal

from pyannote_diarizen.errors import unknown_keys

Group = Literal["models", "tasks", "clustering", "pipelines", "exporters"]


def component_names(group: Group) -> list[str]:
    """Names of the components of a group, sorted.

    Parameters
    ----------
    group : {"models", "tasks", "clustering", "pipelines", "exporters"}
        Last part of the name of the group of entry points.
    """
    return sorted(entry_points(group=f"pyannote_diarizen.{group}").names)


def load_component(group: Group, name: str) -> Any:
    """Import a component.

    Parameters
    ----------
    group : {"models", "tasks", "clustering", "pipelines", "exporters"}
        Last part of the name of the group of entry points.
    name : str
        Name of the entry point.

    Returns
    -------
    component : Any
        Class or function.

    Raises
    ------
    ValueError
        If no package registers `name` (the message lists the registered names), two
        packages do, or the import fails.

    Examples
    --------
    >>> load_component("models", "FBankConformer").__name__
    'FBankConformer'
    """
    points = list(entry_points(group=f"pyannote_diarizen.{group}", name=name))
    if not points:
        raise ValueError(unknown_keys(f"in {group}", [name], component_names(group)))
    if len(points) > 1:
        packages = " and ".join(sorted(map(_package, points)))
        raise ValueError(
            f"{packages} both register '{name}' in the entry points "
            f"pyannote_diarizen.{group}: uninstall one of them."
        )
    try:
        return points[0].load()
    except (AttributeError, ImportError) as error:
        raise ValueError(
            f"'{name}' in {group} is registered by {_package(points[0])} as "
            f"{points[0].value}, which cannot be imported: {error}"
        ) from error


def _package(point: EntryPoint) -> str:
    return point.dist.name if point.dist else "an unnamed package"
