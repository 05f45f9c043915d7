# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Figures of turns by matplotlib, and the colours of speakers."""

import io
import warnings
from collections.abc import Mapping, Sequence
from typing import cast

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pyannote.core import Annotation

from pyannote_diarizen.evaluation.metrics import reference_labels
from pyannote_diarizen.results.error_analysis import DiarizationError, compare
from pyannote_diarizen.rttm import valid_text

SPEAKER_COLORS = (
    *("#0072B2", "#E69F00", "#009E73", "#D55E00", "#56B4E9", "#CC79A7", "#F0E442"),
)
"""Colours that colour-blind people distinguish.

References
----------
Okabe and Ito, "Color universal design", 2008.
"""

SPEAKER_HATCHES = ("", "---", "|||", "+++")
"""Patterns of speakers beyond the number of colours."""

_ERROR_COLORS = {"missed": "#D55E00", "false alarm": "#0072B2", "confusion": "#AA4F86"}
_RESOLUTION = 150
_WIDTH = 10.0
_MAX_NAME = 40
"""Characters of a name that are shown."""


def draw_timeline(annotation: Annotation, ax: Axes | None = None) -> Figure:
    """Draw the turns of a recording, one row per speaker.

    Parameters
    ----------
    annotation : Annotation
    ax : Axes, optional
        Where to draw. Default: a new figure.

    Returns
    -------
    figure : Figure
        Time in seconds, the first speaker on top.

    Examples
    --------
    >>> figure = draw_timeline(pipeline("a.wav").speaker_diarization)  # doctest: +SKIP
    >>> figure.savefig("a.png")                                        # doctest: +SKIP
    """
    speakers = _in_order(annotation)
    if ax is None:
        ax = _new_figure([len(speakers)])[0]
    _draw_rows(ax, annotation, {label: row for row, label in enumerate(speakers)})
    ax.set_xlim(left=0)
    ax.set_xlabel("time (s)")
    figure = ax.get_figure(root=True)
    if figure is None:
        raise ValueError("`ax` should belong to a figure: it was removed.")
    return figure


def draw_comparison(reference: Annotation, hypothesis: Annotation) -> Figure:
    """Draw a reference, a hypothesis and its errors on the same time axis.

    A speaker of the hypothesis has the colour of the speaker of the reference to which
    the diarization error rate maps it; a speaker in excess has a colour of its own.

    Parameters
    ----------
    reference, hypothesis : Annotation
        True turns of speakers, and turns that a pipeline found.

    Returns
    -------
    figure : Figure
        One row per speaker and kind of error, time in seconds.
    """
    comparison = compare(reference, hypothesis)
    mapped = reference_labels(hypothesis, comparison.mapping)
    speakers = list(dict.fromkeys([*reference.labels(), *mapped.values()]))
    order = {speaker: number for number, speaker in enumerate(speakers)}
    above = {label: order[label] for label in reference.labels()}
    below = {
        label: order[mapped[label]]
        for label in sorted(mapped, key=lambda label: order[mapped[label]])
    }
    axes = _new_figure([len(above), len(below), len(_ERROR_COLORS)])
    _draw_rows(axes[0], reference, above, "reference")
    _draw_rows(axes[1], hypothesis, below, "hypothesis")
    _draw_errors(axes[2], comparison.errors)
    axes[-1].set_xlim(left=0)
    axes[-1].set_xlabel("time (s)")
    return cast(Figure, axes[-1].figure)


def to_png(figure: Figure) -> bytes:
    """Return a figure as PNG."""
    content = io.BytesIO()
    with warnings.catch_warnings():
        # letters that the font lacks are boxes, which one sees
        warnings.filterwarnings("ignore", "Glyph .* missing from font")
        figure.savefig(content, format="png", dpi=_RESOLUTION)
    return content.getvalue()


def _in_order(annotation: Annotation) -> list[str]:
    """Speakers in the order of their first turns."""
    return list(
        dict.fromkeys(label for *_, label in annotation.itertracks(yield_label=True))
    )


def _new_figure(num_rows: Sequence[int]) -> Sequence[Axes]:
    """Return the panels of a new figure, with the number of rows of each."""
    heights = [max(1, rows) for rows in num_rows]
    height = 0.6 + 0.35 * sum(heights) + 0.4 * len(heights)
    figure = Figure(figsize=(_WIDTH, height), layout="constrained")
    panels = figure.subplots(len(heights), sharex=True, height_ratios=heights)
    return [panels] if len(heights) == 1 else list(panels)


def _draw_rows(
    axes: Axes, annotation: Annotation, styles: Mapping[str, int], title: str = ""
) -> None:
    """Draw the turns of each speaker; `styles` has the number of its colour."""
    for row, (label, style) in enumerate(styles.items()):
        repeated, color = divmod(style, len(SPEAKER_COLORS))
        turns = [
            (turn.start, turn.duration) for turn in annotation.label_timeline(label)
        ]
        axes.broken_barh(
            turns,
            (row - 0.4, 0.8),
            facecolors=SPEAKER_COLORS[color],
            hatch=SPEAKER_HATCHES[repeated % len(SPEAKER_HATCHES)],
            edgecolor="white",
            linewidth=0,
        )
    _label_rows(axes, [str(label) for label in styles], title)


def _draw_errors(axes: Axes, errors: Sequence[DiarizationError]) -> None:
    for row, (kind, color) in enumerate(_ERROR_COLORS.items()):
        spans = [
            (error.start, error.end - error.start)
            for error in errors
            if error.kind == kind
        ]
        axes.broken_barh(spans, (row - 0.4, 0.8), facecolors=color)
    _label_rows(axes, list(_ERROR_COLORS), "errors")


def _label_rows(axes: Axes, names: list[str], title: str) -> None:
    # dollar signs are no formulas
    axes.set_yticks(range(len(names)), map(_shown, names), parse_math=False)
    axes.set_ylim(max(1, len(names)) - 0.5, -0.5)
    axes.set_title(title, loc="left", fontsize="medium")
    axes.margins(x=0)
    axes.grid(axis="x", alpha=0.3)
    axes.set_axisbelow(True)


def _shown(name: str) -> str:
    """Return a name on one line, its end left out if it is long."""
    printable = (each if each.isprintable() else " " for each in valid_text(name))
    line = " ".join("".join(printable).split())
    return line if len(line) <= _MAX_NAME else f"{line[: _MAX_NAME - 1]}…"
