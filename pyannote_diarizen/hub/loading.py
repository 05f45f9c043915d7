# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Loading of a pipeline by name, on a device."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import torch
from pyannote.audio import Pipeline
from pyannote.audio.utils.dependencies import (
    MissingDependency,
    WrongDependencyVersion,
)

from pyannote_diarizen.errors import CheckpointMismatchError, MissingPackagesError
from pyannote_diarizen.hub.bundled import resolve_pipeline
from pyannote_diarizen.pipelines import DiariZen

# Errors of pyannote.audio for a broken config.yaml.
_BROKEN = (
    *(ImportError, AttributeError, KeyError, RuntimeError, TypeError),
    *(MissingDependency, WrongDependencyVersion),
)


def load_pipeline(
    name_or_path: str | Path, device: str = "auto", preset: str | None = None
) -> Pipeline:
    """Load a pipeline.

    Parameters
    ----------
    name_or_path : str or Path
        See `resolve_pipeline`.
    device : str
        "cpu", "cuda", "cuda:1", "mps", or "auto", see `choose_device`.
    preset : str, optional
        Name of hyper-parameters that come with the pipeline, as in "meeting".

    Returns
    -------
    pipeline : Pipeline
        Pipeline on `device`.

    Raises
    ------
    FileNotFoundError
        If the pipeline or the preset does not exist.
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
    """Convert errors of a broken pipeline to a `ValueError` that names `source`."""
    try:
        yield
    except (ValueError, MissingPackagesError) as error:
        if f"'{source}" in str(error):  # or a path inside
            raise
        kind = type(error) if isinstance(error, CheckpointMismatchError) else ValueError
        raise kind(f"'{source}': {error}") from error
    except _BROKEN as error:
        raise ValueError(
            f"'{source}' cannot be loaded, {type(error).__name__}: {error}"
        ) from error


def choose_device(device: str = "auto") -> torch.device:
    """Return the device, after a check that this machine has it.

    "auto" is CUDA, else MPS, else the CPU.
    """
    if device == "auto":
        mps = "mps" if torch.backends.mps.is_available() else "cpu"
        return torch.device("cuda" if torch.cuda.is_available() else mps)
    try:
        chosen = torch.device(device)
        torch.zeros(1, device=chosen).cpu()  # "meta" has no values to copy
    except (RuntimeError, AssertionError, ImportError) as error:
        reason = str(error).splitlines()[0]
        raise ValueError(
            f"Device '{device}' cannot be used here, use 'cpu' or 'auto': {reason}"
        ) from error
    return chosen
