# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen import-kaldi`: data folders of Kaldi as a protocol."""

import re
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from pyannote_diarizen.cli.findings import print_findings


class Scope(str, Enum):
    """Within which two speakers of the same name are the same."""

    file = "file"
    database = "database"
    everywhere = "global"


def import_kaldi(
    folder: Annotated[
        Path,
        typer.Argument(
            file_okay=False,
            help="Folder that holds train/, dev/ and test/, or some of them, each with "
            "wav.scp, rttm and all.uem.",
        ),
    ],
    into: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Folder to write to; by default FOLDER."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Of the database; by default that of FOLDER."),
    ] = None,
    scope: Annotated[
        Scope,
        typer.Option(help="Within which speakers of the same name are the same."),
    ] = Scope.file,
) -> None:
    """Turn folders of Kaldi or DiariZen into a pyannote.database protocol.

    Audio stays where it is: the protocol links to it. All files are checked before
    anything is written; a recording without UEM is annotated as a whole if its whole
    subset is.

    Exit codes: 0, written; 1, something has to be mended first; 2, there is no such
    folder.
    """
    from pyannote_diarizen.corpora.kaldi import import_kaldi, read_kaldi_folder
    from pyannote_diarizen.corpora.validation import check_disjoint, check_subset

    subsets = read_kaldi_folder(folder)
    findings = [found for one in subsets.values() for found in check_subset(one)]
    if print_findings([*findings, *check_disjoint(subsets)]):
        typer.echo("Nothing is written: mend the errors first.", err=True)
        raise typer.Exit(1)
    called = re.sub(r"[^\w-]+", "-", folder.resolve().name)
    imported = import_kaldi(subsets, into or folder, name or called, scope.value)
    for subset, lists in subsets.items():
        turns = [turn for listing in lists.turns for turn in listing.items]
        speech = sum(turn.end - turn.start for turn in turns) / 3600
        typer.echo(
            f"{subset}: {len(lists.uris)} recordings, {len(turns)} turns, "
            f"{speech:.2f} h of speech"
        )
    typer.echo(f"Written: {imported.database}, protocol {imported.name}.")
