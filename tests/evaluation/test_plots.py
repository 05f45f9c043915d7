# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Figures show the data that they are given."""

from pathlib import Path

import matplotlib.image
import numpy as np
import numpy.testing as npt
import optuna
import pytest
from matplotlib.axes import Axes
from matplotlib.figure import Figure

from pyannote_diarizen.clustering import NumSpeakersEvidence
from pyannote_diarizen.evaluation.plots import (
    draw_evidence,
    draw_study,
    save_figure,
)


def test_the_file_is_a_picture(tmp_path):
    path = tmp_path / "a.png"
    save_figure(Figure(figsize=(10, 3)), path)
    assert matplotlib.image.imread(path).shape[:2] == (450, 1500)
    assert list(tmp_path.iterdir()) == [path]


def make(found: int = 2, **changes: np.ndarray) -> NumSpeakersEvidence:
    values = {
        "num_speakers": np.array([1, 2, 3]),
        "log_evidence": np.array([-30.0, -10.0, -12.0]),
        "log_prior": np.zeros(3),
        "responsibilities": np.eye(found)[np.arange(8) % found],
        "chunks": np.arange(8),
        "speakers": np.zeros(8, dtype=int),
        "separation": np.full(found, 5.0),
        "elbo": np.array([-20.0, -10.0]),
    }
    return NumSpeakersEvidence(found=found, **{**values, **changes})


def test_curve_falls_from_the_best_number():
    numbers, _ = draw_evidence(make()).axes
    curve, answer = numbers.lines
    npt.assert_array_equal(curve.get_xydata(), [[1, -20], [2, 0], [3, -2]])
    npt.assert_array_equal(answer.get_xdata(), [2, 2])


def test_prior_has_a_curve_of_its_own():
    numbers, _ = draw_evidence(make(log_prior=np.array([-9.0, -3.0, 0.0]))).axes
    assert len(numbers.lines) == 3
    npt.assert_array_equal(numbers.lines[1].get_ydata(), [-27, -1, 0])


def test_speakers_have_their_share():
    _, speakers = draw_evidence(make()).axes
    labels = [label.get_text() for label in speakers.get_yticklabels()]
    assert labels == ["0 (50%)", "1 (50%)"]
    assert [bar.get_width() for bar in speakers.patches] == [5, 5]


@pytest.mark.parametrize("found", [1, 5])
def test_picture_is_written(found: int, tmp_path: Path):
    separation = np.full(found, np.inf if found == 1 else 3.0)
    draw_evidence(make(found, separation=separation)).savefig(tmp_path / "e.png")
    assert (tmp_path / "e.png").stat().st_size > 5000


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
