# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""RTTM, UEM, `wav.scp` and lists, read line by line with the errors of each line.

pyannote.database reads RTTM and UEM files with pandas, which misreads some lines
without an error: the speaker "None" becomes a missing value, a comment becomes a
recording. The readers here report such lines before training starts.

As for pandas, lines end with LF, CR LF or CR, and spaces and tabs separate fields.
Names with other white space, such as a form feed, are errors: readers of RTTM split
them differently.

Times are in seconds. A line with an error is left out of the items.
"""

import gzip
import math
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field, replace
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from pyannote_diarizen.corpora.recordings import listed_audio
from pyannote_diarizen.errors import AudioFileError
from pyannote_diarizen.findings import Finding
from pyannote_diarizen.rttm import INVISIBLE, MISSING_NAMES

_RTTM_TYPES = {
    *("SPEAKER", "SPKR-INFO", "LEXEME", "NON-LEX", "NON-SPEECH", "NOSCORE", "SEGMENT"),
    *("NO_RT_METADATA", "SU", "A/P", "CB", "IP", "FILLER", "EDIT"),
}
"""Types of lines in the specification of NIST; only SPEAKER lines are turns."""

_NUM_FIELDS = 10
"""Maximum number of fields of a line of RTTM."""

_NUMBER = re.compile(r"[+-]?([0-9]+\.?[0-9]*|\.[0-9]+)([eE][+-]?[0-9]+)?")
"""Numbers of pandas; Python also reads 1_000 and digits of other scripts."""

_BYTE_ORDER_MARK = "\ufeff"
"""Character that some editors write first; readers take it for part of a name."""

_MAX_SHOWN = 200
"""Number of characters of a line that messages quote."""


class Turn(NamedTuple):
    """SPEAKER line of an RTTM file; turns of other formats have no line."""

    line: int | None
    uri: str
    start: float
    end: float
    speaker: str


class Region(NamedTuple):
    """Line of a UEM file: an annotated part of a recording."""

    line: int | None
    uri: str
    start: float
    end: float


class Recording(NamedTuple):
    """Recording of a list; audio and database are known if it is part of a protocol."""

    line: int | None
    uri: str
    audio: Path | None = None
    database: str = ""


Item = TypeVar("Item", Turn, Region, Recording)


@dataclass
class Listing(Generic[Item]):
    """Content of one file.

    Parameters
    ----------
    path : Path
    items : list of Turn, Region or Recording
        Lines without errors, in the order of the file.
    findings : list of Finding
        Errors and warnings, sorted by line.
    """

    path: Path
    items: list[Item] = field(default_factory=list)
    findings: list[Finding] = field(default_factory=list)

    def report(self, line: int | None, text: str, remedy: str) -> None:
        """Add an error."""
        self.findings.append(Finding("error", text, remedy, self.path, line))

    def warn(self, item: Item, text: str, remedy: str) -> None:
        """Add a warning about an item."""
        self.findings.append(Finding("warning", text, remedy, self.path, item.line))


def read_rttm(path: Path) -> Listing[Turn]:
    """Read the turns of an RTTM file, possibly compressed (.rttm.gz).

    Raises
    ------
    OSError
        If the file cannot be opened.
    """
    return checked_turns(_read(Path(path), _parse_turn))


def read_uem(path: Path) -> Listing[Region]:
    """Read the annotated regions of a UEM file.

    Raises
    ------
    OSError
        If the file cannot be opened.
    """
    return _check_regions(_read(Path(path), _parse_region))


def read_lst(path: Path) -> Listing[Recording]:
    """Read names of recordings, one per line.

    Raises
    ------
    OSError
        If the file cannot be opened.
    """
    return checked_recordings(_read(Path(path), _parse_name, blank_lines=False))


def read_scp(path: Path) -> Listing[Recording]:
    """Read a `wav.scp` of Kaldi: on each line, a name and the path of its audio.

    A relative path that does not exist in the current folder is resolved in the folder
    of the list.

    Raises
    ------
    OSError
        If the file cannot be opened.
    """
    path = Path(path)

    def parse(number: int, line: str) -> Iterator[Recording | Finding]:
        name, *rest = re.split("[ \t]+", line.strip(" \t"), maxsplit=1)
        audio = "".join(rest)
        if not audio:
            text = f"expected a name and the path of its audio, got {_shown(line)}"
            yield _error(number, text, "add what is missing")
        elif audio.endswith("|"):
            text = f"audio from a command is not supported, got '{audio}'"
            yield _error(number, text, "write the output of the command to a file")
        else:
            try:
                yield Recording(number, name, listed_audio(path, audio))
            except OSError as error:  # too long
                text = f"{_shown(audio)} is no path: {error.strerror}"
                yield _error(number, text, "correct it")

    return checked_recordings(_read(path, parse))


def read_wav_scp(path: Path | str) -> dict[str, Path]:
    """Read a `wav.scp` of Kaldi and refuse it if it has an error.

    Parameters
    ----------
    path : Path or str
        List in UTF-8; see `read_scp`. Blank lines are skipped, paths may hold spaces.

    Returns
    -------
    recordings : dict of str to Path
        Audio file of each name, in order.

    Raises
    ------
    AudioFileError
        If a line has no path, a name comes twice, or audio would come from a command.
        The message gives the line.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     path = Path(folder) / "wav.scp"
    ...     _ = path.write_text("monday /audio/monday morning.wav")
    ...     read_wav_scp(path)["monday"].name
    'monday morning.wav'
    """
    listing = read_scp(Path(path))
    for finding in listing.findings:
        if finding.status == "error":
            raise AudioFileError(str(finding))
    return {item.uri: item.audio for item in listing.items if item.audio}


def _read(
    path: Path,
    parse: Callable[[int, str], Iterator[Item | Finding]],
    blank_lines: bool = True,
) -> Listing[Item]:
    """Parse each line into items and errors."""
    listing: Listing[Item] = Listing(path)
    try:
        opened = gzip.open if path.suffix == ".gz" else open
        with opened(path, "rt", encoding="utf-8") as file:
            text = file.read()
    except (UnicodeDecodeError, gzip.BadGzipFile) as error:
        listing.report(None, f"is not text in UTF-8: {error}", "convert it")
        return listing
    if text.startswith(_BYTE_ORDER_MARK):
        listing.report(1, "an invisible byte-order mark comes first", "save without it")
    lines = text.removeprefix(_BYTE_ORDER_MARK).removesuffix("\n").split("\n")
    for number, line in enumerate(lines if text else [], start=1):
        if not line.strip(" \t"):
            if not blank_lines:
                listing.report(number, "a blank line is read as a name", "delete it")
            continue
        for found in parse(number, line):
            if isinstance(found, Finding):
                listing.findings.append(replace(found, path=path))
            else:
                listing.items.append(found)
    return listing


def _parse_turn(number: int, line: str) -> Iterator[Turn | Finding]:
    fields = _fields(line)
    if fields[0] not in _RTTM_TYPES:
        text = f"expected a line that begins with SPEAKER, got {_shown(line)}"
        yield _error(number, text, "delete it")
        return
    if fields[0] != "SPEAKER":
        yield from _check_other(number, fields)
        return
    if not 8 <= len(fields) <= _NUM_FIELDS:  # the last two are never used
        yield _error(
            number,
            "expected `SPEAKER recording channel start duration <NA> <NA> speaker <NA> "
            f"<NA>`, got {len(fields)} fields",
            "remove spaces from names, if there are any",
        )
        return
    uri, start, duration, speaker = fields[1], fields[3], fields[4], fields[7]
    errors = [*_check_names(number, recording=uri, speaker=speaker)]
    errors += _check_times(number, start=start, duration=duration)
    errors += [] if errors else _check_quotes(number, fields)
    yield from errors
    if not errors:
        yield Turn(number, uri, float(start), float(start) + float(duration), speaker)


def _parse_region(number: int, line: str) -> Iterator[Region | Finding]:
    fields = _fields(line)
    if len(fields) != 4:
        text = f"expected `recording channel start end`, got {_shown(line)}"
        yield _error(number, text, "write these four fields, or delete the line")
        return
    uri, _, start, end = fields
    errors = [*_check_names(number, recording=uri)]
    errors += _check_times(number, start=start, end=end)
    errors += [] if errors else _check_quotes(number, fields)
    if not errors and float(end) <= float(start):
        text = f"the region ends at {end} s, before it begins at {start} s"
        errors = [_error(number, text, "swap the two, if they are swapped")]
    yield from errors
    if not errors:
        yield Region(number, uri, float(start), float(end))


def _parse_name(number: int, line: str) -> Iterator[Recording | Finding]:
    name, *others = _fields(line)
    if others:
        text = f"expected one name without spaces, got {_shown(line.strip())}"
        yield _error(number, text, "write one name per line")
        return
    errors = [*_check_names(number, recording=name)]
    yield from errors
    if not errors:
        yield Recording(number, name)


def _fields(line: str) -> list[str]:
    return re.split("[ \t]+", line.strip(" \t"))


def _shown(text: str) -> str:
    """Quote the start of `text`, with escapes of characters that cannot be seen."""
    if len(text) > _MAX_SHOWN:
        text = f"{text[:_MAX_SHOWN]}..."
    return repr(text) if INVISIBLE.search(text.replace(" ", "")) else f"'{text}'"


def _error(line: int, text: str, remedy: str) -> Finding:
    return Finding("error", text, remedy, line=line)


def _check_names(number: int, **names: str) -> Iterator[Finding]:
    for kind, name in names.items():
        if name in MISSING_NAMES:
            text = f"the {kind} is called '{name}', which is read as a missing value"
            yield _error(number, text, "rename it")
        elif '"' in name:
            text = f"the {kind} is called {_shown(name)}, with a quotation mark"
            yield _error(number, text, "remove the quotation mark")
        elif INVISIBLE.search(name):
            text = f"the {kind} is called {_shown(name)}, with an invisible character"
            yield _error(number, text, "remove it, or separate fields by spaces")


def _check_other(number: int, fields: list[str]) -> Iterator[Finding]:
    """Find lines of other types that stop pandas, or move the fields of all lines."""
    times = [time for time in fields[3:5] if time not in MISSING_NAMES]
    if len(fields) > _NUM_FIELDS or not all(map(_NUMBER.fullmatch, times)):
        text = f"expected at most {_NUM_FIELDS} fields, and <NA> or numbers as times"
        yield _error(number, f"{text}, got {_shown(' '.join(fields))}", "delete it")
    else:
        yield from _check_quotes(number, fields)


def _check_quotes(number: int, fields: list[str]) -> Iterator[Finding]:
    if any('"' in field for field in fields):
        text = "a quotation mark would join lines"
        yield _error(number, text, "remove the quotation mark")


def _check_times(number: int, **times: str) -> Iterator[Finding]:
    for kind, time in times.items():
        seconds = float(time) if _NUMBER.fullmatch(time) else math.nan
        if not 0 <= seconds < math.inf:
            text = f"expected the {kind} in seconds, at least 0, got {_shown(time)}"
            yield _error(number, text, "write a number")


def checked_turns(listing: Listing[Turn]) -> Listing[Turn]:
    """Add warnings of turns that overlap others of their speaker."""
    last: dict[tuple[str, str], Turn] = {}
    for turn in sorted(listing.items, key=lambda turn: (turn.start, turn.end)):
        before = last.get((turn.uri, turn.speaker))
        if turn.start == turn.end:
            listing.warn(turn, "the turn lasts 0 s and is ignored", "delete it")
            continue
        if before is not None and turn.start < before.end:
            same = turn[1:] == before[1:]
            verb = "repeats" if same else "overlaps"
            text = f"the turn {verb} another turn of '{turn.speaker}'"
            text += "" if before.line is None else f", line {before.line}"
            remedy = "delete it" if same else "merge the two, which count once"
            listing.warn(turn, text, remedy)
        if before is None or turn.end > before.end:
            last[turn.uri, turn.speaker] = turn
    return _sort(listing)


def _check_regions(listing: Listing[Region]) -> Listing[Region]:
    last: dict[str, Region] = {}
    for region in sorted(listing.items, key=lambda region: region.start):
        before = last.get(region.uri)
        if before is not None and region.start < before.end:
            text = f"the region overlaps line {before.line} of the same recording"
            listing.warn(region, text, "merge the two")
        if before is None or region.end > before.end:
            last[region.uri] = region
    return _sort(listing)


def checked_recordings(listing: Listing[Recording]) -> Listing[Recording]:
    """Keep the first recording of each name, and report the others."""
    first: dict[str, Recording] = {}
    for recording in listing.items:
        if recording.uri in first:
            text = f"'{recording.uri}' is in the list twice"
            listing.report(recording.line, text, "delete it, or rename it")
        first.setdefault(recording.uri, recording)
    listing.items = list(first.values())
    return _sort(listing)


def _sort(listing: Listing[Item]) -> Listing[Item]:
    listing.findings.sort(key=lambda finding: finding.line or 0)
    return listing
