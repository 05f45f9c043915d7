# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Usual mistakes in the recordings of a training: labels, speakers, durations."""

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from pyannote.database import ProtocolFile

from pyannote_diarizen.corpora.simultaneous import seconds_by_num_speakers
from pyannote_diarizen.findings import Finding

_NAMED = 5
"""Files or speakers that a finding names, the others are counted."""
_MOST_LOST = 0.1
_MOST_CROWDED = 0.02
_COUNTS = ("silence", "one speaker", "two", "three", "four", "five", "six")


def hours(files: Sequence[ProtocolFile]) -> float:
    """Annotated time of recordings."""
    return sum(file["annotated"].duration() for file in files) / 3600


def examine_labels(files: Sequence[ProtocolFile], subset: str) -> Finding:
    """Look for recordings where nobody speaks in what was annotated.

    Parameters
    ----------
    files : sequence of ProtocolFile
    subset : str
        Their name.
    """
    time = hours(files)
    told = f"{time:.1f} h" if time >= 1 else f"{60 * time:.1f} min"
    text = f"{subset}: {len(files)} recordings, {told}"
    empty = [
        str(file["uri"])
        for file in files
        if not file["annotation"].crop(file["annotated"])
    ]
    if not empty:
        return Finding("ok", text)
    return Finding(
        "error" if len(empty) == len(files) else "warning",
        f"{text}; nobody speaks in {len(empty)} of them: {_name(empty)}",
        "see whether their names are the same in RTTM, UEM and list: "
        "`pyannote-diarizen validate` tells",
    )


def examine_speakers(
    train: Sequence[ProtocolFile], development: Sequence[ProtocolFile]
) -> Finding:
    """Look for recordings and speakers that are trained and validated on.

    Parameters
    ----------
    train, development : sequence of ProtocolFile
    """
    uris = {str(file["uri"]) for file in train}
    shared = sorted(uris & {str(file["uri"]) for file in development})
    if shared:
        return Finding(
            "error",
            f"speakers: {len(shared)} recordings are in train and in development: "
            f"{_name(shared)}",
            "take them out of one of the lists",
        )
    if any(file["scope"] == "file" for file in (*train, *development)):
        return Finding(
            "ok",
            "speakers: labels are those of each recording, so that none is known to be "
            "in train and in development",
        )
    learned, validated = _speakers(train), _speakers(development)
    text = f"speakers: {len(learned)} in train, {len(validated)} in development"
    shared = sorted(learned & validated)
    if not shared:
        return Finding("ok", f"{text}, none in both")
    return Finding(
        "warning",
        f"{text}, {len(shared)} of them in both: {_name(shared)}; the loss on "
        "development will be lower than on speakers that were never heard",
        "move their recordings to one of the subsets, or set the scope of labels to "
        "`file` in database.yml if the same label means other speakers elsewhere",
    )


def _speakers(files: Sequence[ProtocolFile]) -> set[str]:
    return {str(label) for file in files for label in file["annotation"].labels()}


def examine_durations(
    files: Sequence[ProtocolFile], subset: str, duration: float
) -> Finding:
    """Look for what is shorter than a chunk.

    Parameters
    ----------
    files : sequence of ProtocolFile
    subset : str
        Their name.
    duration : float
        Of chunks, in seconds.
    """
    regions = [region.duration for file in files for region in file["annotated"]]
    short = [region for region in regions if region < duration]
    lost = sum(short) / max(sum(regions), 1e-9)
    text = (
        f"{subset}: {100 * lost:.0f} % of the time is in regions below {duration:g} s"
    )
    if lost <= _MOST_LOST:
        return Finding("ok", text)
    fitting = float(np.quantile(regions, 0.1))
    return Finding(
        "error" if len(short) == len(regions) else "warning",
        f"{text}, the duration of a chunk, and is left out",
        f"task.duration={max(1.0, np.floor(fitting)):g}",
    )


def examine_chunks(
    files: Sequence[ProtocolFile],
    duration: float,
    max_num_speakers: int,
    max_crowded: float,
) -> Finding:
    """Look for chunks with more speakers than models tell apart.

    Parameters
    ----------
    files : sequence of ProtocolFile
        To train on.
    duration : float
        Of chunks, which follow each other, in seconds.
    max_num_speakers : int
        Most speakers of a chunk.
    max_crowded : float
        Share of such chunks above which training is refused.
    """
    counts = [count for file in files for count in _speakers_of_file(file, duration)]
    if not counts:
        return Finding("ok", "chunks: none to count speakers in")
    crowded = float(np.mean(np.array(counts) > max_num_speakers))
    text = (
        f"chunks: at most {max(counts)} speakers in {duration:g} s, more than "
        f"{max_num_speakers} in {100 * crowded:.0f} % of chunks"
    )
    if crowded <= min(_MOST_CROWDED, max_crowded):
        return Finding("ok", text)
    enough = int(np.quantile(counts, 1 - _MOST_CROWDED, method="higher"))
    return Finding(
        "warning" if crowded <= max_crowded else "error",
        f"{text}, where those who say least are left out",
        f"task.max_speakers_per_chunk={enough}",
    )


def _speakers_of_file(file: ProtocolFile, duration: float) -> Iterator[int]:
    """Count the speakers of each chunk of what was annotated."""
    tracks = list(file["annotation"].itertracks(yield_label=True))
    start = np.array([turn.start for turn, _, _ in tracks])
    end = np.array([turn.end for turn, _, _ in tracks])
    label = np.array([str(label) for _, _, label in tracks])
    for region in file["annotated"]:
        for chunk in range(int(region.duration / duration)):
            first = region.start + chunk * duration
            yield len(set(label[(start < first + duration) & (end > first)]))


def examine_classes(files: Sequence[ProtocolFile], max_num_speakers: int) -> Finding:
    """Look for classes that nobody speaks in, and for speech without a class.

    Parameters
    ----------
    files : sequence of ProtocolFile
        To train on.
    max_num_speakers : int
        Most speakers at once that classes are made for.
    """
    seconds = np.zeros(max_num_speakers + 2)
    for file in files:
        turns = file["annotation"].itertracks(yield_label=True)
        seconds += seconds_by_num_speakers(
            [(turn.start, turn.end, str(label)) for turn, _, label in turns],
            [(region.start, region.end) for region in file["annotated"]],
            max_num_speakers + 1,
        )
    shares = 100 * seconds / max(seconds.sum(), 1e-9)
    named = [_count(count) for count in range(max_num_speakers + 1)]
    told = [f"{name} {x:.1f} %" for name, x in zip(named, shares, strict=False)]
    text = f"classes: {', '.join(told)}, more {shares[-1]:.1f} %"
    status: Literal["ok", "warning", "error"] = "warning"
    if not seconds[1:].any():
        return Finding("error", f"{text}: there is no speech", "mend the annotations")
    missing = [name for name, x in zip(named, seconds, strict=False) if x == 0]
    if missing == ["silence"]:
        text += "; nobody is ever silent, so that models will not learn silence"
        remedy = "annotate whole recordings in the UEM, pauses included"
    elif missing:
        text += f"; no example of {', '.join(missing)}"
        highest = int(np.flatnonzero(seconds[:-1]).max())
        remedy = f"task.max_speakers_per_frame={max(1, highest)}, or other recordings"
    elif shares[-1] > 100 * _MOST_CROWDED:
        text += ", which no class is made for"
        remedy = f"task.max_speakers_per_frame={max_num_speakers + 1}"
    else:
        status, remedy = "ok", ""
    return Finding(status, text, remedy)


def _count(number: int) -> str:
    return _COUNTS[number] if number < len(_COUNTS) else str(number)


def _name(things: Sequence[str]) -> str:
    named = ", ".join(things[:_NAMED])
    more = len(things) - _NAMED
    return f"{named} and {more} more" if more > 0 else named
