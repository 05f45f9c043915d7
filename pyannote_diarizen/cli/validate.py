# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen validate`: errors in data, line by line."""

from pathlib import Path
from typing import Annotated

import typer

from pyannote_diarizen.cli.findings import print_findings


def validate(
    data: Annotated[
        list[str],
        typer.Argument(
            help="RTTM, UEM, wav.scp, list or audio files; Kaldi or audio folders; "
            "database.yml files, or names of protocols."
        ),
    ],
    database: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            help="File database.yml that defines protocols given by name. Default: "
            "databases of pyannote.database, then protocols of this package.",
        ),
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            help="Folder where relative paths of a protocol start. Default: folder of "
            "its database.yml; current folder for protocols of this package.",
        ),
    ] = None,
    decode: Annotated[
        bool, typer.Option(help="Decode all audio, not only its duration.")
    ] = False,
    limit: Annotated[
        int, typer.Option(min=1, help="Maximum number of findings to print per file.")
    ] = 20,
) -> None:
    """Find errors in data, line by line, and print how to correct them.

    Data with errors cannot be trained on; warnings are worth a look.

    Exit codes: 0, no error; 1, errors; 2, no such file or protocol.
    """
    from pyannote_diarizen.corpora.validation import validate

    num_errors = 0
    for name in data:
        for checked in validate(name, database, root, decode):
            errors = print_findings(checked.findings, limit)
            warnings = len(checked.findings) - errors
            num_errors += errors
            counts = ", ".join(
                f"{num} {kind}{'s' * (num > 1)}"
                for num, kind in ((errors, "error"), (warnings, "warning"))
                if num
            )
            colour = "red" if errors else "yellow" if warnings else "green"
            content = f" ({checked.content})" if checked.content else ""
            typer.secho(f"{checked.name}{content}: {counts or 'ok'}", fg=colour)
    if num_errors:
        raise typer.Exit(1)
