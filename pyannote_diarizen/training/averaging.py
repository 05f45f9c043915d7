# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Weight averaging: one model whose weights are the mean over several epochs.

Epochs are chosen by a metric of `metrics.csv`. DiariZen reads it from its log, rounded
to three decimals, and selects too few epochs if the best one comes early; here, values
are exact and selections stay within the run.
"""

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

from pyannote.audio.core.model import Model

from pyannote_diarizen.errors import CheckpointMismatchError
from pyannote_diarizen.models.checkpoint import (
    WEIGHTS,
    build_model,
    read_model,
    save_model,
)
from pyannote_diarizen.training.checkpoints import CHECKPOINTS, find_checkpoints
from pyannote_diarizen.training.history import History
from pyannote_diarizen.weights import load_weights

AVERAGE = "average"
"""Subfolder of a run for the averaged model."""

NUM_AVERAGED = 5
"""Number of epochs in recipes of DiariZen."""

Rule = Literal["best", "last", "around", "until"]
METRICS = {"loss": "loss/val", "der": "DiarizationErrorRate"}
"""Column of each short name."""


@dataclass(frozen=True)
class Average:
    """Averaged model.

    Parameters
    ----------
    path : Path
        Checkpoint of the model.
    values : dict of int to float
        Metric of each averaged epoch.
    """

    path: Path
    values: dict[int, float]


def average_run(
    run: Path,
    rule: Rule = "best",
    num: int = NUM_AVERAGED,
    metric: str = "loss",
    into: Path | None = None,
    overwrite: bool = False,
) -> Average:
    """Average epochs of a run and write the model.

    Parameters
    ----------
    run : Path
        Folder of the run.
    rule, num
        See `select_epochs`.
    metric : str, optional
        See `read_metric`. Defaults to "loss".
    into : Path, optional
        Output folder. Defaults to `average/` of the run.
    overwrite : bool, optional
        Replace a former result. Defaults to False.

    Raises
    ------
    OSError
        If a file of the run is missing, or the output exists or cannot be written.
    ValueError
        If there are too few epochs, or a file is no checkpoint.
    CheckpointMismatchError
        If architectures differ.
    """
    path = output_path(run, into, overwrite)
    checkpoints = find_checkpoints(run / CHECKPOINTS)
    kept = kept_epochs(run, metric)
    epochs = select_epochs(kept, rule, num)
    model = average_checkpoints([checkpoints[epoch] for epoch in epochs])
    save_model(model, path)
    return Average(path, {epoch: kept[epoch] for epoch in epochs})


def output_path(run: Path, into: Path | None, overwrite: bool) -> Path:
    """Path of an averaged model, see `average_run`, after a check that it is free."""
    path = (run / AVERAGE if into is None else into) / WEIGHTS
    if path.exists() and not overwrite:
        raise FileExistsError(
            f"'{path}' exists: replace it by --overwrite, or choose another folder."
        )
    return path


def average_pruned(run: Path) -> Model:
    """Average the epochs of the first stage that DiariZen prunes.

    They are the ones with the lowest total loss after its peak, among those at which
    the sparsity had reached its target; fewer than five if there are fewer.

    Parameters
    ----------
    run : Path
        Folder of the run.

    Returns
    -------
    model : Model
        With gates.
    """
    reached = kept_epochs(run, "loss")
    totals = {
        epoch: total
        for epoch, total in kept_epochs(run, "loss/val/total").items()
        if epoch in reached
    }
    peak = max(totals, key=totals.__getitem__)
    num = sum(epoch > peak for epoch in totals)
    if num:
        epochs = select_epochs(totals, "best", min(NUM_AVERAGED, num), after_peak=True)
    else:  # the loss still rises
        epochs = [peak]
    checkpoints = find_checkpoints(run / CHECKPOINTS)
    return average_checkpoints([checkpoints[epoch] for epoch in epochs])


def kept_epochs(run: Path, metric: str) -> dict[int, float]:
    """Read a metric of the epochs of a run that have a checkpoint.

    Parameters
    ----------
    run : Path
        Folder of the run.
    metric : str
        See `read_metric`, whose errors apply.

    Returns
    -------
    values : dict of int to float
        Finite values, by epoch.

    Raises
    ------
    FileNotFoundError
        If there is no checkpoint of an epoch.
    """
    checkpoints = find_checkpoints(run / CHECKPOINTS)
    if not checkpoints:
        raise FileNotFoundError(
            f"'{run / CHECKPOINTS}' holds no checkpoint of an epoch."
        )
    values = read_metric(run, metric)
    return {epoch: values[epoch] for epoch in sorted(values.keys() & checkpoints)}


def average_checkpoints(paths: Sequence[Path]) -> Model:
    """Load the mean of several checkpoints.

    Parameters
    ----------
    paths : sequence of Path
        Checkpoints of Lightning, of one architecture.

    Returns
    -------
    model : Model
        Weights are means, summed in double precision; integers are rounded down.
        Weights that only the training needs are left out.

    Raises
    ------
    CheckpointMismatchError
        If their architectures or the names of their weights differ.
    ValueError
        If a file is no checkpoint.
    """
    first = read_model(paths[0])
    model = build_model(first, paths[0])
    known = {name.partition(".")[0] for name in model.state_dict()}
    # sums over checkpoints, in double precision
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
    # conversion to integers rounds down: counts are not negative
    mean = {name: (total[name] / len(paths)).to(kinds[name]) for name in total}
    load_weights(model, mean, paths[0])
    return model.eval()


def _check_same(first: Mapping[str, Any], other: Any, path: Path) -> None:
    """Raise an error if two checkpoints differ in more than the values of weights."""
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


def select_epochs(
    values: Mapping[int, float], rule: Rule, num: int, after_peak: bool = False
) -> list[int]:
    """Select epochs by their metric.

    Parameters
    ----------
    values : mapping of int to float
        Metric of each epoch with a checkpoint; lower is better.
    rule : {"best", "last", "around", "until"}
        The `num` best epochs, the last ones, or consecutive ones: around the best one,
        or up to it. "around" stays within the run; "until" gives fewer than `num` if
        the best epoch comes early.
    num : int
        Number of epochs.
    after_peak : bool, optional
        Whether to skip the epochs up to the highest value: while a model is pruned, the
        loss rises before it falls. Defaults to False.

    Returns
    -------
    epochs : list of int
        Sorted by metric for "best", by epoch otherwise.

    Raises
    ------
    ValueError
        If there are fewer than `num` epochs.

    Examples
    --------
    >>> values = {0: 0.9, 1: 0.5, 2: 0.4, 3: 0.6, 4: 0.7}
    >>> select_epochs(values, "best", 3), select_epochs(values, "around", 3)
    ([2, 1, 3], [1, 2, 3])
    """
    epochs = sorted(values)
    if after_peak:
        peak = max(epochs, key=values.__getitem__)
        epochs = [epoch for epoch in epochs if epoch > peak]
    if not 0 < num <= len(epochs):
        raise ValueError(f"There are {len(epochs)} epochs to choose from, not {num}.")
    best = min(range(len(epochs)), key=lambda index: values[epochs[index]])
    if rule == "best":
        return sorted(epochs, key=values.__getitem__)[:num]
    if rule == "until":
        return epochs[max(0, best + 1 - num) : best + 1]
    first = len(epochs) - num  # "last"
    if rule == "around":
        # centred on the best epoch, shifted to stay within the run
        first = min(max(0, best - num // 2), first)
    return epochs[first : first + num]


def read_metric(run: Path, metric: str) -> dict[int, float]:
    """Read a metric of each epoch of a run.

    Parameters
    ----------
    run : Path
        Folder of the run.
    metric : str
        One of `METRICS`, or a column of `metrics.csv`.

    Returns
    -------
    values : dict of int to float
        Finite values, by epoch.

    Raises
    ------
    FileNotFoundError
        If no epoch was completed.
    ValueError
        If there is no such column; the message lists the existing ones.
    """
    history = History.read(run)
    column = METRICS.get(metric, metric)
    if column not in history.names:
        known = ", ".join([*METRICS, *history.names])
        raise ValueError(f"'{run}' has no metric '{metric}', only {known}.")
    values = zip(history.epochs.tolist(), history.column(column).tolist(), strict=True)
    return {epoch: value for epoch, value in values if math.isfinite(value)}
