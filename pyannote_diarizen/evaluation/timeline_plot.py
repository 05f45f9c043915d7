# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Picture of who speaks when: the reference above, the hypothesis below."""

from pathlib import Path

from matplotlib.axes import Axes
from matplotlib.figure import Figure
from pyannote.core import Annotation
from pyannote.metrics.diarization import DiarizationErrorRate

from pyannote_diarizen.atomic import replacing


def draw_timeline(reference: Annotation, hypothesis: Annotation) -> Figure:
    """Draw two annotations of the same file on the same time axis.

    A speaker of the hypothesis has the colour of the speaker of the reference that the
    diarization error rate takes it for; a speaker in excess has a colour of its own.

    Parameters
    ----------
    reference, hypothesis : Annotation
        Who really speaks when, and who is said to.

    Returns
    -------
    figure : Figure
        One row per speaker, time in seconds.
    """
    mapping = DiarizationErrorRate().optimal_mapping(reference, hypothesis)
    taken_for = {
        label: mapping.get(label, ("in excess", label)) for label in hypothesis.labels()
    }
    people = list(dict.fromkeys([*reference.labels(), *taken_for.values()]))
    colors = {person: f"C{index % 10}" for index, person in enumerate(people)}
    above = {label: colors[label] for label in reference.labels()}
    below = {
        label: colors[taken_for[label]]
        for label in sorted(taken_for, key=lambda label: people.index(taken_for[label]))
    }

    heights = [max(1, len(above)), max(1, len(below))]
    figure = Figure(figsize=(10, 1.6 + 0.35 * sum(heights)), layout="constrained")
    axes = figure.subplots(2, 1, sharex=True, height_ratios=heights)
    _draw_rows(axes[0], "reference", reference, above)
    _draw_rows(axes[1], "hypothesis", hypothesis, below)
    axes[1].set_xlim(left=0)
    axes[1].set_xlabel("time (s)")
    return figure


def _draw_rows(
    axes: Axes, name: str, annotation: Annotation, colors: dict[str, str]
) -> None:
    """Draw one row of turns for each speaker, the first speaker on top."""
    for row, (label, color) in enumerate(colors.items()):
        turns = [
            (turn.start, turn.duration) for turn in annotation.label_timeline(label)
        ]
        axes.broken_barh(turns, (row - 0.4, 0.8), facecolors=color)
    axes.set_yticks(range(len(colors)), [str(label) for label in colors])
    axes.set_ylim(max(1, len(colors)) - 0.5, -0.5)
    axes.set_title(name, loc="left", fontsize="medium")
    axes.margins(x=0)
    axes.grid(axis="x", alpha=0.3)


def save_figure(figure: Figure, path: Path) -> None:
    """Write `figure` to `path`, in the format that its suffix names."""
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=150)
