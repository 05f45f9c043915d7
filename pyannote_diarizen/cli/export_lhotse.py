# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen export-lhotse`: convert a protocol to manifests of Lhotse."""

from pathlib import Path
from typing import Annotated

import typer

from pyannote_diarizen.cli.findings import checked_files
from pyannote_diarizen.cli.options import DatabaseOption, ProtocolArgument


def export_lhotse(
    protocol: ProtocolArgument,
    into: Annotated[
        Path, typer.Option(file_okay=False, help="Folder for the manifests.")
    ],
    database: DatabaseOption = None,
    subset: Annotated[
        list[str] | None,
        typer.Option(
            help="Subset to write: train, development or test; repeatable. Default: "
            "all."
        ),
    ] = None,
) -> None:
    """Convert a pyannote.database protocol to manifests of Lhotse (extra lhotse).

    Writes recordings_train.jsonl.gz and supervisions_train.jsonl.gz, and the same for
    other subsets. Audio is not copied: manifests have its absolute path. Lhotse has no
    annotated regions: turns outside of them are written, too.

    Exit codes: 0, written; 2, errors in the data, wrong usage, or Lhotse is not
    installed.
    """
    from pyannote_diarizen.corpora.database import find_protocol
    from pyannote_diarizen.corpora.lhotse import export_lhotse, require_lhotse

    require_lhotse()
    found = find_protocol(protocol, database)
    names = subset or list(found.subsets(protocol))
    for name, files in checked_files(protocol, database, names).items():
        paths = export_lhotse(files, into, name)
        typer.echo(f"{name}: {len(files)} recordings, {' and '.join(map(str, paths))}")
