# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen import-lhotse`: convert manifests of Lhotse to a protocol."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pyannote_diarizen.cli.import_kaldi import (
    ScopeOption,
    database_name,
    write_subsets,
)


def import_lhotse(
    recordings: Annotated[
        Path,
        typer.Argument(
            dir_okay=False, help="Manifest of recordings, as in recordings.jsonl.gz."
        ),
    ],
    supervisions: Annotated[
        Path,
        typer.Argument(
            dir_okay=False,
            help="Manifest of their supervisions: each is a turn of a speaker.",
        ),
    ],
    into: Annotated[
        Path,
        typer.Option(file_okay=False, help="Folder to write to."),
    ],
    subset: Annotated[
        Literal["train", "development", "test"],
        typer.Option(help="Subset to write. Others of that folder are kept."),
    ] = "train",
    name: Annotated[
        str | None,
        typer.Option(help="Name of the database. Default: name of the folder."),
    ] = None,
    scope: ScopeOption = "database",
    channel: Annotated[
        int | None,
        typer.Option(
            min=0,
            help="Channel to use of recordings with one file per channel. Only its "
            "supervisions are turns.",
        ),
    ] = None,
) -> None:
    """Convert manifests of Lhotse to a pyannote.database protocol (extra lhotse).

    Audio is not copied: the protocol refers to it. All manifests and files are checked
    before anything is written. Recordings are annotated from start to end.

    Exit codes: 0, written; 1, errors in the data; 2, there is no such manifest, or
    Lhotse is not installed.
    """
    from pyannote_diarizen.corpora.lhotse import read_lhotse

    found = read_lhotse(recordings, supervisions, channel)
    name = database_name(into) if name is None else name
    write_subsets({subset: found}, into, name, scope, "Lhotse", add=True)
