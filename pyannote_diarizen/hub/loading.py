# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""From the name of a pipeline to a pipeline that can be called."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from pyannote.audio import Pipeline
from pyannote.audio.utils.dependencies import (
    MissingDependency,
    WrongDependencyVersion,
)

from pyannote_diarizen.errors import CheckpointMismatchError
from pyannote_diarizen.hub.bundled import resolve_pipeline
from pyannote_diarizen.pipelines import DiariZen

# What a config.yaml with a slip in it brings about.
_BROKEN = (
    *(ImportError, AttributeError, KeyError, RuntimeError, TypeError),
    *(MissingDependency, WrongDependencyVersion),
)


def load_pipeline(
    name_or_path: str | Path, device: str = "auto", preset: str | None = None
) -> Pipeline:
    """Pipeline, ready to be called.

    Parameters
    ----------
    name_or_path : str or Path
        See `resolve_pipeline`.
    device : str
        "cpu", "cuda", "cuda:1", "mps", or "auto": the first GPU if there is one.
    preset : str, optional
        Name of hyper-parameters that come with the pipeline, as in "meeting".

    Returns
    -------
    pipeline : Pipeline
        On `device`.

    Raises
    ------
    FileNotFoundError
        If there is no such pipeline, or it has no such preset.
    ValueError
        If the pipeline cannot be loaded, or this machine lacks `device`.
    """
    chosen = choose_device(device)
    source = resolve_pipeline(name_or_path)
    with naming_in_errors(source):
        pipeline = DiariZen.from_pretrained(source, preset=preset)
    return pipeline.to(chosen)


@contextmanager
def naming_in_errors(source: Path | str) -> Iterator[None]:
    """Raise a `ValueError` that names `source` whatever a broken one brings about."""
    try:
        yield
    except ValueError as error:
        if f"'{source}" in str(error):  # or a file in it
            raise
        kind = type(error) if isinstance(error, CheckpointMismatchError) else ValueError
        raise kind(f"'{source}': {error}") from error
    except _BROKEN as error:
        raise ValueError(
            f"'{source}' cannot be loaded, {type(error).__name__}: {error}"
        ) from error


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
