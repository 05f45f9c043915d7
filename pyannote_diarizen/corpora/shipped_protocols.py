# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Protocols that come with the package, and those of a user, by name."""

from pathlib import Path

from pyannote.database import registry

from pyannote_diarizen.corpora.database import Database, read_databases
from pyannote_diarizen.resources import resource_folder


def find_protocol(name: str, database: Path | None, root: Path | None) -> Database:
    """Find what defines a protocol.

    Parameters
    ----------
    name : str
        As in "AMI-SDM.SpeakerDiarization.only_words".
    database : Path or None
        The `database.yml` to look in. None looks where pyannote.database does, then
        among those that come with the package.
    root : Path or None
        Where relative paths start. None stands for the folder of `database`, and for
        the current one if it comes with the package.

    Raises
    ------
    OSError
        If `database` cannot be opened.
    ValueError
        If there is no such protocol; the message lists those that exist.
    """
    if database is not None:
        databases = read_databases(database, root)
    else:
        here = root or Path.cwd()
        hint = f" The head of the file tells how to prepare '{here}'."
        shipped = sorted(resource_folder("protocols").glob("*.yml"))
        databases = [Database(path, root) for path in registry.configs]
        databases += [Database(path, here, hint) for path in shipped]
    for found in databases:
        if name in found.protocols:
            for other in databases:  # audio may be told of elsewhere
                found.audio = {**other.audio, **found.audio}
            return found
    known = [protocol for found in databases for protocol in found.protocols]
    raise ValueError(f"There is no protocol called '{name}', only {', '.join(known)}.")
