# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Picture of a study: what came out of its trials, and what made the difference."""

from collections.abc import Sequence

import numpy as np
import optuna
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from optuna.trial import TrialState

from pyannote_diarizen.evaluation.study import choose_trial

_COLUMNS = 3
_SHOWN = 0.9
"""Share of trials that are shown, the best ones: the others would hide differences."""


def draw_study(study: optuna.Study, objectives: Sequence[str]) -> Figure:
    """Draw the trials of a study, those that were completed.

    First what they reached, one after the other; then, with a second objective, the
    first against it; then the first against each hyper-parameter. The trial to keep is
    marked, and later trials are darker.

    Parameters
    ----------
    study : optuna.Study
    objectives : sequence of str
        Names of what it minimizes.

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
