# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Words of transcripts: JSON of recognizers, subtitles, CTM.

JSON of whisper, faster-whisper, whisperX and NeMo differs in its keys only; items of
whisper.cpp and transformers hold both times under one key. A segment without times of
its words, and a subtitle, is one `Word` of several words.
"""

import html
import re
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from pyannote_diarizen.results.document import parse_json
from pyannote_diarizen.results.text_readers import ctm_words, read_text
from pyannote_diarizen.results.turns import Word

_TEXT = ("word", "text", "words", "segment")
_START = ("start", "start_time")
_END = ("end", "end_time")
_CONFIDENCE = ("probability", "score", "confidence", "conf")
"""Names of the same value in JSON of different recognizers."""

_LISTS = (
    *("segments", "words", "word_segments", "timestamps_word"),
    *("transcription", "chunks"),  # of whisper.cpp, of transformers
)
"""Keys of lists of words, or of segments with words."""

_CLOCK = r"(?:(\d+):)?(\d+):(\d+)[.,](\d{1,3})"
_CUE = re.compile(rf"\s*{_CLOCK}\s*-->\s*{_CLOCK}")
_TAG = re.compile(r"<[^>]*>|\{\\[^}]*\}")


def read_words(path: Path | str) -> list[Word]:
    """Read the words of a transcript.

    Parameters
    ----------
    path : Path or str
        `.json`, `.srt`, `.vtt` or `.ctm`.

    Returns
    -------
    words : list of Word
        In the order of the file.

    Raises
    ------
    OSError
        If the file cannot be opened.
    ValueError
        If the content is wrong, or the suffix another one.
    """
    path = Path(path)
    suffix = path.suffix.lower()
    if suffix not in _READERS:
        raise ValueError(
            f"'{path}': expected a transcript that ends in {', '.join(_READERS)}."
        )
    try:
        return _READERS[suffix](read_text(path))
    except ValueError as error:
        raise ValueError(f"'{path}': {error}") from error


def _read_json(text: str) -> list[Word]:
    content = parse_json(text)
    items = _find_items(content)
    if items is None:
        raise ValueError(
            "expected JSON of whisper, faster-whisper, whisper.cpp, whisperX, "
            'transformers or NeMo, with the key "segments" or "words", got '
            f"{content!r:.60}."
        )
    words: list[Word] = []
    for number, item in enumerate(items):
        try:
            words += _words_of(item)
        except ValueError as error:
            raise ValueError(f"segment {number}: {error}") from error
    return words


def _find_items(content: Any) -> list[Any] | None:
    """Return the list of segments or words, wherever the recognizer puts it."""
    if isinstance(content, list):
        return content
    if not isinstance(content, Mapping):
        return None
    lists = [content[key] for key in _LISTS if isinstance(content.get(key), list)]
    nested = content.get("timestamp", content.get("timestamps"))
    if not lists and isinstance(nested, Mapping):  # of NeMo
        lists = [nested[key] for key in ("word", "segment") if nested.get(key)]
    filled = [items for items in lists if items]
    return (filled or lists or [None])[0]


def _words_of(item: Any) -> Iterator[Word]:
    """Yield the words of a segment, or the one word that it is."""
    if not isinstance(item, Mapping):
        raise ValueError(f"expected an object, got {item!r:.60}.")
    inner = item.get("words")
    if isinstance(inner, list) and inner:
        yield from _timed(inner, item)
    elif text := str(_first(item, _TEXT) or "").strip():
        yield _word(text, *_times(item), item)


def _times(item: Mapping[str, Any]) -> tuple[Any, Any]:
    """Return the start and end of an item in seconds, None if unknown."""
    match item:
        case {"offsets": {"from": int(start), "to": int(end)}}:  # of whisper.cpp, in ms
            return start / 1000, end / 1000
        case {"timestamp": [start, end]}:  # of transformers
            # the last end is unknown if the audio ends within a word
            return start, start if end is None else end
        case _:
            return _first(item, _START), _first(item, _END)


def _timed(items: Sequence[Any], segment: Mapping[str, Any]) -> Iterator[Word]:
    """Yield words; those without times lie between their neighbours."""
    for item in items:
        if not isinstance(item, Mapping):
            raise ValueError(f"expected an object for a word, got {item!r:.60}.")
    starts, ends = ([_first(item, keys) for item in items] for keys in (_START, _END))
    for index, item in enumerate(items):
        start, end = starts[index], ends[index]
        if start is None:
            known = (time for time in reversed(ends[:index]) if time is not None)
            start = next(known, _first(segment, _START))
        if end is None:
            known = (time for time in starts[index + 1 :] if time is not None)
            end = next(known, _first(segment, _END))
            end = start if end is None else max(start or 0, end)
        if text := str(_first(item, _TEXT) or "").strip():
            yield _word(text, start, end, item)


def _word(text: str, start: Any, end: Any, item: Mapping[str, Any]) -> Word:
    if start is None or end is None:
        raise ValueError(f"{text!r:.60} has no start and end.")
    score = _first(item, _CONFIDENCE)
    # some recognizers write logarithms
    is_share = isinstance(score, (int, float)) and 0 <= score <= 1
    return Word(start, end, text, confidence=score if is_share else None)


def _first(item: Mapping[str, Any], keys: Sequence[str]) -> Any:
    return next((item[key] for key in keys if item.get(key) is not None), None)


def _read_subtitles(text: str) -> list[Word]:
    words: list[Word] = []
    lines = text.splitlines()
    starts = [number for number, line in enumerate(lines) if "-->" in line]
    cues = {number: _CUE.match(lines[number]) for number in starts}
    for number, cue in cues.items():
        blank = number > 0 and lines[number - 1].strip() == ""
        counted = number > 0 and lines[number - 1].strip().isdigit()
        if cue is None and (blank or counted):
            raise ValueError(
                f"line {number + 1}: expected `00:00:01,000 --> 00:00:02,000`, "
                f"got {lines[number]!r:.60}."
            )
        if cue is None:
            continue  # text
        spoken = []
        for line in lines[number + 1 :]:
            if not line.strip():
                break
            spoken.append(_TAG.sub("", line))
        if shown := html.unescape(" ".join(spoken)).strip():
            times = _seconds(cue.groups()[:4]), _seconds(cue.groups()[4:])
            words.append(_on_line(number + 1, *times, shown))
    if lines and not any(cues.values()):
        raise ValueError("holds no subtitle.")
    return words


def _read_ctm(text: str) -> list[Word]:
    # channels may be those of the audio
    return [replace(word, speaker=None) for _, word in ctm_words(text)]


def _seconds(fields: Sequence[str | None]) -> float:
    hours, minutes, seconds, fraction = fields
    whole = int(hours or 0) * 3600 + int(minutes or 0) * 60 + int(seconds or 0)
    return whole + float(f"0.{fraction}")


def _on_line(line: int, start: float, end: float, text: str) -> Word:
    try:
        return Word(start, end, text)
    except ValueError as error:
        raise ValueError(f"line {line}: {error}") from error


_READERS = {
    ".json": _read_json,
    ".srt": _read_subtitles,
    ".vtt": _read_subtitles,
    ".ctm": _read_ctm,
}
