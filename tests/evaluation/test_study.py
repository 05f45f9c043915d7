# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
from pathlib import Path

import optuna
import pytest
from optuna.distributions import FloatDistribution
from optuna.storages import JournalStorage, RDBStorage
from optuna.trial import TrialState, create_trial

from pyannote_diarizen.evaluation.study import (
    PRUNERS,
    SAMPLERS,
    choose_trial,
    enqueue_grid,
    finished_trials,
    open_storage,
    open_study,
)

ONE, TWO = ["error"], ["error", "speaker count error"]
CONDITIONS = {"files": "abc", "hyper-parameters": ["x"]}


def add(study: optuna.Study, *values: float, state=TrialState.COMPLETE) -> None:
    """Add a trial with these values."""
    trial = create_trial(
        values=values or None,
        state=state,
        params={"x": 0.5},
        distributions={"x": FloatDistribution(0, 1)},
    )
    study.add_trial(trial)


@pytest.mark.parametrize(
    ("name", "kind"), [("s.journal", JournalStorage), ("s.sqlite", RDBStorage)]
)
def test_a_study_goes_on_wherever_it_is_opened(tmp_path, name, kind):
    path = tmp_path / "new" / name
    studies = [
        open_study(open_storage(where), "study", ONE, CONDITIONS)
        for where in (path, str(path))
    ]
    assert isinstance(open_storage(path), kind)
    add(studies[0], 0.5)
    add(studies[1], 0.2)
    assert [len(study.trials) for study in studies] == [2, 2]
    assert choose_trial(studies[0]).values == [0.2]


def test_a_database_by_its_url(tmp_path):
    url = f"sqlite:///{tmp_path / 'study.db'}"
    add(open_study(open_storage(url), "study", ONE, CONDITIONS), 0.5)
    assert (tmp_path / "study.db").is_file()


@pytest.mark.parametrize(
    ("where", "message"),
    [
        ("trials.txt", r"\*\.journal or \*\.sqlite.* got 'trials\.txt'"),
        ("nosuchdatabase://host/name", r"'nosuchdatabase://host/name' cannot be open"),
        (Path(__file__).with_suffix(".py") / "x.journal", "cannot be opened"),
    ],
)
def test_what_is_no_storage(where, message):
    with pytest.raises(ValueError, match=message):
        open_storage(where)


@pytest.mark.parametrize(
    ("objectives", "conditions", "different"),
    [
        (TWO, CONDITIONS, "other objectives:"),
        (ONE, {**CONDITIONS, "files": "other"}, "other files:"),
        (TWO, {**CONDITIONS, "files": "other"}, "other objectives and files:"),
    ],
)
def test_results_that_cannot_be_compared_are_kept_apart(
    tmp_path, objectives, conditions, different
):
    storage = open_storage(tmp_path / "s.journal")
    open_study(storage, "study", ONE, CONDITIONS)
    with pytest.raises(ValueError, match=f"'study' exists already, with {different}"):
        open_study(storage, "study", objectives, conditions)
    open_study(storage, "another", objectives, conditions)


def test_a_study_of_something_else_is_left_alone(tmp_path):
    storage = open_storage(tmp_path / "s.journal")
    add(optuna.create_study(storage=storage, study_name="study"), 0.5)
    with pytest.raises(ValueError, match="exists already"):
        open_study(storage, "study", ONE, CONDITIONS)


def test_two_objectives_are_not_pruned():
    with pytest.raises(ValueError, match="`pruner` should be 'none' with 2"):
        open_study(None, "study", TWO, CONDITIONS, pruner="median")


@pytest.mark.parametrize("sampler", SAMPLERS)
def test_the_seed_decides(sampler):
    def first() -> float:
        study = open_study(None, "study", ONE, CONDITIONS, sampler=sampler, seed=3)
        return study.ask().suggest_float("x", 0, 1)

    assert first() == first()


@pytest.mark.parametrize("pruner", PRUNERS)
def test_pruned_trials_are_finished_but_not_chosen(pruner):
    study = open_study(None, "study", ONE, CONDITIONS, pruner=pruner)
    assert choose_trial(study) is None
    add(study, state=TrialState.PRUNED)
    add(study, state=TrialState.FAIL)
    assert choose_trial(study) is None
    add(study, 0.5)
    assert len(finished_trials(study)) == 2
    assert choose_trial(study).number == 2


def test_the_number_of_speakers_may_cost_one_point():
    study = open_study(None, "study", TWO, CONDITIONS)
    for values in ((0.2, 2.0), (0.209, 1.0), (0.205, 1.0), (0.3, 0.0)):
        add(study, *values)
    assert choose_trial(study).values == [0.205, 1.0]


def test_a_grid_has_the_same_number_of_values_of_each():
    study = open_study(None, "s", ONE, CONDITIONS, "grid")
    ranges = {
        "linear": FloatDistribution(0, 1),
        "log": FloatDistribution(0.01, 1, log=True),
        "whole": optuna.distributions.IntDistribution(1, 9),
        "kind": optuna.distributions.CategoricalDistribution(["a", "b"]),
    }
    enqueue_grid(study, ranges, 20)
    points = [trial.system_attrs["fixed_params"] for trial in study.trials]
    assert len(points) == 16
    assert {point["linear"] for point in points} == {0.25, 0.75}
    assert {round(point["log"], 3) for point in points} == {0.032, 0.316}
    assert {point["whole"] for point in points} == {3, 7}
    enqueue_grid(study, ranges, 20)
    assert len(study.trials) == 16
