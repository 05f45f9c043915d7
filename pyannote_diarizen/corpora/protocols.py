# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Protocols of pyannote.database, by the names that users type."""

from pathlib import Path

from pyannote.core import Segment, Timeline
from pyannote.database import FileFinder, ProtocolFile, registry
from pyannote.database.protocol.protocol import Protocol

from pyannote_diarizen.audio.reader import audio_info

SUBSETS = ("train", "development", "test")


def load_protocol(name: str, database: Path | str | None = None) -> Protocol:
    """Protocol whose files know where their audio is, and what was annotated.

    Parameters
    ----------
    name : str
        As in "AMI.SpeakerDiarization.only_words".
    database : Path or str, optional
        The `database.yml` that defines it. Defaults to those that pyannote.database
        finds by itself.

    Raises
    ------
    FileNotFoundError
        If `database` does not exist.
    ValueError
        If there is no such protocol; the message lists those that exist.
    """
    if database is not None:
        registry.load_database(database)
    known = sorted(registry)
    if name not in known:
        raise ValueError(
            f"There is no protocol called '{name}', only "
            f"{', '.join(known) or 'none at all'}: name the database.yml that defines "
            "it, or see https://github.com/pyannote/pyannote-database."
        )
    return registry.get_protocol(name, {"audio": FileFinder(), "annotated": _annotated})


def _annotated(file: ProtocolFile) -> Timeline | None:
    """Take files without UEM as a whole, for which the host has None."""
    given = abs(file).get("annotated")  # without asking again what is being asked
    if given is not None:
        return given
    try:
        return Timeline([Segment(0, audio_info(file).duration)], uri=file["uri"])
    except (FileNotFoundError, KeyError):  # who asks for the audio is told
        return None


def subset_files(protocol: Protocol, subset: str) -> list[ProtocolFile]:
    """List the files of a subset; what they hold is read when it is asked for.

    Parameters
    ----------
    protocol : Protocol
    subset : {"train", "development", "test"}

    Raises
    ------
    ValueError
        If the protocol has no such subset.
    """
    if subset not in SUBSETS:
        raise ValueError(
            f"`subset` should be one of {', '.join(SUBSETS)}, got '{subset}'."
        )
    try:
        return list(getattr(protocol, subset)())
    except NotImplementedError as error:
        raise ValueError(f"'{protocol.name}' has no {subset} subset.") from error
