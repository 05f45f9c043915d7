# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Audio files of recordings, by the templates of `database.yml` or by lists."""

import glob
import unicodedata
from collections.abc import Iterable, Sequence
from pathlib import Path

from pyannote_diarizen.atomic import expand_home
from pyannote_diarizen.corpora.database_yml import format_path


def locate_audio(templates: Iterable[str], uri: str, database: str) -> list[Path]:
    """Find the audio files of a recording.

    Parameters
    ----------
    templates : iterable of str
        Paths with {uri}, {database} and wildcards. Characters of `uri` are no
        wildcards, unlike in `pyannote.database.FileFinder`.
    uri, database : str

    Returns
    -------
    paths : list of Path
        Existing files; there should be one.

    Raises
    ------
    ValueError
        If a template has another key.
    """
    keys = {"uri": uri, "database": database}
    escaped = {key: glob.escape(value) for key, value in keys.items()}
    found = []
    for template in templates:
        parts = expand_home(template).parts
        # folders before the first wildcard
        fixed = next((n for n, part in enumerate(parts) if "*" in part), len(parts))
        start = Path(*(format_path(part, keys) for part in parts[:fixed]))
        if fixed == len(parts):
            found += [start] if start.is_file() else []
        else:
            pattern = Path(*(format_path(part, escaped) for part in parts[fixed:]))
            found += sorted(path for path in start.glob(str(pattern)))
    return found


def expected_audio(templates: Sequence[str], uri: str, database: str) -> list[str]:
    """Format the templates, for messages."""
    keys = {"uri": uri, "database": database}
    paths = [format_path(template, keys) for template in templates]
    return paths or ["no template in `Databases`"]


def listed_audio(listing: Path, audio: str) -> Path:
    """Resolve the path of audio: in the current folder, or else beside its list.

    Raises
    ------
    OSError
        If the path is too long.
    """
    here = expand_home(audio)
    beside = listing.parent / here
    return beside if beside.exists() and not here.exists() else here


def other_form(name: str, others: Iterable[str]) -> str | None:
    """Find the same letters in another Unicode form, such as composed accents.

    Parameters
    ----------
    name : str
    others : iterable of str

    Returns
    -------
    other : str or None
        The first one among `others`.
    """
    if name.isascii():
        return None
    normal = unicodedata.normalize("NFC", name)
    same = (one for one in others if unicodedata.normalize("NFC", one) == normal)
    return next((one for one in same if one != name), None)
