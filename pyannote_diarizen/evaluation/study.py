# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Optuna studies that are resumed, and shared by machines.

A study is what has been tried, and what came out of it. It is kept in a file or in a
database, so that one that was interrupted goes on, and several machines that name the
same storage and study work on it together.
"""

from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import optuna
from optuna.exceptions import OptunaError
from optuna.pruners import (
    BasePruner,
    MedianPruner,
    NopPruner,
    SuccessiveHalvingPruner,
)
from optuna.samplers import (
    BaseSampler,
    NSGAIISampler,
    RandomSampler,
    TPESampler,
)
from optuna.storages import BaseStorage, JournalStorage, RDBStorage
from optuna.storages.journal import JournalFileBackend
from optuna.trial import FrozenTrial, TrialState
from sqlalchemy.exc import SQLAlchemyError

SAMPLERS: dict[str, Callable[..., BaseSampler]] = {
    "tpe": TPESampler,
    "nsga2": NSGAIISampler,
    "random": RandomSampler,
}
"""How the values of the next trial are chosen, by name."""

PRUNERS: dict[str, Callable[[], BasePruner]] = {
    "none": NopPruner,
    "median": MedianPruner,
    "halving": SuccessiveHalvingPruner,
}
"""How trials that do badly on the first files are stopped, by name."""

WORTH = 0.01
"""Diarization error rate that the right number of speakers may cost."""

# no driver, no such host, no permission, a journal of something else
_UNUSABLE = (ImportError, OSError, RuntimeError, ValueError)
_CONDITIONS = "conditions"


def open_storage(where: Path | str) -> BaseStorage:
    """Open the place where studies are kept.

    Parameters
    ----------
    where : Path or str
        File whose suffix is ".journal" (several machines may share it over a network
        file system) or ".sqlite" (processes of one machine), created if needed; or
        the URL of a database, as in "postgresql://user@host/name".

    Raises
    ------
    ValueError
        If it is neither, or the database cannot be used.
    """
    text = str(where)
    suffix = Path(text).suffix
    try:
        if "://" in text:
            return RDBStorage(text)
        if suffix in (".journal", ".sqlite"):
            Path(text).parent.mkdir(parents=True, exist_ok=True)
        if suffix == ".journal":
            return JournalStorage(JournalFileBackend(text))
        if suffix == ".sqlite":
            return RDBStorage(f"sqlite:///{text}")
    except (*_UNUSABLE, OptunaError, SQLAlchemyError) as error:
        raise ValueError(f"Storage '{where}' cannot be opened: {error}") from error
    raise ValueError(
        "`storage` should be a file called *.journal or *.sqlite, or the URL of a "
        f"database, got '{where}'."
    )


def open_study(
    storage: BaseStorage | None,
    name: str,
    objectives: Sequence[str],
    conditions: Mapping[str, Any],
    sampler: str = "tpe",
    pruner: str = "none",
    seed: int | None = None,
) -> optuna.Study:
    """Create a study, or go on with it.

    Parameters
    ----------
    storage : BaseStorage or None
        None keeps it in memory.
    name : str
    objectives : sequence of str
        What to minimize.
    conditions : Mapping
        What has to be the same in all trials, since results could not be compared
        otherwise. Values are those of JSON.
    sampler, pruner : str, optional
        Names in `SAMPLERS` and `PRUNERS`.
    seed : int, optional
        Of the sampler. Machines that share a study should have different ones.

    Raises
    ------
    ValueError
        If the study that exists has other objectives or conditions.
    """
    if len(objectives) > 1 and pruner != "none":
        raise ValueError(
            f"`pruner` should be 'none' with {len(objectives)} objectives, got "
            f"'{pruner}': trials are pruned by one."
        )
    study = optuna.create_study(
        storage=storage,
        study_name=name,
        load_if_exists=True,
        directions=["minimize"] * len(objectives),
        sampler=SAMPLERS[sampler](seed=seed),
        pruner=PRUNERS[pruner](),
    )
    wanted = {"objectives": list(objectives), **conditions}
    found = study.user_attrs.get(_CONDITIONS)
    if found is None and not study.trials:
        study.set_user_attr(_CONDITIONS, wanted)
    elif found != wanted:
        _refuse(name, found or {}, wanted)
    return study


def _refuse(name: str, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    different = [key for key in wanted if found.get(key) != wanted[key]]
    raise ValueError(
        f"Study '{name}' exists already, with other {' and '.join(different)}: give "
        "yours another name, or another storage."
    )


def finished_trials(study: optuna.Study) -> list[FrozenTrial]:
    """Trials that were completed or pruned, in the order in which they began."""
    return study.get_trials(
        deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED)
    )


def choose_trial(study: optuna.Study) -> FrozenTrial | None:
    """Trial to keep, None before the first is complete.

    With one objective, the best. With two, diarization error rate and speaker count
    error: among trials whose diarization error rate is at most `WORTH` above the
    lowest, the one with the lowest speaker count error.
    """
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if not complete:
        return None
    lowest = min(trial.values[0] for trial in complete)
    close = [trial for trial in complete if trial.values[0] <= lowest + WORTH]
    return min(close, key=lambda trial: trial.values[::-1])
