# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen tune`: tune hyper-parameters on annotated recordings."""

from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pyannote_diarizen.cli.findings import checked_files
from pyannote_diarizen.cli.options import (
    DatabaseOption,
    DeviceOption,
    PipelineArgument,
    ProtocolArgument,
)
from pyannote_diarizen.terminal import progress_bars

if TYPE_CHECKING:
    from optuna import Study
    from optuna.trial import FrozenTrial

    from pyannote_diarizen.evaluation.tuning import Tuning


def tune(
    pipeline: PipelineArgument,
    protocol: ProtocolArgument,
    into: Annotated[
        Path,
        typer.Option(dir_okay=False, help="YAML file to write the tuned pipeline to."),
    ],
    subset: Annotated[
        str, typer.Option(help="Subset to tune on: train, development or test.")
    ] = "development",
    database: DatabaseOption = None,
    trials: Annotated[
        int,
        typer.Option(min=1, help="Number of trials, including earlier runs."),
    ] = 100,
    count: Annotated[
        bool,
        typer.Option("--count", help="Minimize errors of the number of speakers, too."),
    ] = False,
    storage: Annotated[
        str | None,
        typer.Option(
            help="Storage of trials: a file *.journal, which machines may share, or "
            "*.sqlite, or the URL of a database. Default: beside the YAML file."
        ),
    ] = None,
    study: Annotated[
        str | None,
        typer.Option(help="Name in the storage. Default: protocol and subset."),
    ] = None,
    sampler: Annotated[
        Literal["tpe", "nsga2", "random", "grid"],
        typer.Option(help="Method that chooses the next values."),
    ] = "tpe",
    pruner: Annotated[
        Literal["none", "median", "halving"],
        typer.Option(help="Method that stops bad trials early."),
    ] = "none",
    folds: Annotated[
        int | None,
        typer.Option(
            min=2,
            help="Number of folds of files: print the error of each fold with the "
            "hyper-parameters of the others.",
        ),
    ] = None,
    seed: Annotated[
        int | None,
        typer.Option(
            min=0,
            max=2**32 - 1,
            help="Seed of the sampler, different on each machine.",
        ),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            help="Folder for the outputs of the networks, so that a second call does "
            "not run them again.",
        ),
    ] = None,
    overwrite: Annotated[
        bool,
        typer.Option("--overwrite", help="Replace a YAML file of another origin."),
    ] = False,
    device: DeviceOption = "auto",
) -> None:
    """Tune the hyper-parameters of a pipeline on the files of a protocol.

    The networks run once, if trials are left; each trial only clusters. Trials are
    stored: run the same command to continue after an interruption. Machines that share
    the storage work on the same study. At any time, the YAML file holds the best trial
    so far; a plot of the study is written beside it. A YAML file of another origin is
    kept, unless --overwrite is given.

    The objective is the diarization error rate, as the pipeline defines it. With
    --count, the mean error of the number of speakers is a second one: among the trials
    with at most one point of diarization error rate more than the best, the one with
    the lowest error of the number of speakers is written.

    With --sampler grid, the trials spread over the ranges of all hyper-parameters, with
    as many values of each as --trials allows. --folds costs no trial.
    """
    from pyannote_diarizen.evaluation.plots import draw_study, save_figure
    from pyannote_diarizen.evaluation.study import open_storage, open_study
    from pyannote_diarizen.evaluation.tuning import Tuning
    from pyannote_diarizen.hub.loading import load_pipeline
    from pyannote_diarizen.hub.tuned import write_tuned

    # errors of arguments are found before the long computation
    if into.suffix not in (".yaml", ".yml"):
        raise typer.BadParameter(f"--into should end with .yaml, got {into}.")
    default = into.with_suffix(".journal")
    if into.exists() and not (overwrite or storage or default.exists()):
        raise _occupied(into)
    files = checked_files(protocol, database, [subset])[subset]
    tuning = Tuning(load_pipeline(pipeline, device), files, count)
    if folds is not None and folds > len(files):
        raise typer.BadParameter(
            f"--folds should be at most {len(files)}, the number of files."
        )
    work = open_study(
        open_storage(storage or default),
        study or f"{protocol}.{subset}",
        tuning.objectives,
        tuning.conditions,
        sampler,
        pruner,
        seed,
    )
    if into.exists() and not overwrite and not _is_result(into, tuning, work):
        raise _occupied(into)
    # the file holds the best trial at any time, also of other machines
    for best in _search(tuning, work, trials, sampler == "grid", keep):
        record = {"protocol": protocol, "subset": subset, "study": work.study_name}
        params = tuning.hyper_parameters(best)
        write_tuned(pipeline, params, {**record, **tuning.result(best)}, into)
    picture = into.with_suffix(".png")
    save_figure(draw_study(work, tuning.objectives), picture)
    typer.echo(_summary(tuning, work))
    if folds is not None:
        typer.echo(
            f"Held out: {tuning.objectives[0]} {tuning.held_out(work, folds):.2%}, "
            f"{folds} folds of files."
        )
    typer.echo(f"Written: {into} and {picture}.")


def _occupied(into: Path) -> FileExistsError:
    return FileExistsError(
        f"'{into}' exists and is no result of this study: replace it by --overwrite, "
        "or choose another file by --into."
    )


def _is_result(path: Path, tuning: "Tuning", study: "Study") -> bool:
    """Whether a YAML file holds a trial of a study."""
    import yaml

    try:
        record = yaml.safe_load(path.read_text(encoding="utf-8"))["optimization"]
        written = record.items()
    except (AttributeError, KeyError, TypeError, UnicodeDecodeError, yaml.YAMLError):
        return False  # of another origin
    return any(
        tuning.result(trial).items() <= written
        for trial in study.get_trials(deepcopy=False)
        if trial.values is not None
    )


def _search(
    tuning: "Tuning", study: "Study", num_trials: int, grid: bool, keep: Path | None
) -> "Iterator[FrozenTrial]":
    """Run trials and show progress; yield the best trial, each time it changes."""
    from pyannote_diarizen.evaluation.study import choose_trial, finished_trials

    with progress_bars() as progress:
        if len(finished_trials(study)) < num_trials:
            networks = progress.add_task("networks", total=len(tuning.files))
            for _ in tuning.run_networks(keep):
                progress.advance(networks)
        bar = progress.add_task("trials", total=num_trials)
        best = choose_trial(study)
        if best is not None:
            yield best
        for _ in tuning.run_trials(study, num_trials, grid):
            known, best = best, choose_trial(study)
            if best is not None and (known is None or known.number != best.number):
                yield best
                progress.update(
                    bar, description=f"trials, best {_values(tuning, best)}"
                )
            progress.update(bar, completed=len(finished_trials(study)))


def _values(tuning: "Tuning", trial: "FrozenTrial | None") -> str:
    """Objectives and values of a trial, as text."""
    if trial is None:
        return "not known"
    rate, *counts = trial.values
    values = [f"{tuning.objectives[0]} {rate:.2%}"]
    values += [f"{tuning.objectives[1]} {count:.2f}" for count in counts]
    return ", ".join(values)


def _summary(tuning: "Tuning", study: "Study") -> str:
    from statistics import median

    from pyannote_diarizen.evaluation.study import choose_trial, finished_trials

    lasted = [trial.duration for trial in finished_trials(study)]
    seconds = median(time.total_seconds() for time in lasted if time is not None)
    return (
        f"Before: {_values(tuning, tuning.first_trial(study))}.\n"
        f"Tuned: {_values(tuning, choose_trial(study))}, on the files tuned on.\n"
        f"{len(lasted)} trials on {len(tuning.files)} files, {seconds:.2f} s each."
    )
