# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The one writer of RTTM (NIST Rich Transcription Time Marked), for files and text.

One line per turn: `SPEAKER uri 1 start duration <NA> <NA> speaker <NA> <NA>`, in
seconds. Fields are separated by spaces, so spaces in names become underscores.
`pyannote.database.util.load_rttm` reads it back.
"""

import re
from pathlib import Path

from pyannote.core import Annotation

from pyannote_diarizen.atomic import replacing


def rttm_name(name: str) -> str:
    """Replace white space in the name of a file or speaker by underscores.

    Examples
    --------
    >>> rttm_name("my call")
    'my_call'
    """
    return re.sub(r"\s", "_", name)


def rttm_line(uri: str, start: float, duration: float, speaker: str) -> str:
    """Format one turn.

    Parameters
    ----------
    uri : str
        Name of the file.
    start, duration : float
        Seconds, written to the millisecond.
    speaker : str
        Name of the speaker.

    Returns
    -------
    line : str
        Without a line break.
    """
    return (
        f"SPEAKER {rttm_name(uri)} 1 {start:.3f} {duration:.3f} <NA> <NA> "
        f"{rttm_name(speaker)} <NA> <NA>"
    )


def rttm_text(diarization: Annotation) -> str:
    """Format an annotation, one line per turn, in order of time."""
    uri = str(diarization.uri or "<NA>")
    turns = diarization.itertracks(yield_label=True)
    return "".join(
        rttm_line(uri, turn.start, turn.duration, str(speaker)) + "\n"
        for turn, _, speaker in turns
    )


def write_rttm(diarization: Annotation, path: Path) -> None:
    """Write `rttm_text` to `path`, whole or not at all."""
    with replacing(path) as temporary:
        temporary.write_text(rttm_text(diarization), encoding="utf-8")
