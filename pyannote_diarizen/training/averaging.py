# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""One model whose weights are the mean of those of several epochs."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import torch
from pyannote.audio.core.model import Model
from torch import Tensor

from pyannote_diarizen.atomic import replacing
from pyannote_diarizen.errors import CheckpointMismatchError
from pyannote_diarizen.models.checkpoint import (
    WEIGHTS,
    build_model,
    read_model,
    save_model,
)
from pyannote_diarizen.training.checkpoints import LAST
from pyannote_diarizen.training.selection import (
    Rule,
    find_checkpoints,
    read_metric,
    select_epochs,
)
from pyannote_diarizen.weights import load_weights

AVERAGE = "average"
"""Folder, in that of a run, of the model that was averaged."""


@dataclass(frozen=True)
class Average:
    """A model that was averaged.

    Parameters
    ----------
    path : Path
        Its checkpoint.
    values : dict of int to float
        Of each epoch that it is made of.
    """

    path: Path
    values: dict[int, float]


def average_run(
    run: Path,
    rule: Rule = "best",
    num: int = 5,
    metric: str = "loss",
    after_peak: bool = False,
    into: Path | None = None,
) -> Average:
    """Average epochs of a run, and write the model.

    Parameters
    ----------
    run : Path
        Its folder.
    rule, num, after_peak
        See `select_epochs`.
    metric : str, optional
        See `read_metric`. Defaults to "loss".
    into : Path, optional
        Folder to write to, whole or not at all. Defaults to `average/` of the run.

    Raises
    ------
    OSError
        If something of the run is missing, or nothing can be written.
    ValueError
        If there are too few epochs, or a checkpoint is none.
    CheckpointMismatchError
        If they are not of one architecture.
    """
    folder = (run / LAST).parent
    checkpoints = find_checkpoints(folder)
    if not checkpoints:
        raise FileNotFoundError(f"'{folder}' holds no checkpoint of an epoch.")
    values = read_metric(run, metric)
    kept = {
        epoch: values[epoch] for epoch in sorted(checkpoints.keys() & values.keys())
    }
    epochs = select_epochs(kept, rule, num, after_peak)
    model = average_checkpoints([checkpoints[epoch] for epoch in epochs])
    path = (run / AVERAGE if into is None else into) / WEIGHTS
    with replacing(path) as temporary:
        save_model(model, temporary)
    return Average(path, {epoch: kept[epoch] for epoch in epochs})


def average_checkpoints(paths: Sequence[Path]) -> Model:
    """Load several checkpoints as one model.

    Parameters
    ----------
    paths : sequence of Path
        Written by Lightning, of one architecture.

    Returns
    -------
    model : Model
        Each weight is the mean, summed in double precision; counts, which are whole,
        are rounded down. What served training only is left out.

    Raises
    ------
    CheckpointMismatchError
        If they differ in architecture, or in which weights there are.
    ValueError
        If one is no checkpoint.
    """
    first = read_model(paths[0])
    model = build_model(first, paths[0])
    known = {name.partition(".")[0] for name in model.state_dict()}
    total = {
        name: weight.double()
        for name, weight in first["state_dict"].items()
        if name.partition(".")[0] in known
    }
    for path in paths[1:]:
        other = read_model(path)
        _check_same(first, other, path)
        for name, weight in total.items():
            weight += other["state_dict"][name].double()
    kinds = {name: first["state_dict"][name].dtype for name in total}
    mean = {name: _as(kinds[name], total[name] / len(paths)) for name in total}
    load_weights(model, mean, paths[0])
    return model.eval()


def _as(kind: torch.dtype, mean: Tensor) -> Tensor:
    # the sum of whole numbers is exact, the division not quite
    return mean.to(kind) if kind.is_floating_point else mean.add(1e-9).floor().to(kind)


def _check_same(first: Mapping[str, Any], other: Any, path: Path) -> None:
    """Raise an error unless two checkpoints differ in nothing but their weights."""
    try:
        one, two = (_structure(checkpoint) for checkpoint in (first, other))
    except (KeyError, TypeError) as error:
        raise ValueError(f"'{path}' is no checkpoint of pyannote.audio.") from error
    differing = [name for name in {**one, **two} if one.get(name) != two.get(name)]
    if differing:
        raise CheckpointMismatchError(
            f"'{path}' is of another architecture than the first: they differ in "
            f"{', '.join(differing[:5])}. Is it of another run?"
        )


def _structure(checkpoint: Mapping[str, Any]) -> dict[str, Any]:
    described = checkpoint["pyannote.audio"]
    return {
        "architecture": described["architecture"],
        "specifications": described["specifications"],
        **checkpoint.get("hyper_parameters", {}),
        **{name: weight.shape for name, weight in checkpoint["state_dict"].items()},
    }
