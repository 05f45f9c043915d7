# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import numpy.testing as npt
import optuna
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pyannote_diarizen.evaluation.study_plot import draw_study


@pytest.fixture
def study() -> optuna.Study:
    """Two objectives, three hyper-parameters, nine trials of which one failed."""
    study = optuna.create_study(directions=["minimize"] * 2)
    for index in range(10):
        trial = study.ask()
        threshold = trial.suggest_float("clustering>threshold", index / 10, 1)
        trial.suggest_int("clustering>size", 1, 20)
        trial.suggest_categorical("method", ["average", "centroid"])
        if index == 3:
            study.tell(trial, state=optuna.trial.TrialState.FAIL)
        else:
            study.tell(trial, [abs(threshold - 0.4), 1.0])
    return study


def panels(figure: Figure) -> dict[str, Axes]:
    return {panel.get_xlabel(): panel for panel in figure.axes}


def test_one_panel_for_each_thing_that_matters(study):
    figure = draw_study(study, ["error", "count"])
    drawn = panels(figure)
    names = ["trial", "count", "clustering.size", "clustering.threshold", "method"]
    assert list(drawn) == names
    assert drawn["trial"].get_ylabel() == "error"
    for panel in drawn.values():
        assert len(panel.collections[0].get_offsets()) == 8
    assert drawn["trial"].get_title() == "8 of 9 trials, without the worst"


def test_the_trial_to_keep_is_marked(study):
    drawn = panels(draw_study(study, ["error", "count"]))
    best = min(study.best_trials, key=lambda trial: trial.values)
    for name, value in (
        ("trial", best.number),
        ("clustering.threshold", best.params["clustering>threshold"]),
    ):
        (star,) = (line for line in drawn[name].lines if line.get_marker() == "*")
        npt.assert_allclose(star.get_xydata(), [[value, best.values[0]]])


def test_one_trial_of_one_objective():
    study = optuna.create_study()
    study.optimize(lambda trial: trial.suggest_float("x", 0, 1), n_trials=1)
    assert list(panels(draw_study(study, ["error"]))) == ["trial", "x"]


def test_the_trial_to_keep_is_shown_if_it_is_among_the_worst():
    study = optuna.create_study(directions=["minimize"] * 2)
    for error in range(20):
        trial = study.ask()
        trial.suggest_float("x", 0, 1)
        study.tell(trial, [error / 10000, float(error < 19)])
    (star,) = (
        line
        for line in panels(draw_study(study, ["error", "count"]))["trial"].lines
        if line.get_marker() == "*"
    )
    npt.assert_allclose(star.get_xydata(), [[19, 0.0019]])


def test_nothing_to_draw():
    with pytest.raises(ValueError, match="no complete trial"):
        draw_study(optuna.create_study(), ["error"])
