# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen prune`: prune the WavLM of a model or pipeline."""

import logging
import warnings
from contextlib import ExitStack
from pathlib import Path
from typing import Annotated, Literal

import typer
from rich.progress import (
    BarColumn,
    MofNCompleteColumn,
    TaskID,
    TextColumn,
    TimeRemainingColumn,
)

from pyannote_diarizen.atomic import expand_home
from pyannote_diarizen.cli.options import DatabaseOption
from pyannote_diarizen.terminal import progress_bars


def prune(
    source: Annotated[
        str,
        typer.Argument(
            metavar="PIPELINE|MODEL",
            help="Name, folder or config file of a pipeline; checkpoint of a model; or "
            "folder of a run.",
            show_default=False,
        ),
    ],
    protocol: Annotated[
        str | None,
        typer.Argument(
            help="Protocol to train on, such as AMI.SpeakerDiarization.only_words.",
            show_default=False,
        ),
    ] = None,
    into: Annotated[
        Path, typer.Option(file_okay=False, help="Folder of stages and result.")
    ] = Path("pruned"),
    sparsity: Annotated[
        float, typer.Option(help="Share of WavLM to remove, between 0 and 1.")
    ] = 0.8,
    measure: Annotated[
        Literal["parameters", "macs"],
        typer.Option(help="What the sparsity is a share of."),
    ] = "parameters",
    method: Annotated[
        Literal["l0", "magnitude", "importance"],
        typer.Option(
            help="l0 trains in three stages; magnitude and importance do not train."
        ),
    ] = "l0",
    database: DatabaseOption = None,
    recipe: Annotated[
        str | None,
        typer.Option(
            help="Stages in hparams/prune: base-s80, large-s80, large-s90, tiny. "
            "Default: by the dimension of WavLM."
        ),
    ] = None,
    option: Annotated[
        list[str] | None,
        typer.Option(
            "--option",
            "-o",
            metavar="NAME=VALUE",
            help="Option of pyannote-audio-train, for all stages, or for one of them "
            "as in gates:NAME=VALUE, distil:... and train:...; may be repeated.",
        ),
    ] = None,
    exact: Annotated[
        bool,
        typer.Option(
            "--exact", help="Keep the output of the gated model: more operations."
        ),
    ] = False,
    again: Annotated[
        bool, typer.Option("--again", help="Prune a pruned model further.")
    ] = False,
    backbone: Annotated[
        bool, typer.Option("--backbone", help="Also write the WavLM alone.")
    ] = False,
    report: Annotated[
        bool,
        typer.Option("--report", help="Also compare both models: size, speed, errors."),
    ] = False,
) -> None:
    """Remove most of the WavLM of a segmentation model, with little loss of quality.

    The method l0 trains in three stages: distillation with gates that close,
    distillation of the pruned model, and training on labels. Each of them resumes: run
    the same command again after an interruption.

    `INTO/model` is the result, a folder that `Model.from_pretrained` loads; of a
    pipeline, `INTO/pipeline` is the pipeline with it. `INTO/backbone` holds the WavLM
    alone, with --backbone, `INTO/report.md` the comparison, with --report.

    Exit codes: 0, written; 2, the model cannot be pruned so.
    """
    from pyannote_diarizen.training.pruning_stages import Pruning, run_pruning

    plan = Pruning(
        source,
        protocol,
        None if database is None else str(expand_home(database).resolve()),
        sparsity,
        measure,
        method,
        exact,
        again,
        recipe,
        option or [],
    )
    _quiet()
    with StageBars() as bars:
        model = run_pruning(plan, into, bars)
    from pyannote_diarizen.training.pruning_output import (
        describe_sparsity,
        write_backbone,
        write_report,
    )

    typer.echo(f"Written: {model}")
    typer.echo(describe_sparsity(plan, into))
    if backbone:
        for line in write_backbone(into):
            typer.echo(line)
    if report:
        typer.echo(write_report(plan, into))


def _quiet() -> None:
    """Silence what trainings print about themselves, between the bars."""
    for name in ("lightning.pytorch", "lightning.fabric"):
        logging.getLogger(name).setLevel(logging.ERROR)
    warnings.filterwarnings("ignore", module=r"(lightning|pyannote|torch_audio\w+)\.")


class StageBars(ExitStack):
    """Progress bars on standard error, one per stage."""

    def __init__(self) -> None:
        super().__init__()
        bars = progress_bars(
            TextColumn("{task.description}"),
            BarColumn(),
            MofNCompleteColumn(),
            TimeRemainingColumn(),
            transient=False,
        )
        self._bars = self.enter_context(bars)
        self._stages: dict[str, TaskID] = {}

    def __call__(self, stage: str, completed: int, total: int) -> None:
        """Update the bar of a stage."""
        if stage not in self._stages:
            self._stages[stage] = self._bars.add_task(stage)
        self._bars.update(self._stages[stage], completed=completed, total=total)
