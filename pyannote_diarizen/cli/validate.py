# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen validate`: what is wrong in data, line by line."""

from collections.abc import Iterable
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

if TYPE_CHECKING:
    from pyannote_diarizen.corpora.listings import Defect


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

    wrong = 0
    for what in data:
        for checked in validate(what, database, root, decode):
            wrong += (errors := tell(checked.defects, limit))
            warnings = len(checked.defects) - errors
            told = ", ".join(
                f"{num} {kind}{'s' * (num > 1)}"
                for num, kind in ((errors, "error"), (warnings, "warning"))
                if num
            )
            colour = "red" if errors else "yellow" if warnings else "green"
            holds = f" ({checked.holds})" if checked.holds else ""
            typer.secho(f"{checked.what}{holds}: {told or 'ok'}", fg=colour)
    if wrong:
        raise typer.Exit(1)


def tell(defects: "Iterable[Defect]", limit: int = 20) -> int:
    """Print defects, errors first, and return how many of them are errors."""
    ordered = sorted(defects, key=lambda defect: not defect.severe)
    for defect in ordered[:limit]:
        kind, colour = ("error", "red") if defect.severe else ("warning", "yellow")
        typer.echo(f"{typer.style(kind, fg=colour)} {defect}")
    if len(ordered) > limit:
        typer.echo(f"... and {len(ordered) - limit} more: see --limit.")
    return sum(defect.severe for defect in ordered)
