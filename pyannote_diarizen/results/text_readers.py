# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Readers of `text_formats`: documents of the recordings in a file.

Errors are of type `ValueError`. They begin with the line; `formats` adds the file.
"""

import csv
import io
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

from pyannote_diarizen.corpora.listings import read_rttm
from pyannote_diarizen.results.document import (
    FORMAT,
    DiarizationDocument,
    parse_json,
)
from pyannote_diarizen.results.text_formats import from_cell
from pyannote_diarizen.results.turns import Turn, Word
from pyannote_diarizen.results.utterances import utterances

_COLUMNS = ("start", "end", "speaker")


def read_text(path: Path) -> str:
    """Read a file in UTF-8, possibly with a byte-order mark."""
    try:
        return path.read_text(encoding="utf-8-sig")
    except UnicodeDecodeError as error:
        raise ValueError(f"is not text in UTF-8: {error}. Convert it.") from error


def read_rttm_documents(path: Path) -> list[DiarizationDocument]:
    """Read RTTM; turns of 0 s are left out."""
    listing = read_rttm(path)
    for finding in listing.findings:
        if finding.status == "error":
            line = "" if finding.line is None else f"line {finding.line}: "
            raise ValueError(f"{line}{finding.text}: {finding.remedy}.")
    return documents(
        # the sum of start and duration has more digits than both
        (item.uri, _turn(item.line, item.start, round(item.end, 6), item.speaker))
        for item in listing.items
        if item.end > item.start
    )


def read_json(path: Path) -> list[DiarizationDocument]:
    """Read JSON of this package, or SegLST."""
    content = parse_json(read_text(path))
    if isinstance(content, list):
        return _read_seglst(content)
    if isinstance(content, Mapping) and content.get("format") == FORMAT:
        return [DiarizationDocument.from_dict(content)]
    raise ValueError(
        f'is neither JSON with "format": "{FORMAT}", nor SegLST, a list of segments.'
    )


def read_csv(path: Path) -> list[DiarizationDocument]:
    """Read a table with the columns `start`, `end`, `speaker`, and others if any."""
    text = read_text(path)
    header = text.partition("\n")[0]
    delimiter = max(",;\t", key=header.count)
    # texts may hold other line breaks, such as U+2028
    reader = csv.DictReader(io.StringIO(text, newline=""), delimiter=delimiter)
    names = [name.strip().lower() for name in reader.fieldnames or ()]
    missing = [name for name in _COLUMNS if name not in names]
    if missing:
        raise ValueError(
            f"line 1: expected the columns {', '.join(_COLUMNS)}, got {header.strip()}."
        )
    reader.fieldnames = names
    rows, words = [], []
    try:
        for row in reader:
            uri, number = from_cell(row.get("uri") or path.stem), reader.line_num
            turn = _turn(
                number,
                row["start"],
                row["end"],
                from_cell(row["speaker"] or ""),
                row.get("confidence") or None,
            )
            rows.append((uri, turn))
            if spoken := (row.get("text") or "").strip():
                word = Word(turn.start, turn.end, from_cell(spoken), turn.speaker)
                words.append((uri, word))
    except csv.Error as error:
        raise ValueError(f"line {reader.line_num}: {error}.") from error
    return documents(rows, words)


def read_audacity(path: Path) -> list[DiarizationDocument]:
    """Read labels of Audacity; labels at a point in time are left out."""
    turns = []
    for number, line in enumerate(read_text(path).splitlines(), start=1):
        # a backslash begins the frequencies of the line before
        if not line.strip() or line.startswith("\\"):
            continue
        fields = line.split("\t", maxsplit=2)
        if len(fields) < 3:
            raise ValueError(
                f"line {number}: expected start, end and speaker, separated by tabs, "
                f"got {line!r:.60}."
            )
        start, end, speaker = fields
        if start != end:
            turns.append((path.stem, _turn(number, start, end, speaker.strip())))
    return documents(turns) or [DiarizationDocument(path.stem, [])]


def read_lhotse(path: Path) -> list[DiarizationDocument]:
    """Read supervisions of Lhotse."""
    segments = []
    # texts may hold other line breaks, such as U+2028
    for number, line in enumerate(read_text(path).split("\n"), start=1):
        if not line.strip():
            continue
        try:
            item = parse_json(line)
            keys = ("recording_id", "start", "duration", "speaker")
            uri, start, duration, speaker = (item[key] for key in keys)
            end = round(start + duration, 6)
        except (KeyError, TypeError, ValueError) as error:
            raise ValueError(
                f"line {number}: expected a supervision of Lhotse, with recording_id, "
                f"start, duration and speaker, got {line!r:.60}."
            ) from error
        times = {"start_time": start, "end_time": end, "words": item.get("text")}
        segments.append({"session_id": uri, "speaker": speaker, **times})
    return _read_seglst(segments)


def read_ctm(path: Path) -> list[DiarizationDocument]:
    """Read CTM whose channels are speakers; turns are utterances of their words."""
    words_of: dict[str, list[Word]] = {}
    for uri, word in ctm_words(read_text(path)):
        words_of.setdefault(uri, []).append(word)
    read = []
    for uri, words in words_of.items():
        spoken = utterances(DiarizationDocument(uri, [], words=words))
        turns = [Turn(each.start, each.end, each.speaker) for each in spoken]
        read.append(DiarizationDocument(uri, turns, words=words))
    return read


def ctm_words(text: str) -> Iterator[tuple[str, Word]]:
    """Yield recording and word of each line of CTM, with the channel as speaker."""
    for number, line in enumerate(text.splitlines(), start=1):
        fields = line.split()
        if not fields or line.startswith(";;"):
            continue
        if len(fields) < 5:
            raise ValueError(
                f"line {number}: expected `recording channel start duration word`, got "
                f"{line!r:.60}."
            )
        uri, channel, start, duration, spoken = fields[:5]
        score = fields[5] if len(fields) > 5 else "NA"
        try:
            end = round(float(start) + float(duration), 6)
            known = None if score == "NA" else float(score)
            yield uri, Word(float(start), end, spoken, channel, known)
        except ValueError as error:
            raise ValueError(f"line {number}: {error}") from error


def documents(
    turns: Iterable[tuple[str, Turn]], words: Iterable[tuple[str, Word]] = ()
) -> list[DiarizationDocument]:
    """Group turns and words, given with the name of their recording."""
    turns_of: dict[str, list[Turn]] = {}
    words_of: dict[str, list[Word]] = {}
    for uri, turn in turns:
        turns_of.setdefault(uri, []).append(turn)
    for uri, word in words:
        words_of.setdefault(uri, []).append(word)
    return [
        DiarizationDocument(uri, turns_of[uri], words=words_of.get(uri, ()))
        for uri in turns_of
    ]


def _read_seglst(content: list[Any]) -> list[DiarizationDocument]:
    rows, words = [], []
    for number, item in enumerate(content):
        where = f"number {number} of the list"
        if not isinstance(item, Mapping):
            raise ValueError(f"{where}: expected an object, got {item!r:.60}.")
        for key in ("session_id", "start_time", "end_time", "speaker"):
            if key not in item:
                raise ValueError(f'{where}: "{key}" is missing.')
        uri, times = str(item["session_id"]), (item["start_time"], item["end_time"])
        try:
            rows.append((uri, Turn(*times, str(item["speaker"]))))
            if spoken := str(item.get("words") or "").strip():
                words.append((uri, Word(*times, spoken, str(item["speaker"]))))
        except ValueError as error:
            raise ValueError(f"{where}: {error}") from error
    return documents(rows, words)


def _turn(
    line: int | None, start: Any, end: Any, speaker: str, confidence: Any = None
) -> Turn:
    """Convert the fields of a line; some languages write decimal commas."""
    try:
        start, end = (float(str(time).replace(",", ".")) for time in (start, end))
        score = confidence and float(str(confidence).replace(",", "."))
        return Turn(start, end, speaker, score)
    except (TypeError, ValueError) as error:
        raise ValueError(f"line {line}: {error}") from error
