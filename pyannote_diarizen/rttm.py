# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The one writer of RTTM (NIST Rich Transcription Time Marked), for files and text.

One line per turn: `SPEAKER uri 1 start duration <NA> <NA> speaker <NA> <NA>`, in
seconds. `pyannote.database.util.load_rttm` reads it back. It separates fields by white
space, reads words such as "NA" as missing values, and removes quotation marks, so that
`rttm_name` replaces them in names.
"""

import re
import warnings
from collections.abc import Hashable, Iterable
from pathlib import Path

from pyannote.core import Annotation

from pyannote_diarizen.atomic import write_file

MISSING_NAMES = {
    *("", "#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND"),
    *("1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
}
"""Words that pandas, hence pyannote.database, reads as a missing value."""

INVISIBLE = re.compile(r"[\s\x00-\x1f\x7f-\x9f\u200b\u2060\ufeff]")
"""Characters that names may not hold: white space, control characters, zero width."""


def valid_text(text: str) -> str:
    """Replace characters that no file can hold, as names of files may have them."""
    return text.encode("utf-8", "replace").decode("utf-8")


def rttm_name(name: str) -> str:
    """Return the name of a file or speaker as readers of RTTM keep it.

    White space and invisible characters become underscores, a quotation mark an
    apostrophe, an invalid character a question mark, and a word that stands for a
    missing value is followed by an underscore.

    Examples
    --------
    >>> rttm_name("my call"), rttm_name("NA")
    ('my_call', 'NA_')
    """
    text = INVISIBLE.sub("_", valid_text(name).replace('"', "'"))
    return f"{text}_" if text in MISSING_NAMES else text


def warn_of_rename(name: str, written: str) -> None:
    """Warn that `name` is written as `written`, unless only white space differs."""
    if written != re.sub(r"\s", "_", name):
        warnings.warn(
            f"{name!r} is written as {written!r}: RTTM files would lose that name.",
            stacklevel=3,
        )


def speaker_names(labels: Iterable[Hashable]) -> dict[Hashable, str]:
    """Return the name in RTTM of each label; different labels have different names."""
    names: dict[Hashable, str] = {}
    # a name that needs no change is given first, as in ("Ann B", "Ann_B")
    for label in sorted(labels, key=lambda label: rttm_name(str(label)) != label):
        name = rttm_name(str(label))
        while name in names.values():
            name += "_"
        warn_of_rename(str(label), name)
        names[label] = name
    return names


def check_speakers(names: Iterable[str]) -> None:
    """Refuse names of speakers that would be one name in RTTM files.

    Raises
    ------
    ValueError
        If two names differ, and `rttm_name` makes them equal.
    """
    first: dict[str, str] = {}
    for name in names:
        other = first.setdefault(rttm_name(name), name)
        if other != name:
            raise ValueError(
                f"Speakers {other!r} and {name!r} would be one in RTTM files, "
                f"{rttm_name(name)!r}: rename one of them."
            )


def rttm_line(uri: str, start: float, duration: float, speaker: str) -> str:
    """Format one turn.

    Parameters
    ----------
    uri : str
        Name of the file, as `rttm_name` returns it.
    start, duration : float
        Seconds, written to the millisecond.
    speaker : str
        Name of the speaker, as `rttm_name` returns it.

    Returns
    -------
    line : str
        Without a line break.
    """
    return f"SPEAKER {uri} 1 {start:.3f} {duration:.3f} <NA> <NA> {speaker} <NA> <NA>"


def rttm_text(diarization: Annotation) -> str:
    """Format an annotation, one line per turn, in order of time."""
    uri, names = "<NA>", speaker_names(diarization.labels())
    if diarization.uri:
        uri = rttm_name(str(diarization.uri))
        warn_of_rename(str(diarization.uri), uri)
    return "".join(
        rttm_line(uri, turn.start, turn.duration, names[speaker]) + "\n"
        for turn, _, speaker in diarization.itertracks(yield_label=True)
    )


def write_rttm(diarization: Annotation, path: Path) -> None:
    """Write `rttm_text` to `path`, whole or not at all."""
    write_file(rttm_text(diarization), path)
