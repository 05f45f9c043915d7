# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Checks between the files of a subset, and between subsets.

Names in lists, RTTM and UEM are compared with each other, then times with the audio.
"""

import warnings
from collections.abc import Collection, Iterable, Iterator, Mapping, Sequence
from pathlib import Path

from pyannote_diarizen.audio.reader import (
    audio_info,
    read_audio,
)
from pyannote_diarizen.corpora.listings import (
    Listing,
    Recording,
    Region,
    Turn,
)
from pyannote_diarizen.corpora.recordings import other_form
from pyannote_diarizen.corpora.subset import Subset, iter_items
from pyannote_diarizen.errors import AudioFileError
from pyannote_diarizen.findings import Finding, Status

TOLERANCE = 0.1
"""Seconds by which an annotation may end after its audio.

Corpora round times, and annotators work with other copies of the audio, whose codecs
add or drop a frame of some 25 ms. Beyond that, times are usually of another recording.
"""


def check_subset(
    subset: Subset,
    decode: bool = False,
    others: Collection[str] = (),
) -> list[Finding]:
    """List the findings in each file of a subset, and between files.

    Parameters
    ----------
    subset : Subset
    decode : bool, optional
        Decode all audio, instead of reading durations only. Defaults to False.
    others : collection of str, optional
        Recordings of other subsets, which may be in the same files. Default to none.

    Returns
    -------
    findings : list of Finding
        Those inside a file, then those between files; sorted by file and line.
    """
    alone = list(subset.findings)
    for listings in (subset.recordings, subset.turns, subset.regions):
        alone += [found for listing in listings for found in listing.findings]
    unusable, durations = check_audio(subset.recordings, decode)
    between = [
        *_check_names(subset, others),
        *unusable,
        *_check_times(subset, durations),
    ]
    # errors inside a file first: they may be the cause of others
    return [*_sort(alone), *_sort(between)]


def _sort(findings: Iterable[Finding]) -> list[Finding]:
    return sorted(findings, key=lambda found: (str(found.path), found.line or 0))


def check_disjoint(subsets: Mapping[str, Subset]) -> list[Finding]:
    """List recordings that are in several subsets.

    Parameters
    ----------
    subsets : mapping of str to Subset
    """
    findings: list[Finding] = []
    home: dict[tuple[str, str], str] = {}
    for name, subset in subsets.items():
        for path, recording in iter_items(subset.recordings):
            other = home.setdefault((recording.database, recording.uri), name)
            if other != name:
                text = f"'{recording.uri}' is also in {other}, so that scores on "
                text += f"{name} would be too good"
                remedy = "remove it from one of the two"
                findings.append(Finding("error", text, remedy, path, recording.line))
    return findings


def _check_names(subset: Subset, others: Collection[str]) -> Iterator[Finding]:
    uris = set(subset.uris)
    for listing in subset.recordings:
        if not listing.items and not listing.findings:
            text, remedy = "the list has no recording", "add one per line"
            yield Finding("error", text, remedy, listing.path)
    with_turns = {turn.uri for _, turn in iter_items(subset.turns) if _lasts(turn)}
    annotated = {region.uri for _, region in iter_items(subset.regions)}
    with_speech = set(_with_speech(subset)) if subset.regions else with_turns
    yield from _unlisted(subset.turns, uris | set(others))
    yield from _unlisted(subset.regions, uris | set(others))
    # one recording may be silent; if all are, names or times are wrong
    status: Status = "warning" if with_speech & uris else "error"
    for path, recording in iter_items(subset.recordings):
        name = recording.uri
        if subset.turns and name not in with_turns:
            text = f"'{name}' has no turn in its annotation"
            text += _note(name, with_turns)
            remedy = "see whether its RTTM file is missing, or uses another name"
            yield Finding(status, text, remedy, path, recording.line)
        elif subset.turns and name in annotated - with_speech:
            text = f"'{name}' has no turn inside its annotated regions"
            remedy = "compare the times of RTTM and UEM"
            yield Finding(status, text, remedy, path, recording.line)
        if subset.regions and name not in annotated:
            text = f"'{name}' has no region in a UEM file: it would not be used"
            text += _note(name, annotated)
            yield Finding("error", text, "add a region", path, recording.line)


def _lasts(turn: Turn) -> bool:
    return turn.end > turn.start


def _with_speech(subset: Subset) -> Iterator[str]:
    """Yield the names of recordings with speech inside an annotated region."""
    regions: dict[str, list[Region]] = {}
    for _, region in iter_items(subset.regions):
        regions.setdefault(region.uri, []).append(region)
    for _, turn in iter_items(subset.turns):
        if any(
            max(turn.start, region.start) < min(turn.end, region.end)
            for region in regions.get(turn.uri, ())
        ):
            yield turn.uri


def _note(name: str, others: Iterable[str]) -> str:
    """Note on a name of the same letters in another Unicode form, if there is any."""
    other = other_form(name, others)
    return f"; {other!a} is another Unicode form of {name!a}" if other else ""


def _unlisted(listings: Sequence[Listing], uris: Collection[str]) -> Iterator[Finding]:
    """Report recordings that are in no list, one warning per file."""
    for listing in listings:
        lines = {item.uri: item.line for item in reversed(listing.items)}
        others = [uri for uri in reversed(lines) if uri not in uris]
        if others:
            text = f"'{others[0]}' is in no list of recordings and is ignored"
            text += f", and so are {len(others) - 1} more" if others[1:] else ""
            remedy = "add it to a list, or delete its lines"
            yield Finding("warning", text, remedy, listing.path, lines[others[0]])


def check_audio(
    listings: Sequence[Listing[Recording]], decode: bool = False
) -> tuple[list[Finding], dict[str, float]]:
    """List audio that is missing or cannot be used.

    Parameters
    ----------
    listings : sequence of Listing
    decode : bool, optional
        Decode all audio, instead of reading durations only. Defaults to False.

    Returns
    -------
    findings : list of Finding
    durations : dict of str to float
        Duration of each other recording, in seconds.
    """
    findings: list[Finding] = []
    durations: dict[str, float] = {}
    for path, recording in iter_items(listings):
        if recording.audio is None:
            continue
        try:
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always", UserWarning)
                durations[recording.uri] = _duration(recording.audio, decode)
            findings += [
                Finding("warning", str(warning.message), path=path, line=recording.line)
                for warning in caught
            ]
        except (AudioFileError, OSError) as error:
            text = f"the audio of '{recording.uri}' cannot be used: "
            text += str(error).rstrip(".")
            findings.append(Finding("error", text, path=path, line=recording.line))
    return findings, durations


def _duration(audio: Path, decode: bool) -> float:
    info = audio_info(audio)
    if not info.num_samples:
        raise AudioFileError(f"'{audio}' has no sample: remove it from the lists.")
    if decode or info.num_channels > 1:  # the average of all channels may be silent
        read_audio(audio, sample_rate=None, duration=None if decode else 60.0)
    return info.duration


def _check_times(subset: Subset, durations: Mapping[str, float]) -> Iterator[Finding]:
    for path, region in iter_items(subset.regions):
        duration = durations.get(region.uri)
        if duration is not None and region.end > duration + TOLERANCE:
            text = f"the region ends at {region.end:g} s, the audio of '{region.uri}' "
            text += f"at {duration:.3f} s"
            remedy = "let the region end with the audio"
            yield Finding("error", text, remedy, path, region.line)
    for path, turn in iter_items(subset.turns):
        duration = durations.get(turn.uri)
        if duration is not None and turn.end > duration + TOLERANCE:
            yield Finding(
                "error" if turn.start >= duration else "warning",
                f"the turn ends at {turn.end:g} s, the audio of '{turn.uri}' at "
                f"{duration:.3f} s",
                "see whether times are in seconds, and of this recording",
                path,
                turn.line,
            )
