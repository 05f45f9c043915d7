# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The thirty seconds of conversation that come with pyannote.audio.

Importing `pyannote.audio.sample` decodes them by torchcodec, which fails without
FFmpeg; here its files are found without importing it.
"""

from importlib.resources import files
from pathlib import Path
from typing import Any

from pyannote.core import Segment, Timeline
from pyannote.database.util import load_rttm

from pyannote_diarizen.audio.reader import audio_info


def sample_file() -> dict[str, Any]:
    """Return a short conversation between two speakers, with its reference.

    Returns
    -------
    file : dict
        "uri", "audio" (Path), "annotation" (Annotation), "annotated" (Timeline).
    """
    uri = "sample"
    # the parent of the module, since the module would be imported
    audio = Path(str(files("pyannote.audio"))) / "sample" / f"{uri}.wav"
    return {
        "uri": uri,
        "audio": audio,
        "annotation": load_rttm(audio.with_suffix(".rttm"))[uri],
        "annotated": Timeline([Segment(0.0, audio_info(audio).duration)], uri=uri),
    }
