# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Which epochs of a run to average, by what its `metrics.csv` tells of them.

DiariZen reads them from its log, rounded to three decimals, and slices past the first
epoch when the best one comes early; here the epochs that there are count, unrounded.
"""

import math
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Literal

from pyannote_diarizen.training.history import History

Rule = Literal["best", "last", "around", "until"]
METRICS = {"loss": "loss/val", "der": "DiarizationErrorRate"}
"""Columns, by the short names that they have here."""


def select_epochs(
    values: Mapping[int, float], rule: Rule, num: int, after_peak: bool = False
) -> list[int]:
    """Choose epochs.

    Parameters
    ----------
    values : mapping of int to float
        Of each epoch that can be chosen, the lower the better.
    rule : {"best", "last", "around", "until"}
        The `num` best ones, the last ones, or as many in a row: around the best one, or
        up to it. "around" stays within the run; "until" gives fewer if the best one
        comes early.
    num : int
    after_peak : bool, optional
        Forget what comes before the highest value: while a model is pruned, it rises
        before it falls. Defaults to False.

    Returns
    -------
    epochs : list of int
        For "best" the best one first, else in order.

    Raises
    ------
    ValueError
        If there are fewer than `num` to choose from.

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
    first = len(epochs) - num
    if rule == "around":
        first = min(max(0, best - num // 2), first)
    return epochs[first : first + num]


def read_metric(run: Path, metric: str) -> dict[int, float]:
    """Read what was measured in each epoch of a run.

    Parameters
    ----------
    run : Path
        Its folder.
    metric : str
        One of `METRICS`, or a column of its table.

    Returns
    -------
    values : dict of int to float
        By epoch; those that are no number are left out.

    Raises
    ------
    FileNotFoundError
        If no epoch was completed.
    ValueError
        If there is no such column; the message lists those that exist.
    """
    history = History.read(run)
    column = METRICS.get(metric, metric)
    if column not in history.names:
        known = ", ".join([*METRICS, *history.names])
        raise ValueError(f"'{run}' has measured no '{metric}', only {known}.")
    values = zip(history.epochs.tolist(), history.column(column).tolist(), strict=True)
    return {epoch: value for epoch, value in values if math.isfinite(value)}


def find_checkpoints(folder: Path) -> dict[int, Path]:
    """Find the checkpoint of each epoch that was kept.

    Parameters
    ----------
    folder : Path
        Its files end in the number of their epoch: `0007.ckpt`, `epoch=0007.ckpt`.
    """
    named = {path: re.search(r"(\d+)$", path.stem) for path in folder.glob("*.ckpt")}
    return {int(match[1]): path for path, match in sorted(named.items()) if match}
