# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Figures: evidence for numbers of speakers, studies of tuning, error rates."""

from collections.abc import Sequence
from pathlib import Path

import numpy as np
import optuna
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from optuna.trial import TrialState

from pyannote_diarizen.atomic import replacing
from pyannote_diarizen.clustering.num_speakers import NumSpeakersEvidence
from pyannote_diarizen.evaluation.study import choose_trial

_COLUMNS = 3
_NUM_NAMED = 5
_SHOWN = 0.9
"""Share of trials in the figure of a study, the best ones: others hide differences."""


def save_figure(figure: Figure, path: Path) -> None:
    """Write `figure` to `path`, in the format of its suffix, whole or not at all."""
    with replacing(path) as temporary:
        figure.savefig(temporary, dpi=150)


def draw_evidence(evidence: NumSpeakersEvidence) -> Figure:
    """Draw the evidence for each number of speakers, and the separation of speakers.

    Parameters
    ----------
    evidence : NumSpeakersEvidence
        Result of `DiariZen.evidence`.

    Returns
    -------
    figure : Figure
        Left: evidence of each number, relative to the best one, and the number that is
        found. Right: log-odds that each speaker is distinct from all others, and its
        share of the embeddings.

    Examples
    --------
    >>> figure = draw_evidence(pipeline.evidence(output))    # doctest: +SKIP
    >>> figure.savefig("evidence.png")                       # doctest: +SKIP
    """
    figure = Figure(figsize=(9, 3.6), layout="constrained")
    numbers, speakers = figure.subplots(1, 2, width_ratios=[3, 2])
    _draw_numbers(numbers, evidence)
    _draw_speakers(speakers, evidence)
    return figure


def _draw_numbers(axes: Axes, evidence: NumSpeakersEvidence) -> None:
    counts = evidence.num_speakers
    likelihood = evidence.log_evidence - evidence.log_evidence.max()
    axes.plot(counts, likelihood, "o-", color="C0", label="evidence")
    if evidence.log_prior.any():
        total = evidence.log_evidence + evidence.log_prior
        axes.plot(counts, total - total.max(), "s--", color="C1", label="with prior")
    axes.axvline(evidence.found, color="0.5", linestyle=":", label="found")
    axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    axes.set_xlabel("number of speakers")
    axes.set_ylabel("nats below the best")
    axes.grid(alpha=0.3)
    axes.legend()


def _draw_speakers(axes: Axes, evidence: NumSpeakersEvidence) -> None:
    rows = np.arange(evidence.found)
    shares = evidence.responsibilities.mean(axis=0)
    # the odds of a single speaker are infinite: there is no other to merge with
    odds = np.where(np.isfinite(evidence.separation), evidence.separation, 0)
    axes.barh(rows, odds, color="C2")
    axes.set_yticks(rows, [f"{k} ({share:.0%})" for k, share in enumerate(shares)])
    axes.invert_yaxis()
    axes.set_ylabel("speaker (share of embeddings)")
    axes.set_xlabel("nats in favour of a distinct speaker")
    axes.grid(axis="x", alpha=0.3)


def draw_study(study: optuna.Study, objectives: Sequence[str]) -> Figure:
    """Draw the completed trials of a study.

    First panel: values of the first objective, trial by trial. Next panels: the first
    objective against the second, if any, and against each hyper-parameter. A star marks
    the trial to keep; later trials are darker.

    Parameters
    ----------
    study : optuna.Study
        Study with at least one complete trial.
    objectives : sequence of str
        Names of the objectives.

    Returns
    -------
    figure : Figure
        One panel for each of these.

    Raises
    ------
    ValueError
        If no trial is complete.
    """
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    chosen = choose_trial(study)
    if chosen is None:
        raise ValueError(f"Study '{study.study_name}' has no complete trial to draw.")
    # the first objective of the worst trial in the figure, which shows the chosen one
    worst = np.quantile([trial.values[0] for trial in complete], _SHOWN)
    worst = max(worst, chosen.values[0])
    trials = [trial for trial in complete if trial.values[0] <= worst]
    errors = [trial.values[0] for trial in trials]
    best = trials.index(chosen)
    against: dict[str, list] = {"trial": [trial.number for trial in trials]}
    for index, objective in enumerate(objectives[1:], start=1):
        against[objective] = [trial.values[index] for trial in trials]
    for name in sorted({name for trial in trials for name in trial.params}):
        against[name.replace(">", ".")] = [trial.params[name] for trial in trials]

    num_rows = -(-len(against) // _COLUMNS)
    size = (4 * _COLUMNS, 3 * num_rows)
    figure = Figure(figsize=size, layout="constrained")
    panels = figure.subplots(num_rows, _COLUMNS, squeeze=False, sharey=True)
    for panel, (name, values) in zip(panels.flat, against.items(), strict=False):
        panel.scatter(
            values, errors, c=against["trial"], cmap="Blues", vmin=-len(complete)
        )
        panel.plot(values[best], errors[best], "r*", markersize=14)
        panel.set_xlabel(name)
    for panel in panels.flat[len(against) :]:
        panel.remove()
    for row in panels:
        row[0].set_ylabel(objectives[0])
    history = panels[0, 0]
    history.step(against["trial"], np.minimum.accumulate(errors), "r-", where="post")
    history.xaxis.set_major_locator(MaxNLocator(integer=True))
    history.set_title(f"{len(trials)} of {len(complete)} trials, without the worst")
    return figure


def draw_error_rates(
    names: Sequence[str],
    rates: Sequence[float],
    intervals: Sequence[tuple[float, float]],
) -> Figure:
    """Draw the error rates of systems as bars.

    Parameters
    ----------
    names : sequence of str
        Names of the systems.
    rates : sequence of float
        Error rates as ratios.
    intervals : sequence of (float, float)
        Confidence intervals of these.

    Returns
    -------
    figure : Figure
        One bar per system, with its interval.
    """
    figure = Figure(figsize=(6, 1 + 0.5 * len(names)), layout="constrained")
    axes = figure.subplots()
    percent = 100 * np.asarray(rates)  # (num_systems,)
    margins = np.abs(100 * np.asarray(intervals).T - percent)  # (2, num_systems)
    axes.barh(names, percent, xerr=margins, color="C0", ecolor="0.3", capsize=4)
    axes.invert_yaxis()
    axes.set_xlabel("diarization error rate (%), 95 % interval")
    axes.grid(axis="x", alpha=0.3)
    return figure


def draw_scatter(
    names: tuple[str, str], rates: np.ndarray, files: Sequence[str]
) -> Figure:
    """Draw the error rates of files by one system against those by another.

    Parameters
    ----------
    names : (str, str)
        Names of both systems.
    rates : (2, num_files) np.ndarray
        Error rates as ratios.
    files : sequence of str
        Names of the files.

    Returns
    -------
    figure : Figure
        One point per file; systems are equal on the diagonal. Names are those of the
        files that differ most.
    """
    figure = Figure(figsize=(5, 5), layout="constrained")
    axes = figure.subplots()
    percent = 100 * rates
    limit = 1.05 * max(percent.max(), 1.0)
    axes.plot([0, limit], [0, limit], color="0.6", linewidth=1)
    axes.scatter(*percent, color="C0", alpha=0.7)
    for index in np.argsort(-np.abs(percent[0] - percent[1]))[:_NUM_NAMED]:
        point = (percent[0, index], percent[1, index])
        axes.annotate(
            files[index], point, xytext=(4, 4), textcoords="offset points", fontsize=8
        )
    axes.set(xlim=(0, limit), ylim=(0, limit), aspect="equal")
    axes.set_xlabel(f"{names[0]}: error rate of a file (%)")
    axes.set_ylabel(f"{names[1]}: error rate of a file (%)")
    axes.grid(alpha=0.3)
    return figure
