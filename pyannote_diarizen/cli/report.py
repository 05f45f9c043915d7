# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen report`: write a report of a training."""

from pathlib import Path
from typing import Annotated

import typer


def report(
    run: Annotated[
        Path,
        typer.Argument(
            file_okay=False, help="Folder of a run of pyannote-audio-train."
        ),
    ],
) -> None:
    """Write a report of a training, finished or not.

    `RUN/report.html` holds curves, validation chunks with the reference above the
    output of the model, a table of epochs, and the configuration. The curves are also
    in `RUN/figures/curves.png`.

    Exit codes: 0, written; 2, RUN is not a run, or has no complete epoch.
    """
    from pyannote_diarizen.training.history import History
    from pyannote_diarizen.training.report import summarize, write_report

    page = write_report(run)
    typer.echo(summarize(History.read(run)))
    typer.echo(f"See {page}.")
