# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen validate`: what is wrong in data, line by line."""

from pathlib import Path
from typing import Annotated

import typer

from pyannote_diarizen.cli.findings import print_findings


def validate(
    data: Annotated[
        list[str],
        typer.Argument(
            help="RTTM, UEM, wav.scp, list or audio files; folders of Kaldi, or of "
            "audio; database.yml files, or names of protocols."
        ),
    ],
    database: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            help="The database.yml that defines protocols given by name; by default "
            "those that pyannote.database knows, and those that come with the package.",
        ),
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            help="Folder where relative paths of a protocol start; by default that of "
            "its database.yml, or the current one if it comes with the package.",
        ),
    ] = None,
    decode: Annotated[
        bool, typer.Option(help="Read all audio, not only how long it is.")
    ] = False,
    limit: Annotated[
        int, typer.Option(min=1, help="Print at most so many lines for each thing.")
    ] = 20,
) -> None:
    """Look for what is wrong in data, line by line, and say what to mend.

    Errors are what cannot be trained on; warnings are what is worth a look.

    Exit codes: 0, no error; 1, some errors; 2, there is no such file or protocol.
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
