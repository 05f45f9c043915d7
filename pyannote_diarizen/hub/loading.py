# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""From the name of a pipeline to a pipeline that can be called."""

from pathlib import Path
from pickle import UnpicklingError
from typing import cast

import torch
from pyannote.audio import Pipeline
from pyannote.audio.utils.dependencies import (
    MissingDependency,
    WrongDependencyVersion,
)
from yaml import YAMLError

from pyannote_diarizen.hub.bundled import resolve_pipeline

# What a config.yaml with a slip in it, or weights of something else, bring about.
_BROKEN = (
    *(ImportError, KeyError, RuntimeError, TypeError, UnpicklingError, YAMLError),
    *(MissingDependency, WrongDependencyVersion),
)


def load_pipeline(name_or_path: str | Path, device: str = "auto") -> Pipeline:
    """Pipeline, ready to be called.

    Parameters
    ----------
    name_or_path : str or Path
        See `resolve_pipeline`.
    device : str
        "cpu", "cuda", "cuda:1", "mps", or "auto": the first GPU if there is one.

    Returns
    -------
    pipeline : Pipeline
        On `device`.

    Raises
    ------
    FileNotFoundError
        If there is no such pipeline.
    ValueError
        If the pipeline cannot be loaded, or this machine lacks `device`.
    """
    chosen = choose_device(device)
    source = resolve_pipeline(name_or_path)
    try:
        # `Optional` in its signature is a left-over: without a pipeline it raises
        pipeline = cast(Pipeline, Pipeline.from_pretrained(source))
    except _BROKEN as error:
        raise ValueError(
            f"Pipeline '{source}' cannot be loaded, {type(error).__name__}: {error}"
        ) from error
    return pipeline.to(chosen)


def choose_device(device: str = "auto") -> torch.device:
    """Device called `device`, once checked that this machine has it."""
    if device == "auto":
        return torch.device("cuda" if torch.cuda.is_available() else "cpu")
    try:
        chosen = torch.device(device)
        torch.empty(0, device=chosen)
    except (RuntimeError, AssertionError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"Device '{device}' cannot be used here, use 'cpu' or 'auto': {reason}"
        ) from error
    return chosen
