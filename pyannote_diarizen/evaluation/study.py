# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Optuna studies that can be resumed, and shared by several machines.

A study holds trials and their results, in a file or a database. An interrupted study is
continued, and machines that name the same storage and study work on it together.
"""

import itertools
import math
from collections.abc import Callable, Mapping, Sequence
from pathlib import Path
from typing import Any

import numpy as np
import optuna
from optuna.distributions import (
    BaseDistribution,
    CategoricalDistribution,
    IntDistribution,
)
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

SAMPLERS: dict[str, Callable[..., BaseSampler]] = {
    "tpe": TPESampler,
    "nsga2": NSGAIISampler,
    "random": RandomSampler,
    "grid": RandomSampler,  # after the trials of `enqueue_grid`
}
"""Samplers of the values of the next trial, by name."""

PRUNERS: dict[str, Callable[[], BasePruner]] = {
    "none": NopPruner,
    "median": MedianPruner,
    "halving": SuccessiveHalvingPruner,
}
"""Pruners, which stop trials with poor results on the first files, by name."""

WORTH = 0.01
"""Increase of the diarization error rate allowed for a better number of speakers."""

# no driver, unknown host, no permission, journal in another format
_UNUSABLE = (ImportError, OSError, RuntimeError, ValueError)
_CONDITIONS = "conditions"


def open_storage(where: Path | str) -> BaseStorage:
    """Open a storage of studies.

    Parameters
    ----------
    where : Path or str
        File with suffix ".journal" (for machines that share a network file system) or
        ".sqlite" (for processes of one machine), created if needed; or URL of a
        database, as in "postgresql://user@host/name".

    Returns
    -------
    storage : BaseStorage
        Storage of Optuna.

    Raises
    ------
    ValueError
        If it is neither, or the database cannot be opened.
    """
    text = str(where)
    suffix = Path(text).suffix
    # takes a third of a second, and plots import this module, too
    from sqlalchemy.exc import SQLAlchemyError

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
    """Create a study, or continue it.

    Parameters
    ----------
    storage : BaseStorage or None
        Storage of the study. None keeps it in memory.
    name : str
        Name of the study.
    objectives : sequence of str
        Names of the values to minimize.
    conditions : Mapping
        Settings that all trials must share for their results to be comparable, as JSON
        values.
    sampler, pruner : str, optional
        Names in `SAMPLERS` and `PRUNERS`. Default to "tpe" and "none".
    seed : int, optional
        Seed of the sampler. Machines that share a study need different seeds.

    Returns
    -------
    study : optuna.Study
        New or continued study.

    Raises
    ------
    ValueError
        If the existing study has other objectives or conditions.
    """
    if len(objectives) > 1 and pruner != "none":
        raise ValueError(
            f"`pruner` should be 'none' with {len(objectives)} objectives, got "
            f"'{pruner}': Optuna prunes trials of one objective only."
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


def enqueue_grid(
    study: optuna.Study,
    distributions: Mapping[str, BaseDistribution],
    num_trials: int,
) -> None:
    """Plan the trials of a grid, with the same number of values in each dimension.

    Parameters
    ----------
    study : optuna.Study
    distributions : Mapping
        Range of each hyper-parameter, by name.
    num_trials : int
        Maximum number of trials. A grid has at least two values in each dimension.
    """
    chosen = {
        name: list(each.choices)
        for name, each in distributions.items()
        if isinstance(each, CategoricalDistribution)
    }
    left = num_trials / math.prod(map(len, chosen.values()))
    ranges = {name: each for name, each in distributions.items() if name not in chosen}
    num = max(2, int(left ** (1 / max(1, len(ranges))) + 1e-9))
    values = chosen | {name: _spread(each, num) for name, each in ranges.items()}
    for point in itertools.product(*values.values()):
        study.enqueue_trial(dict(zip(values, point, strict=True)), skip_if_exists=True)


def _spread(distribution: Any, num: int) -> list[Any]:
    """Centres of `num` equal parts of a range."""
    low, high = distribution.low, distribution.high
    parts = (np.arange(num) + 0.5) / num
    if distribution.log:
        spread = low * (high / low) ** parts
    else:
        spread = low + (high - low) * parts
    if isinstance(distribution, IntDistribution):
        return sorted({round(value) for value in spread})
    return spread.tolist()


def _refuse(name: str, found: Mapping[str, Any], wanted: Mapping[str, Any]) -> None:
    different = [key for key in wanted if found.get(key) != wanted[key]]
    raise ValueError(
        f"Study '{name}' exists already, with other {' and '.join(different)}: give "
        "yours another name, or another storage."
    )


def finished_trials(study: optuna.Study) -> list[FrozenTrial]:
    """Trials that were completed or pruned, in order of their start."""
    return study.get_trials(
        deepcopy=False, states=(TrialState.COMPLETE, TrialState.PRUNED)
    )


def choose_trial(study: optuna.Study) -> FrozenTrial | None:
    """Select the trial to keep, None before the first one is complete.

    With one objective, the best trial. With two, diarization error rate and speaker
    count error: the trial with the lowest speaker count error, among trials whose
    diarization error rate is at most `WORTH` above the lowest.
    """
    complete = study.get_trials(deepcopy=False, states=(TrialState.COMPLETE,))
    if not complete:
        return None
    lowest = min(trial.values[0] for trial in complete)
    close = [trial for trial in complete if trial.values[0] <= lowest + WORTH]
    return min(close, key=lambda trial: trial.values[::-1])
