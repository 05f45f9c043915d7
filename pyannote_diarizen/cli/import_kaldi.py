# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen import-kaldi`: convert Kaldi folders to a protocol."""

import re
from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pyannote_diarizen.cli.findings import print_findings

if TYPE_CHECKING:
    from pyannote_diarizen.corpora.subset import Subset

Scope = Literal["file", "database", "global"]
ScopeOption = Annotated[
    Scope, typer.Option(help="Scope within which equal names are the same speaker.")
]


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
    scope: ScopeOption = "file",
) -> None:
    """Convert folders of Kaldi or DiariZen to a pyannote.database protocol.

    Audio is not copied: the protocol refers to it. All files are checked before
    anything is written. Without all.uem, recordings of a subset are annotated from
    start to end.

    Exit codes: 0, written; 1, errors in the data; 2, there is no such folder.
    """
    from pyannote_diarizen.corpora.kaldi import read_kaldi_folder

    subsets = read_kaldi_folder(folder)
    more = f"run `pyannote-diarizen validate {folder}`"
    name = database_name(folder) if name is None else name
    write_subsets(subsets, into or folder, name, scope, more=more)


def database_name(folder: Path) -> str:
    """Name of a database after a folder; other characters become hyphens."""
    return re.sub(r"[^\w-]+", "-", folder.resolve().name)


def write_subsets(
    subsets: "Mapping[str, Subset]",
    into: Path,
    name: str,
    scope: Scope,
    protocol: str = "Kaldi",
    add: bool = False,
    more: str = "correct these first",
) -> None:
    """Check subsets, write them as a protocol, and print their sizes.

    Parameters
    ----------
    subsets : mapping of str to Subset
    into, name, scope, protocol, add
        See `corpora.importing.import_subsets`.
    more : str, optional
        How to see further findings.
    """
    from pyannote_diarizen.corpora.importing import (
        check_recordings,
        earlier_subsets,
        import_subsets,
    )
    from pyannote_diarizen.corpora.subset_checks import check_disjoint, check_subset

    called = f"{name}.SpeakerDiarization.{protocol}"
    earlier = earlier_subsets(into, called) if add else {}
    findings = [found for one in subsets.values() for found in check_subset(one)]
    findings += [*check_recordings(subsets), *check_disjoint({**earlier, **subsets})]
    if print_findings(findings, more=more):
        typer.echo("Nothing was written: correct the errors first.", err=True)
        raise typer.Exit(1)
    path = import_subsets(subsets, into, name, scope, protocol, add)
    for subset, lists in subsets.items():
        turns = [turn for listing in lists.turns for turn in listing.items]
        speech = sum(turn.end - turn.start for turn in turns) / 3600
        typer.echo(
            f"{subset}: {len(lists.uris)} recordings, {len(turns)} turns, "
            f"{speech:.2f} h of speech"
        )
    typer.echo(f"Written: {path}, protocol {called}.")
