# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen export`: networks for other runtimes than torch."""

from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from pyannote_diarizen.hub.exporting import Export


def export(
    source: Annotated[
        str,
        typer.Argument(
            metavar="MODEL|PIPELINE",
            help="Checkpoint or folder of a model; or folder, config file or name of a "
            "pipeline, or owner/name on the Hugging Face Hub.",
        ),
    ],
    into: Annotated[Path, typer.Option(help="Folder to create.")],
    to: Annotated[
        str,
        typer.Option(
            help="Format: onnx, torchscript, safetensors, openvino, tensorrt, or one "
            "of another package."
        ),
    ] = "onnx",
    precision: Annotated[
        str | None,
        typer.Option(help="float32 (default), or for onnx float16 or int8."),
    ] = None,
    audio: Annotated[
        list[Path] | None,
        typer.Option(
            exists=True,
            help="Recording of the comparison with torch, may be repeated. Default: "
            "30 s of conversation that are part of pyannote.audio.",
        ),
    ] = None,
) -> None:
    """Export a model or a pipeline to another runtime, and compare it with torch.

    Batch, length and number of speakers of exported networks are dynamic. Each network
    has a report beside it, report.json and report.md. `apply --pipeline` runs the
    folder of an exported pipeline. After an error, the folder does not exist.

    Exit codes: 0, written, maybe with a warning that the output differs; 2, SOURCE
    cannot be exported, a package is missing, or the folder exists.
    """
    from pyannote_diarizen.hub.exporting import export as run
    from pyannote_diarizen.terminal import progress_bars

    with progress_bars() as bars:
        task = bars.add_task("", total=None)
        result = run(
            source,
            into,
            to,
            precision,
            audio or [],
            progress=lambda step: bars.update(task, description=step),
        )
    Console().print(_table(result))
    for role, comparison in result.networks.items():
        if comparison.warning:
            typer.secho(
                f"Warning: {role}: {comparison.warning}.", fg="yellow", err=True
            )
    if result.error_rate is not None:
        same = "the same turns" if result.error_rate == 0 else "other turns"
        typer.echo(
            f"Pipeline: {same}, error rate {result.error_rate:.2%} against torch."
        )
    typer.echo(f"Written: {into}")


def _table(result: "Export") -> Table:
    """Table of differences, one column per network."""
    from pyannote_diarizen.export.comparison import rows

    table = Table("against torch", *result.networks)
    columns = [dict(rows(asdict(each))) for each in result.networks.values()]
    for name in dict.fromkeys(name for column in columns for name in column):
        table.add_row(name, *(column.get(name, "") for column in columns))
    return table
