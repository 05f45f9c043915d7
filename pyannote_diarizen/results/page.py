# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Page of one recording: one HTML file that shows turns and plays them.

The files of templates/ go into the page, with the recording as JSON and base64. The
page loads nothing: its content security policy permits its own script, by hash, and no
network. jinja2 escapes text of files in HTML, and `<` in JSON.
"""

import base64
import hashlib
import os
import warnings
from dataclasses import asdict, replace
from importlib.metadata import version
from importlib.resources import files
from pathlib import Path
from typing import Any, Literal
from urllib.parse import quote

from jinja2 import Environment, PackageLoader
from pyannote.core import Annotation

from pyannote_diarizen.atomic import write_file
from pyannote_diarizen.audio.sources import AudioFile
from pyannote_diarizen.results.document import DiarizationDocument
from pyannote_diarizen.results.error_analysis import compare
from pyannote_diarizen.results.timelines import SPEAKER_COLORS
from pyannote_diarizen.results.waveform import SOUND_TYPE, Waveform, read_waveform
from pyannote_diarizen.rttm import INVISIBLE, MISSING_NAMES, valid_text

Sound = Literal["embed", "link", "none"]
"""Sound of a page: inside it, in the audio file beside it, or none."""


def _base64(content: bytes) -> str:
    return base64.b64encode(content).decode("ascii")


TEMPLATES = Environment(
    loader=PackageLoader("pyannote_diarizen.results"), autoescape=True
)
# NaN is no JSON: an error here rather than in the browser
TEMPLATES.policies["json.dumps_kwargs"] = {"allow_nan": False}
TEMPLATES.filters["base64"] = _base64

_SCRIPTS = ("model", "drawing", "sound", "tables", "names", "page")
_TOLERANCE = 1.0
"""Seconds by which the last turn may end after the audio, because of rounding."""


def write_page(
    path: Path,
    document: DiarizationDocument,
    audio: Path | None = None,
    reference: Annotation | None = None,
    sound: Sound = "embed",
    channel: int | None = None,
) -> None:
    """Write the page of a recording, whole or not at all.

    Parameters
    ----------
    path : Path
        File to write.
    document, audio, reference, channel
        See `render_page`.
    sound : {"embed", "link", "none"}, optional
        Compress the sound into the page (11 megabytes an hour, a third more as text),
        play `audio` from its place relative to the page, or play nothing.

    Raises
    ------
    AudioFileError
        If `audio` cannot be read.
    """
    url = None
    if audio is not None and sound == "link":
        url = _relative_url(audio, path)
    text = render_page(document, audio, reference, sound == "embed", url, channel)
    write_file(text, path)


def render_page(
    document: DiarizationDocument,
    audio: AudioFile | None = None,
    reference: Annotation | None = None,
    with_sound: bool = False,
    sound_url: str | None = None,
    channel: int | None = None,
) -> str:
    """Return the text of a page.

    Parameters
    ----------
    document : DiarizationDocument
    audio : str, Path, file object or Mapping, optional
        Recording, see `open_audio`. Without it, there is neither waveform nor sound.
    reference : Annotation, optional
        True turns of speakers, to show errors.
    with_sound : bool, optional
        Compress the sound into the page.
    sound_url : str, optional
        Address of the sound relative to the page.
    channel : int, optional
        Channel of `audio`, from 0. Default: average of all channels.

    Returns
    -------
    html : str
    """
    waveform, embedded = None, b""
    if audio is not None:
        waveform = read_waveform(audio, with_sound, channel)
        embedded = waveform.sound or b""
        last = max((turn.end for turn in document.turns), default=0.0)
        if last > waveform.duration + _TOLERANCE:
            warnings.warn(
                f"The audio lasts {waveform.duration:.1f} s, but the last turn ends at "
                f"{last:.1f} s: is it the audio of '{document.uri}'?",
                stacklevel=2,
            )
    data = {
        "version": version("pyannote-diarizen"),
        "document": _without_path(document).to_dict(),
        "duration": max(document.end, waveform.duration if waveform else 0.0, 0.1),
        "colors": SPEAKER_COLORS,
        "missing_names": sorted(MISSING_NAMES),
        "invisible": INVISIBLE.pattern,
        "mapping": [],
        "audio": {"type": SOUND_TYPE} if embedded else sound_url and {"url": sound_url},
        "peaks": waveform and _peaks(waveform),
        **({} if reference is None else _errors(document, reference)),
    }
    style = template_text("page.css")
    script = "".join(template_text(f"{name}.js") for name in _SCRIPTS)
    return TEMPLATES.get_template("page.html").render(
        title=valid_text(document.uri),
        version=data["version"],
        policy=_policy(style, script),
        style=style,
        script=script,
        data=data,
        sound=embedded,
    )


def _without_path(document: DiarizationDocument) -> DiarizationDocument:
    """Keep the name of the audio file: pages are passed on, folders are private."""
    if document.audio is None:
        return document
    return replace(document, audio=Path(document.audio).name)


def _policy(style: str, script: str) -> str:
    """Content security policy: this script and this style, no network."""
    return "; ".join(
        (
            "default-src 'none'",
            f"script-src 'sha256-{digest(script)}'",
            f"style-src 'sha256-{digest(style)}'",
            # sound from memory, or from a file beside the page
            "media-src 'self' blob: file:",
            "img-src data:",
            "base-uri 'none'",
            "form-action 'none'",
        )
    )


def template_text(name: str) -> str:
    """Return a style or script of templates/."""
    path = files("pyannote_diarizen.results") / "templates" / name
    return path.read_text(encoding="utf-8")


def digest(text: str) -> str:
    """Return the hash of a script or style, as a content security policy has it."""
    return _base64(hashlib.sha256(text.encode()).digest())


def _peaks(waveform: Waveform) -> dict[str, Any]:
    values = _base64(waveform.peaks.tobytes())
    return {"rate": waveform.peak_rate, "values": values}


def _errors(document: DiarizationDocument, reference: Annotation) -> dict[str, Any]:
    """Return the turns of the reference, the errors, and their sums."""
    comparison = compare(reference, document.annotation())
    score = comparison.score
    return {
        "reference": [
            {"start": turn.start, "end": turn.end, "speaker": str(speaker)}
            for turn, _, speaker in reference.itertracks(yield_label=True)
        ],
        "mapping": list(comparison.mapping.items()),
        "errors": [asdict(error) for error in comparison.errors],
        "score": {
            "total": score.total,
            "missed": score.missed_detection,
            "false_alarm": score.false_alarm,
            "confusion": score.confusion,
        },
    }


def _relative_url(audio: Path, page: Path) -> str:
    """Address of a file as seen from a page."""
    audio, folder = audio.resolve(), page.resolve().parent
    try:
        relative = Path(os.path.relpath(audio, folder)).as_posix()
    except ValueError:  # on another drive of Windows
        return audio.as_uri()
    return quote(os.fsencode(relative))
