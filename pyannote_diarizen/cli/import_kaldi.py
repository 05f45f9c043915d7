# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen import-kaldi`: convert Kaldi folders to a protocol."""

import re
from enum import Enum
from pathlib import Path
from typing import Annotated

import typer

from pyannote_diarizen.cli.findings import print_findings


class Scope(str, Enum):
    """Scope within which equal names are the same speaker."""

    file = "file"
    database = "database"
    everywhere = "global"


def import_kaldi(
    folder: Annotated[
        Path,
        typer.Argument(
            file_okay=False,
            help="Folder with train/, dev/ and test/, or some of them, each with "
            "wav.scp, rttm and all.uem.",
        ),
    ],
    into: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Folder to write to. Default: FOLDER."),
    ] = None,
    name: Annotated[
        str | None,
        typer.Option(help="Name of the database. Default: name of FOLDER."),
    ] = None,
    scope: Annotated[
        Scope,
        typer.Option(help="Scope within which equal names are the same speaker."),
    ] = Scope.file,
) -> None:
    """Convert folders of Kaldi or DiariZen to a pyannote.database protocol.

    Audio is not copied: the protocol refers to it. All files are checked before
    anything is written. Without all.uem, recordings of a subset are annotated from
    start to end.

    Exit codes: 0, written; 1, errors in the data; 2, there is no such folder.
    """
    from pyannote_diarizen.corpora.kaldi import (
        check_recordings,
        import_kaldi,
        read_kaldi_folder,
    )
    from pyannote_diarizen.corpora.subset_checks import check_disjoint, check_subset

    subsets = read_kaldi_folder(folder)
    findings = [found for one in subsets.values() for found in check_subset(one)]
    findings += [*check_recordings(subsets), *check_disjoint(subsets)]
    more = f"run `pyannote-diarizen validate {folder}`"
    if print_findings(findings, more=more):
        typer.echo("Nothing was written: correct the errors first.", err=True)
        raise typer.Exit(1)
    if name is None:
        name = re.sub(r"[^\w-]+", "-", folder.resolve().name)
    imported = import_kaldi(subsets, into or folder, name, scope.value)
    for subset, lists in subsets.items():
        turns = [turn for listing in lists.turns for turn in listing.items]
        speech = sum(turn.end - turn.start for turn in turns) / 3600
        typer.echo(
            f"{subset}: {len(lists.uris)} recordings, {len(turns)} turns, "
            f"{speech:.2f} h of speech"
        )
    typer.echo(f"Written: {imported.database}, protocol {imported.name}.")
