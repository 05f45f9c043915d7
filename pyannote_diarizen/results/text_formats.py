# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Text formats that need no package: subtitles, tables, labels, CTM, SegLST, RTTM.

Subtitles are written here, since pysubs2 drops text in braces and writes WebVTT
without its escapes. Readers are in `text_readers`.
"""

import csv
import html
import io
import json
from collections.abc import Callable

from pyannote_diarizen.results.document import DiarizationDocument
from pyannote_diarizen.results.utterances import UNKNOWN, one_line, utterances
from pyannote_diarizen.rttm import rttm_text, valid_text

MAX_SUBTITLE = 84
"""Characters of a subtitle: two lines of 42."""

_NO_TAGS = str.maketrans("<>", "\u2039\u203a")
"""SubRip has tags, but no escapes: players hide what is between < and >."""

_FORMULA = ("=", "+", "-", "@")
"""First characters of what spreadsheets execute."""


def to_rttm(document: DiarizationDocument, exclusive: bool) -> str:
    """NIST RTTM: one line per turn."""
    return rttm_text(document.annotation(exclusive))


def to_json(document: DiarizationDocument, exclusive: bool) -> str:
    """JSON of this package, which holds overlapping and exclusive turns."""
    return document.to_json()


def to_srt(document: DiarizationDocument, exclusive: bool) -> str:
    """SubRip subtitles: `speaker: words`."""
    cues = []
    for number, each in enumerate(
        utterances(document, exclusive, MAX_SUBTITLE), start=1
    ):
        times = f"{clock(each.start, ',')} --> {clock(each.end, ',')}"
        text = f"{each.speaker}: {each.text}" if each.text else each.speaker
        cues.append(f"{number}\n{times}\n{text.translate(_NO_TAGS)}\n")
    return "\n".join(cues)


def to_vtt(document: DiarizationDocument, exclusive: bool) -> str:
    """WebVTT subtitles, with the speaker as voice of the cue."""
    cues = ["WEBVTT\n"]
    for each in utterances(document, exclusive, MAX_SUBTITLE):
        speaker = html.escape(each.speaker, quote=False)
        text = html.escape(each.text, quote=False) or speaker
        times = f"{clock(each.start)} --> {clock(each.end)}"
        # without the space, a name that ends in "--" would give "-->"
        space = " " if speaker.endswith("-") else ""
        cues.append(f"{times}\n<v {speaker}{space}>{text}\n")
    return "\n".join(cues)


def to_csv(document: DiarizationDocument, exclusive: bool) -> str:
    """Table with a header, one row per utterance or turn."""
    lines = utterances(document, exclusive)
    has_text = any(each.text for each in lines)
    has_confidence = any(each.confidence is not None for each in lines)
    output = io.StringIO()
    writer = csv.writer(output, lineterminator="\n")
    extra = ["confidence"] * has_confidence + ["text"] * has_text
    writer.writerow(["uri", "start", "end", "speaker", *extra])
    for each in lines:
        score = "" if each.confidence is None else f"{each.confidence:.4f}"
        row = [safe_cell(document.uri), f"{each.start:.3f}", f"{each.end:.3f}"]
        row += [safe_cell(each.speaker)] + [score] * has_confidence
        writer.writerow(row + [safe_cell(each.text)] * has_text)
    return output.getvalue()


def to_audacity(document: DiarizationDocument, exclusive: bool) -> str:
    """Labels of Audacity: start, end and speaker of each turn."""
    turns = document.exclusive_turns if exclusive else document.turns
    return "".join(
        f"{turn.start:.6f}\t{turn.end:.6f}\t{one_line(turn.speaker)}\n"
        for turn in turns or ()
    )


def to_ctm(document: DiarizationDocument, exclusive: bool) -> str:
    """NIST CTM: one line per word, with the speaker as channel."""
    lines = []
    for word in document.words:
        about = (document.uri, word.speaker or UNKNOWN, word.text)
        uri, speaker, text = (one_line(each).replace(" ", "_") for each in about)
        score = "" if word.confidence is None else f" {word.confidence:.3f}"
        times = f"{word.start:.3f} {word.end - word.start:.3f}"
        lines.append(f"{uri} {speaker} {times} {text}{score}\n")
    return "".join(lines)


def to_seglst(document: DiarizationDocument, exclusive: bool) -> str:
    """SegLST of CHiME and meeteval: a list of segments in JSON."""
    lines = ",\n".join(
        json.dumps(
            {
                "session_id": document.uri,
                "start_time": round(each.start, 3),
                "end_time": round(each.end, 3),
                "speaker": each.speaker,
                "words": each.text,
            },
            ensure_ascii=False,
        )
        for each in utterances(document, exclusive)
    )
    return f"[\n{lines}\n]\n"


def to_lhotse(document: DiarizationDocument, exclusive: bool) -> str:
    """Supervisions of Lhotse: one line of JSON per utterance or turn."""
    lines = []
    for number, each in enumerate(utterances(document, exclusive)):
        supervision = {
            "id": f"{document.uri}-{number:06}",
            "recording_id": document.uri,
            "start": round(each.start, 3),
            "duration": round(each.end - each.start, 3),
            "channel": 0,
            "speaker": each.speaker,
            **({"text": each.text} if each.text else {}),
        }
        lines.append(json.dumps(supervision, ensure_ascii=False) + "\n")
    return valid_text("".join(lines))


def clock(seconds: float, separator: str = ".") -> str:
    """Format a time as HH:MM:SS.mmm.

    Examples
    --------
    >>> clock(3723.5)
    '01:02:03.500'
    """
    whole, milliseconds = divmod(round(seconds * 1000), 1000)
    minutes, second = divmod(whole, 60)
    hour, minute = divmod(minutes, 60)
    return f"{hour:02}:{minute:02}:{second:02}{separator}{milliseconds:03}"


def safe_cell(text: str) -> str:
    """Keep spreadsheets from taking a text for a formula, by an apostrophe."""
    text = one_line(text)
    return f"'{text}" if text.startswith(_FORMULA) else text


def from_cell(text: str) -> str:
    """Remove the apostrophe of `safe_cell`."""
    return text[1:] if text[:1] == "'" and text[1:].startswith(_FORMULA) else text


Render = Callable[[DiarizationDocument, bool], "str | bytes"]
"""Maps a document, and whether one speaker at a time is wanted, to a file's content."""
