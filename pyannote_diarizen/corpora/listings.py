# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""RTTM, UEM, wav.scp and lists, read line by line, and what is wrong in each line.

pyannote.database reads RTTM and UEM through pandas, which takes some lines for others:
a speaker called "None" for none, a comment for a recording, a tenth of a second too
much for a name. Such lines are found here, before hours of training are lost.
"""

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Generic, NamedTuple, TypeVar

from pyannote_diarizen.errors import AudioFileError

_RTTM_TYPES = {
    *("SPEAKER", "SPKR-INFO", "LEXEME", "NON-LEX", "NON-SPEECH", "NOSCORE", "SEGMENT"),
    *("NO_RT_METADATA", "SU", "A/P", "CB", "IP", "FILLER", "EDIT"),
}
"""Types of lines in the specification of NIST; only SPEAKER tells who speaks."""

_MISSING = {
    *("#N/A", "#N/A N/A", "#NA", "-1.#IND", "-1.#QNAN", "-NaN", "-nan", "1.#IND"),
    *("1.#QNAN", "<NA>", "N/A", "NA", "NULL", "NaN", "None", "n/a", "nan", "null"),
}
"""Words that pandas takes for a missing value."""

_MARK = "\ufeff"
"""What some editors begin files with, which becomes part of the first name."""


@dataclass(frozen=True)
class Defect:
    """What is wrong somewhere, and how to mend it.

    Parameters
    ----------
    path : Path
        File that holds it.
    line : int or None
        From 1; None for the file as a whole.
    text : str
        What is wrong, and what to do.
    severe : bool, optional
        False if it does no more harm than it seems to. Defaults to True.
    """

    path: Path
    line: int | None
    text: str
    severe: bool = True

    def __str__(self) -> str:
        """Tell where it is, and what."""
        line = "" if self.line is None else f", line {self.line}"
        return f"'{self.path}'{line}: {self.text}"


class Turn(NamedTuple):
    """A line of an RTTM file: who speaks when, in seconds."""

    line: int
    uri: str
    start: float
    end: float
    speaker: str


class Region(NamedTuple):
    """A line of a UEM file: what was annotated, in seconds."""

    line: int
    uri: str
    start: float
    end: float


class Recording(NamedTuple):
    """A line of a list, if it is one; its audio if it comes from a `wav.scp`."""

    line: int | None
    uri: str
    audio: Path | None = None


Item = TypeVar("Item", Turn, Region, Recording)


@dataclass
class Listing(Generic[Item]):
    """What a file lists.

    Parameters
    ----------
    path : Path
    items : list
        Lines without severe defects, in order.
    defects : list of Defect
    """

    path: Path
    items: list[Item] = field(default_factory=list)
    defects: list[Defect] = field(default_factory=list)


def read_rttm(path: Path) -> Listing[Turn]:
    """Read who speaks when; see `Listing`.

    Raises
    ------
    OSError
        If the file cannot be opened.
    """
    return _check_turns(_read(Path(path), _parse_turn))


def read_uem(path: Path) -> Listing[Region]:
    """Read what was annotated; see `Listing`.

    Raises
    ------
    OSError
        If the file cannot be opened.
    """
    return _check_regions(_read(Path(path), _parse_region))


def read_lst(path: Path) -> Listing[Recording]:
    """Read names of recordings, one per line; see `Listing`.

    Raises
    ------
    OSError
        If the file cannot be opened.
    """
    return _check_recordings(_read(Path(path), _parse_name, blank_lines=False))


def read_scp(path: Path) -> Listing[Recording]:
    """Read names of recordings and their audio, one per line; see `Listing`.

    Relative paths that do not exist from here are taken from the folder of the list.

    Raises
    ------
    OSError
        If the file cannot be opened.
    """
    path = Path(path)

    def parse(number: int, line: str) -> Iterator[Recording | str]:
        name, *rest = line.split(maxsplit=1)
        audio = "".join(rest).strip()
        if not audio:
            yield (
                "expected the name of a recording and the path of its audio, got "
                f"'{line}'."
            )
        elif audio.endswith("|"):
            yield (
                f"audio from a command is not supported, got '{audio}': write its "
                "output to a file."
            )
        else:
            here, beside = Path(audio), path.parent / audio
            found = beside if beside.exists() and not here.exists() else here
            yield Recording(number, name, found)

    return _check_recordings(_read(path, parse))


def _read(
    path: Path,
    parse: Callable[[int, str], Iterator[Item | str]],
    blank_lines: bool = True,
) -> Listing[Item]:
    """Parse each line into items and into what is wrong with it."""
    listing: Listing[Item] = Listing(path)
    try:
        text = path.read_text(encoding="utf-8")
    except UnicodeDecodeError as error:
        text = f"should be a list in UTF-8, and is not: {error}."
        listing.defects.append(Defect(path, None, text))
        return listing
    if text.startswith(_MARK):
        told = "an invisible mark comes before the first letter: save without BOM."
        listing.defects.append(Defect(path, 1, told))
    for number, line in enumerate(text.removeprefix(_MARK).splitlines(), start=1):
        if not line.strip():
            if not blank_lines:
                text = "a blank line is taken for a name: delete it."
                listing.defects.append(Defect(path, number, text))
            continue
        for found in parse(number, line):
            if isinstance(found, str):
                listing.defects.append(Defect(path, number, found))
            else:
                listing.items.append(found)
    return listing


def _parse_turn(number: int, line: str) -> Iterator[Turn | str]:
    fields = line.split()
    if fields[0].startswith(";") or fields[0] not in _RTTM_TYPES:
        yield f"expected a line that begins with SPEAKER, got '{line}': delete it."
        return
    if fields[0] != "SPEAKER":
        return
    if not 8 <= len(fields) <= 10:  # the last two are never used
        yield (
            "expected `SPEAKER recording channel start duration <NA> <NA> speaker <NA> "
            f"<NA>`, got {len(fields)} fields: are there spaces in a name?"
        )
        return
    uri, start, duration, speaker = fields[1], fields[3], fields[4], fields[7]
    wrong = [*_wrong_names(recording=uri, speaker=speaker)]
    wrong += _wrong_times(start=start, duration=duration)
    yield from wrong
    if not wrong:
        yield Turn(number, uri, float(start), float(start) + float(duration), speaker)


def _parse_region(number: int, line: str) -> Iterator[Region | str]:
    fields = line.split()
    if len(fields) != 4:
        yield f"expected `recording channel start end`, got '{line}'."
        return
    uri, _, start, end = fields
    wrong = [*_wrong_names(recording=uri), *_wrong_times(start=start, end=end)]
    if not wrong and float(end) <= float(start):
        wrong = [f"it ends at {end} s, before it begins at {start} s: swap the two?"]
    yield from wrong
    if not wrong:
        yield Region(number, uri, float(start), float(end))


def _parse_name(number: int, line: str) -> Iterator[Recording | str]:
    if len(line.split()) > 1:
        yield f"expected one name, without spaces, got '{line.strip()}'."
    else:
        yield Recording(number, line.strip())


def _wrong_names(**names: str) -> Iterator[str]:
    for what, name in names.items():
        if name in _MISSING:
            yield f"the {what} is called '{name}', which is read as none: rename it."
        elif '"' in name:
            yield f"the {what} is called {name}: take the quotation mark out."


def _wrong_times(**times: str) -> Iterator[str]:
    for what, time in times.items():
        try:
            seconds = float(time)
        except ValueError:
            seconds = math.nan
        if not 0 <= seconds < math.inf:
            yield f"expected its {what} in seconds, from 0, got '{time}'."


def _check_turns(listing: Listing[Turn]) -> Listing[Turn]:
    last: dict[tuple[str, str], Turn] = {}
    for turn in sorted(listing.items, key=lambda turn: (turn.start, turn.end)):
        before = last.get((turn.uri, turn.speaker))
        if turn.start == turn.end:
            _warn(listing, turn, "it lasts 0 s and is ignored: delete it.")
            continue
        if before is not None and turn.start < before.end:
            same = turn[1:] == before[1:]
            how = "repeats" if same else "overlaps with"
            text = f"'{turn.speaker}' {how} their own turn of line {before.line}: "
            text += "delete it." if same else "merge the two."
            _warn(listing, turn, text)
        if before is None or turn.end > before.end:
            last[turn.uri, turn.speaker] = turn
    return _in_order(listing)


def _check_regions(listing: Listing[Region]) -> Listing[Region]:
    last: dict[str, Region] = {}
    for region in sorted(listing.items, key=lambda region: region.start):
        before = last.get(region.uri)
        if before is not None and region.start < before.end:
            text = f"it overlaps with line {before.line} of the same recording."
            _warn(listing, region, f"{text[:-1]}: merge the two.")
        if before is None or region.end > before.end:
            last[region.uri] = region
    return _in_order(listing)


def _check_recordings(listing: Listing[Recording]) -> Listing[Recording]:
    first: dict[str, Recording] = {}
    for recording in listing.items:
        if recording.uri in first:
            text = f"'{recording.uri}' is in the list twice: delete it, or rename it."
            listing.defects.append(Defect(listing.path, recording.line, text))
        first.setdefault(recording.uri, recording)
    listing.items = list(first.values())
    return _in_order(listing)


def _warn(listing: Listing[Item], item: Item, text: str) -> None:
    listing.defects.append(Defect(listing.path, item.line, text, severe=False))


def _in_order(listing: Listing[Item]) -> Listing[Item]:
    listing.defects.sort(key=lambda defect: defect.line or 0)
    return listing


def raise_first(defects: Sequence[Defect]) -> None:
    """Raise an error for the first severe defect.

    Raises
    ------
    AudioFileError
        If there is one.
    """
    for defect in defects:
        if defect.severe:
            raise AudioFileError(str(defect))
