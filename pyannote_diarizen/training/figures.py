# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Figures of a training: curves of its metrics, and activity in validation chunks."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator

from pyannote_diarizen.training.history import History

VALIDATION_LOSS = "loss/val"
ERROR = "DiarizationErrorRate"
_COMPONENTS = tuple(f"{ERROR}/{name}" for name in ("Miss", "FalseAlarm", "Confusion"))
_PART = "loss/train/"
RATE, NORM = "learning_rate/", "gradient_norm/"
_COLUMNS = 2


@dataclass(frozen=True)
class Chunk:
    """Reference and hypothesis of a chunk.

    Parameters
    ----------
    name : str
        Title of the chunk.
    step : float
        Seconds from a frame to the next.
    reference : (num_frames, num_speakers) np.ndarray
        1 where a speaker is active, else 0.
    hypothesis : (num_frames, num_speakers) np.ndarray
        Probability of activity, speakers in the order of the reference.
    """

    name: str
    step: float
    reference: np.ndarray
    hypothesis: np.ndarray


def draw_chunks(chunks: Sequence[Chunk], title: str) -> Figure:
    """Draw speaker activity in chunks, the reference above the hypothesis.

    Parameters
    ----------
    chunks : sequence of Chunk
    title : str

    Returns
    -------
    figure : Figure
        A speaker has the same row and colour in both. The height in the hypothesis is
        the probability.
    """
    num_rows = -(-len(chunks) // _COLUMNS)
    num_speakers = max(chunk.reference.shape[1] for chunk in chunks)
    # inches: title, then for each row its labels and one band per speaker
    height = 0.6 + num_rows * (1.1 + 0.5 * num_speakers)
    figure = Figure(figsize=(6 * _COLUMNS, height), layout="constrained")
    figure.suptitle(title)
    cells = figure.subfigures(num_rows, _COLUMNS, squeeze=False)
    for cell, chunk in zip(cells.flat, chunks, strict=False):
        above, below = cell.subplots(2, 1, sharex=True)
        above.set_title(chunk.name, loc="left", fontsize="medium")
        _draw_activity(above, "reference", chunk.reference, chunk.step)
        _draw_activity(below, "hypothesis", chunk.hypothesis, chunk.step)
        below.set_xlabel("time (s)")
    return figure


def _draw_activity(axes: Axes, name: str, activity: np.ndarray, step: float) -> None:
    num_frames, num_speakers = activity.shape
    edges = np.arange(num_frames + 1) * step
    for speaker in range(num_speakers):
        # probability as height above the floor of the speaker
        floor = float(num_speakers - 1 - speaker)  # the first speaker on top
        axes.stairs(
            floor + 0.9 * activity[:, speaker],
            edges,
            baseline=floor,
            fill=True,
            color=f"C{speaker % 10}",
        )
        axes.axhline(floor, color="0.8", linewidth=0.5)
    axes.set_ylim(-0.1, num_speakers)
    axes.set_xlim(0, edges[-1])
    axes.set_yticks([])
    axes.set_ylabel(name)


def draw_curves(history: History) -> Figure:
    """Draw the metrics of each epoch.

    Parameters
    ----------
    history : History

    Returns
    -------
    figure : Figure
        One panel for each kind of metric; the epoch with the lowest validation loss is
        marked.

    Raises
    ------
    ValueError
        If there is no metric.
    """
    panels = _panels(history.names)
    if not panels:
        raise ValueError("The history has no metric to draw.")
    num_rows = -(-len(panels) // _COLUMNS)
    figure = Figure(figsize=(6 * _COLUMNS, 3.2 * num_rows), layout="constrained")
    grid = figure.subplots(num_rows, _COLUMNS, squeeze=False)
    for axes, (title, names) in zip(grid.flat, panels.items(), strict=False):
        _draw_panel(axes, title, history, names)
    for axes in grid.flat[len(panels) :]:
        axes.remove()
    return figure


def _panels(names: Sequence[str]) -> dict[str, dict[str, str]]:
    """Metrics of each panel, with their labels."""
    parts = [name for name in names if name.startswith(_PART)]
    panels = {
        "loss": {"loss/train": "training", VALIDATION_LOSS: "validation"},
        "parts of the training loss": {
            name: name.removeprefix(_PART) for name in parts if len(parts) > 1
        },
        "diarization error rate (%)": {ERROR: "total"}
        | {name: name.removeprefix(f"{ERROR}/") for name in _COMPONENTS},
        "learning rate": {
            name: name.removeprefix(RATE) for name in names if name.startswith(RATE)
        },
        "norm of gradients before clipping": {
            name: name.removeprefix(NORM) for name in names if name.startswith(NORM)
        },
    }
    known = {name for columns in panels.values() for name in columns}
    ignored = (_PART, f"{ERROR}/")
    for name in names:
        if name not in known and not name.startswith(ignored):
            panels[name] = {name: name}
    present = {
        title: {name: label for name, label in columns.items() if name in names}
        for title, columns in panels.items()
    }
    return {title: columns for title, columns in present.items() if columns}


def _draw_panel(
    axes: Axes, title: str, history: History, names: dict[str, str]
) -> None:
    scale = 100 if "%" in title else 1
    for name, label in names.items():
        values = scale * history.column(name)
        measured = np.isfinite(values)
        axes.plot(history.epochs[measured], values[measured], ".-", label=label)
    best = history.best(VALIDATION_LOSS)
    if best is not None:
        axes.axvline(best, color="0.6", linestyle=":", zorder=0)
    if title.startswith(("learning rate", "norm")):
        axes.set_yscale("log", nonpositive="clip")
    elif "%" in title:
        axes.set_ylim(bottom=0)
    axes.set_title(title, loc="left", fontsize="medium")
    axes.set_xlabel("epoch")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.grid(alpha=0.3)
    axes.legend(fontsize="small")
