# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen average`: one model of several epochs."""

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
        int | None, typer.Option(min=1, help="So many epochs, the best. By default 5.")
    ] = None,
    last: Annotated[int | None, typer.Option(min=1, help="The last epochs.")] = None,
    around: Annotated[
        int | None, typer.Option(min=1, help="Epochs around the best one, in a row.")
    ] = None,
    until: Annotated[
        int | None, typer.Option(min=1, help="Epochs up to the best one, in a row.")
    ] = None,
    metric: Annotated[
        str,
        typer.Option(
            help="What tells the best: loss, der, or a column of metrics.csv."
        ),
    ] = "loss",
    after_peak: Annotated[
        bool,
        typer.Option(
            help="Forget epochs before the highest value: it rises first while a model "
            "is pruned."
        ),
    ] = False,
    into: Annotated[
        Path | None,
        typer.Option(
            file_okay=False, help="Folder to write to; by default RUN/average."
        ),
    ] = None,
) -> None:
    """Average the weights of several epochs of a run into one model.

    Epochs count whose checkpoint was kept. The model is a folder that
    `Model.from_pretrained` of pyannote.audio and `segmentation` of a pipeline take;
    `package` makes a pipeline of it.

    Exit codes: 0, written; 2, there are too few epochs, or they are not of one
    architecture.
    """
    asked = {"best": best, "last": last, "around": around, "until": until}
    rules = [(rule, num) for rule, num in asked.items() if num is not None]
    if len(rules) > 1:
        raise typer.BadParameter("--best, --last, --around, --until: only one of them.")
    ((rule, num),) = rules or [("best", 5)]

    from pyannote_diarizen.training.averaging import average_run

    averaged = average_run(run, rule, num, metric, after_peak, into)  # type: ignore[arg-type]
    for epoch, value in averaged.values.items():
        typer.echo(f"epoch {epoch}: {metric} {value:.4f}")
    typer.echo(f"Written: {averaged.path}")
