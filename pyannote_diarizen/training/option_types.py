# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Types of options: a text for a number is refused before anything runs."""

from inspect import Parameter
from types import NoneType
from typing import Any, get_args

from omegaconf import DictConfig
from torch import Tensor

_NUMBERS = {bool, int, float, NoneType, Tensor}
"""Types that no text has."""
SETTINGS = {
    "max_crowded": float,
    "gradient_checkpointing": bool,
    "auto_batch_size": int,
    "validate": bool,
}
"""Types of the options that belong to no class."""


def fits(value: Any, annotation: Any) -> bool:
    """Whether a plain value may have a type; True if the annotation does not decide.

    Examples
    --------
    >>> fits("five", float), fits(2.5, int | None), fits(2, float), fits(None, int)
    (False, False, True, False)
    """
    types = get_args(annotation) or (annotation,)
    if not all(isinstance(each, type) for each in types):
        return True  # such as Literal and Callable
    if value is None:
        return not _NUMBERS.issuperset(types) or NoneType in types
    if isinstance(value, str):
        return not _NUMBERS.issuperset(types)
    return not isinstance(value, float) or not {int, bool, NoneType}.issuperset(types)


def check_option(owner: str, name: str, value: Any, parameter: Parameter) -> None:
    """Raise a `ValueError` if a value does not have the type of a parameter."""
    if value == parameter.default or fits(value, parameter.annotation):
        return
    annotation = parameter.annotation
    kind = annotation.__name__ if isinstance(annotation, type) else annotation
    raise ValueError(f"{owner}: `{name}` should be of type {kind}, got {value!r}.")


def check_settings(config: DictConfig) -> None:
    """Raise a `ValueError` if a setting of `SETTINGS` has another type."""
    for name, kind in SETTINGS.items():
        value = config.get(name)
        if not fits(value, kind):
            raise ValueError(
                f"`{name}` should be of type {kind.__name__}, got {value!r}."
            )
