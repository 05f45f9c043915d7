# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen report`: a page about a training."""

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
    """Write a page about a training, also while it goes on.

    `RUN/report.html` holds curves, validation chunks with the reference above what the
    model says, a table of epochs, and the configuration; the curves are in
    `RUN/figures/curves.png` as well.

    Exit codes: 0, the page is written; 2, RUN is no run, or without a complete epoch.
    """
    from pyannote_diarizen.training.history import History
    from pyannote_diarizen.training.report import summarize, write_report

    page = write_report(run)
    typer.echo(summarize(History.read(run)))
    typer.echo(f"See {page}.")
