# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Checks of the recordings of a training: speakers, durations, classes.

Each check returns one finding that starts with its topic; see `preflight`.
"""

from collections.abc import Iterator, Sequence
from typing import Literal

import numpy as np
from pyannote.database import ProtocolFile

from pyannote_diarizen.findings import Finding
from pyannote_diarizen.tasks.class_balance import seconds_by_num_speakers

_MAX_NAMES = 5
"""Maximum number of files or speakers that a finding names; it counts the others."""
_MAX_LOST = 0.1
"""Share of the time that may be in regions shorter than a chunk."""
_MAX_CROWDED = 0.02
"""Share of chunks, or of the time, that may hold more speakers than classes."""
_COUNTS = ("silence", "one speaker", "two", "three", "four", "five", "six")


def hours(files: Sequence[ProtocolFile]) -> float:
    """Annotated duration of recordings, in hours."""
    return sum(file["annotated"].duration() for file in files) / 3600


def describe_recordings(files: Sequence[ProtocolFile], subset: str) -> Finding:
    """Describe a subset: number of recordings and annotated duration.

    Parameters
    ----------
    files : sequence of ProtocolFile
    subset : str
        Name of the subset.
    """
    time = hours(files)
    duration = f"{time:.1f} h" if time >= 1 else f"{60 * time:.1f} min"
    return Finding("ok", f"{subset}: {len(files)} recordings, {duration}")


def check_disjoint(
    train: Sequence[ProtocolFile], development: Sequence[ProtocolFile]
) -> Finding:
    """Check that train and development share no speaker.

    Parameters
    ----------
    train, development : sequence of ProtocolFile
    """
    if any(file["scope"] == "file" for file in (*train, *development)):
        return Finding(
            "ok",
            "speakers: labels are local to each recording, so that speakers of train "
            "and development cannot be compared",
        )
    in_train, in_development = _speakers(train), _speakers(development)
    text = f"speakers: {len(in_train)} in train, {len(in_development)} in development"
    shared = sorted(in_train & in_development)
    if not shared:
        return Finding("ok", f"{text}, none in both")
    return Finding(
        "warning",
        f"{text}, {len(shared)} of them in both: {_name(shared)}; the development "
        "loss will be lower than on unknown speakers",
        "move their recordings to one of the subsets, or set the scope of labels to "
        "`file` in database.yml if a label means another speaker in each recording",
    )


def _speakers(files: Sequence[ProtocolFile]) -> set[str]:
    return {str(label) for file in files for label in file["annotation"].labels()}


def check_durations(
    files: Sequence[ProtocolFile], subset: str, duration: float
) -> Finding:
    """Check the share of time in regions shorter than a chunk, which are not used.

    Parameters
    ----------
    files : sequence of ProtocolFile
    subset : str
        Name of the subset.
    duration : float
        Duration of a chunk, in seconds.
    """
    regions = [region.duration for file in files for region in file["annotated"]]
    short = [region for region in regions if region < duration]
    lost = sum(short) / max(sum(regions), 1e-9)
    text = (
        f"{subset}: {100 * lost:.0f} % of the time is in regions below {duration:g} s"
    )
    if lost <= _MAX_LOST:
        return Finding("ok", text)
    # 90 % of the regions would be long enough
    fitting = float(np.quantile(regions, 0.1))
    return Finding(
        "error" if len(short) == len(regions) else "warning",
        f"{text}, the duration of a chunk, and is not used",
        f"task.duration={max(1.0, np.floor(fitting)):g}",
    )


def check_chunks(
    files: Sequence[ProtocolFile],
    duration: float,
    max_num_speakers: int,
    max_crowded: float,
) -> Finding:
    """Check the share of chunks with more speakers than the model has outputs.

    Parameters
    ----------
    files : sequence of ProtocolFile
        Training set.
    duration : float
        Duration of a chunk, in seconds; chunks are consecutive.
    max_num_speakers : int
        Maximum number of speakers of a chunk.
    max_crowded : float
        Share of such chunks above which the finding is an error.
    """
    counts = [count for file in files for count in _speakers_of_file(file, duration)]
    if not counts:
        return Finding("ok", "chunks: none to count speakers in")
    # share of chunks with more speakers than outputs
    crowded = float(np.mean(np.array(counts) > max_num_speakers))
    text = (
        f"chunks: at most {max(counts)} speakers in {duration:g} s, more than "
        f"{max_num_speakers} in {100 * crowded:.0f} % of chunks"
    )
    if crowded <= min(_MAX_CROWDED, max_crowded):
        return Finding("ok", text)
    # number of speakers that all but _MAX_CROWDED of the chunks have at most
    enough = int(np.quantile(counts, 1 - _MAX_CROWDED, method="higher"))
    return Finding(
        "warning" if crowded <= max_crowded else "error",
        f"{text}, whose least active speakers are left out",
        f"use task.max_speakers_per_chunk={enough}, shorter chunks, or a higher "
        "max_crowded",
    )


def _speakers_of_file(file: ProtocolFile, duration: float) -> Iterator[int]:
    """Yield the number of speakers of each consecutive chunk of annotated regions."""
    tracks = list(file["annotation"].itertracks(yield_label=True))
    start = np.array([turn.start for turn, _, _ in tracks])
    end = np.array([turn.end for turn, _, _ in tracks])
    label = np.array([str(label) for _, _, label in tracks])
    for region in file["annotated"]:
        for chunk in range(int(region.duration / duration)):
            first = region.start + chunk * duration
            yield len(set(label[(start < first + duration) & (end > first)]))


def check_classes(files: Sequence[ProtocolFile], max_num_speakers: int) -> Finding:
    """Check for classes without an example, and for speech without a class.

    Parameters
    ----------
    files : sequence of ProtocolFile
        Training set.
    max_num_speakers : int
        Maximum number of simultaneous speakers of a class.
    """
    # (max_num_speakers + 2,): silence, one speaker, two at once ..., more
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
    listed = [f"{name} {x:.1f} %" for name, x in zip(named, shares, strict=False)]
    text = f"classes: {', '.join(listed)}, more {shares[-1]:.1f} %"
    status: Literal["ok", "warning", "error"] = "warning"
    if not seconds[1:].any():
        return Finding(
            "error", f"{text}: there is no speech", "correct the annotations"
        )
    missing = [name for name, x in zip(named, seconds, strict=False) if x == 0]
    if missing == ["silence"]:
        text += "; no silence, which models will not learn"
        remedy = "annotate whole recordings in the UEM, pauses included"
    elif missing:
        text += f"; no example of {', '.join(missing)}"
        highest = int(np.flatnonzero(seconds[:-1]).max())
        remedy = f"task.max_speakers_per_frame={max(1, highest)}, or other recordings"
    elif shares[-1] > 100 * _MAX_CROWDED:
        text += ", which has no class"
        remedy = f"task.max_speakers_per_frame={max_num_speakers + 1}"
    else:
        status, remedy = "ok", ""
    return Finding(status, text, remedy)


def _count(number: int) -> str:
    return _COUNTS[number] if number < len(_COUNTS) else str(number)


def _name(things: Sequence[str]) -> str:
    named = ", ".join(things[:_MAX_NAMES])
    more = len(things) - _MAX_NAMES
    return f"{named} and {more} more" if more > 0 else named
