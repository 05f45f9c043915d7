# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen average`: average the weights of several epochs."""

from pathlib import Path
from typing import Annotated

import typer

RunArgument = Annotated[
    Path,
    typer.Argument(
        exists=True, help="Folder of a run, with metrics.csv and checkpoints/."
    ),
]


def average(
    run: RunArgument,
    best: Annotated[
        int | None, typer.Option(min=1, help="Number of best epochs. Default: 5.")
    ] = None,
    last: Annotated[
        int | None, typer.Option(min=1, help="Number of last epochs.")
    ] = None,
    around: Annotated[
        int | None, typer.Option(min=1, help="Number of epochs around the best one.")
    ] = None,
    until: Annotated[
        int | None, typer.Option(min=1, help="Number of epochs up to the best one.")
    ] = None,
    metric: Annotated[
        str,
        typer.Option(
            help="Metric of the best epoch: loss, der, or a column of metrics.csv."
        ),
    ] = "loss",
    prune: Annotated[
        bool,
        typer.Option(
            "--prune",
            help="Remove the units that the first stage of a pruning closed. It "
            "selects the epochs.",
        ),
    ] = False,
    into: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Folder to write to. Default: RUN/average."),
    ] = None,
    overwrite: Annotated[
        bool, typer.Option("--overwrite", help="Replace a former result.")
    ] = False,
) -> None:
    """Average the weights of several epochs of a run into one model.

    Only epochs with a checkpoint count. The result is a folder that
    `Model.from_pretrained` of pyannote.audio loads, and `segmentation` of a pipeline
    too; `package` makes a pipeline with it.

    Exit codes: 0, written; 2, too few epochs, checkpoints of different
    models, or an existing result.
    """
    asked = {"best": best, "last": last, "around": around, "until": until}
    rules = [(rule, num) for rule, num in asked.items() if num is not None]
    if len(rules) + prune > 1:
        raise typer.BadParameter(
            "--best, --last, --around, --until and --prune exclude each other."
        )
    ((rule, num),) = rules or [("best", 5)]

    from pyannote_diarizen.training.averaging import average_run, output_path

    if prune:
        from pyannote_diarizen.training.pruning_stages import prune_run

        path = output_path(run, into, overwrite)
        prune_run(run, path)
        typer.echo(f"Written: {path}")
        return
    averaged = average_run(
        run,
        rule,  # type: ignore[arg-type]
        num,
        metric,
        into,
        overwrite,
    )
    for epoch, value in averaged.values.items():
        typer.echo(f"epoch {epoch}: {metric} {value:.4f}")
    typer.echo(f"Written: {averaged.path}")
