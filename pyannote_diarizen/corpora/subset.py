# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Whether the lists of a subset agree with one another, and with its audio."""

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from pyannote_diarizen.audio.reader import audio_info, read_audio
from pyannote_diarizen.corpora.listings import (
    Defect,
    Item,
    Listing,
    Recording,
    Region,
    Turn,
)
from pyannote_diarizen.errors import AudioFileError

TOLERANCE = 0.02
"""Seconds by which a region may exceed its audio: times are rounded in many corpora."""

OVERHANG = 0.5
"""Seconds by which a turn may: annotators work with other copies of the audio."""


@dataclass
class Subset:
    """Recordings, who speaks in them, and what of them was annotated.

    Parameters
    ----------
    recordings, turns, regions : list of Listing
        No `turns` at all are those of another format than RTTM, no `regions` at all
        stand for whole recordings.
    defects : list of Defect
        What was found before: files that are missing, for instance.
    """

    recordings: list[Listing[Recording]]
    turns: list[Listing[Turn]]
    regions: list[Listing[Region]] = field(default_factory=list)
    defects: list[Defect] = field(default_factory=list)

    @property
    def uris(self) -> list[str]:
        """Names of recordings, in order."""
        return [recording.uri for _, recording in _items(self.recordings)]

    @property
    def audio(self) -> dict[str, Path]:
        """Audio by name, of those recordings whose audio is known."""
        return {
            recording.uri: recording.audio
            for _, recording in _items(self.recordings)
            if recording.audio is not None
        }


def check_subset(
    subset: Subset, with_audio: bool = True, decode: bool = False
) -> list[Defect]:
    """List what is wrong in each file of a subset, and between them.

    Parameters
    ----------
    subset : Subset
    with_audio : bool, optional
        Look at audio, too. Defaults to True.
    decode : bool, optional
        Read all of it, not only how long it is. Defaults to False.

    Returns
    -------
    defects : list of Defect
        By file and line.
    """
    defects = list(subset.defects)
    for listings in (subset.recordings, subset.turns, subset.regions):
        defects += [defect for listing in listings for defect in listing.defects]
    defects += _check_names(subset)
    if with_audio:
        unusable, durations = check_audio(subset.recordings, decode)
        defects += [*unusable, *_check_times(subset, durations)]
    return sorted(defects, key=lambda defect: (str(defect.path), defect.line or 0))


def check_disjoint(subsets: Mapping[str, Subset]) -> list[Defect]:
    """List recordings that are in several subsets.

    Parameters
    ----------
    subsets : mapping of str to Subset
    """
    defects: list[Defect] = []
    home: dict[str, str] = {}
    for name, subset in subsets.items():
        for path, recording in _items(subset.recordings):
            other = home.setdefault(recording.uri, name)
            if other != name:
                text = f"'{recording.uri}' is in {other}, too: what is learnt by heart "
                text += "there would be measured here."
                defects.append(Defect(path, recording.line, text))
    return defects


def _items(listings: Iterable[Listing[Item]]) -> Iterator[tuple[Path, Item]]:
    for listing in listings:
        for item in listing.items:
            yield listing.path, item


def _check_names(subset: Subset) -> Iterator[Defect]:
    uris = set(subset.uris)
    speaking = {turn.uri for _, turn in _items(subset.turns)}
    annotated = {region.uri for _, region in _items(subset.regions)}
    yield from _unlisted(subset.turns, uris)
    yield from _unlisted(subset.regions, uris)
    for path, recording in _items(subset.recordings):
        if subset.turns and recording.uri not in speaking:
            text = f"nobody speaks in '{recording.uri}': has it no RTTM, or one under "
            text += "another name?"
            # in some, that may be so; in all, it is a mistake
            yield Defect(path, recording.line, text, severe=not speaking & uris)
        if subset.regions and recording.uri not in annotated:
            text = f"'{recording.uri}' has no region in a UEM file, so that nothing of "
            text += "it is used: add one."
            yield Defect(path, recording.line, text)


def _unlisted(listings: Sequence[Listing[Item]], uris: set[str]) -> Iterator[Defect]:
    known = set(uris)
    for path, item in _items(listings):
        if item.uri not in known:
            text = f"'{item.uri}' is in no list of recordings and is ignored: add it "
            text += "there, or delete it here."
            yield Defect(path, item.line, text, severe=False)
        known.add(item.uri)  # once is enough


def check_audio(
    listings: Sequence[Listing[Recording]], decode: bool = False
) -> tuple[list[Defect], dict[str, float]]:
    """List audio that is missing or cannot be used.

    Parameters
    ----------
    listings : sequence of Listing
    decode : bool, optional
        Read all of it, not only how long it is. Defaults to False.

    Returns
    -------
    defects : list of Defect
    durations : dict of str to float
        Of the rest, in seconds.
    """
    defects: list[Defect] = []
    durations: dict[str, float] = {}
    for path, recording in _items(listings):
        if recording.audio is None:
            continue
        try:
            durations[recording.uri] = _duration(recording.audio, decode)
        except (AudioFileError, OSError) as error:
            text = f"the audio of '{recording.uri}' cannot be used. {error}"
            defects.append(Defect(path, recording.line, text))
    return defects, durations


def _duration(audio: Path, decode: bool) -> float:
    duration = audio_info(audio).duration
    if not duration:
        raise AudioFileError(f"'{audio}' has no sample: take it out of the lists.")
    if decode:
        read_audio(audio, sample_rate=None, channel=None)
    return duration


def _check_times(subset: Subset, durations: Mapping[str, float]) -> Iterator[Defect]:
    for path, region in _items(subset.regions):
        duration = durations.get(region.uri)
        if duration is not None and region.end > duration + TOLERANCE:
            text = f"the region ends at {region.end:g} s, the audio of '{region.uri}' "
            text += f"at {duration:.3f} s: write the latter."
            yield Defect(path, region.line, text)
    for path, turn in _items(subset.turns):
        duration = durations.get(turn.uri)
        if duration is not None and turn.end > duration + OVERHANG:
            text = f"the turn ends at {turn.end:g} s, the audio of '{turn.uri}' at "
            text += f"{duration:.3f} s: are times in seconds, and of this recording?"
            yield Defect(path, turn.line, text, severe=turn.start >= duration)
