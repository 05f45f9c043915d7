# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Validation of data before training: lists, annotations, audio, protocols.

Each line is checked by itself (`listings`), then lists against each other, then times
against the audio. An error makes data unusable; a warning is worth a look.
"""

import warnings
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from pyannote_diarizen.audio.reader import (
    AUDIO_SUFFIXES,
    audio_info,
    list_audio,
    read_audio,
)
from pyannote_diarizen.corpora.kaldi import read_kaldi_folder, read_lists
from pyannote_diarizen.corpora.listings import (
    Listing,
    Recording,
    Subset,
    iter_items,
    read_lst,
    read_rttm,
    read_scp,
    read_uem,
)
from pyannote_diarizen.corpora.protocols import Database, find_protocol
from pyannote_diarizen.errors import AudioFileError
from pyannote_diarizen.findings import Finding

TOLERANCE = 0.1
"""Seconds by which an annotation may end after its audio.

Corpora round times, and annotators work with other copies of the audio, whose codecs
add or drop a frame of some 25 ms. Beyond that, times are usually of another recording.
"""

READERS: dict[str, Callable[[Path], Listing]] = {
    "rttm": read_rttm,
    "uem": read_uem,
    "lst": read_lst,
    "txt": read_lst,
}
"""Reader of each suffix, or of each file name without suffix."""


@dataclass(frozen=True)
class Checked:
    """Result of the validation of one file or subset.

    Parameters
    ----------
    name : str
        A file, or a subset of a protocol.
    content : str
        Amount of data, as in "2 recordings, 9 turns".
    findings : list of Finding
    """

    name: str
    content: str
    findings: list[Finding]


def validate(
    data: str,
    database: Path | None = None,
    root: Path | None = None,
    decode: bool = False,
) -> Iterator[Checked]:
    """Find errors in data.

    Parameters
    ----------
    data : str
        RTTM, UEM, `wav.scp`, list or audio file; folder of Kaldi, or of audio;
        `database.yml`, or the name of a protocol.
    database, root : Path, optional
        See `find_protocol`.
    decode : bool, optional
        Decode all audio, instead of reading durations only. Defaults to False.

    Yields
    ------
    checked : Checked
        One per file or subset, as soon as it is checked.

    Raises
    ------
    OSError, ValueError
        If `data` is none of these.
    """
    path = Path(data).expanduser()
    if path.is_dir():
        yield from _folder(path, root, decode)
    elif path.suffix in (".yml", ".yaml"):
        yield from _database(path, root, decode)
    elif path.exists():
        yield _file(path, decode)
    elif data.count(".") == 2 and "/" not in data and path.suffix not in AUDIO_SUFFIXES:
        subsets = find_protocol(data, database, root).subsets(data)
        yield from _subsets(f"{data}, ", subsets, decode)
    else:
        raise FileNotFoundError(
            f"'{data}' is neither a file or folder that exists, nor the name of a "
            "protocol, which has two dots."
        )


def _folder(folder: Path, root: Path | None, decode: bool) -> Iterator[Checked]:
    if (folder / "wav.scp").is_file():
        alone = {folder.name: read_lists([folder / "wav.scp"])}
        yield from _subsets(f"'{folder.parent}', ", alone, decode)
    elif next(folder.rglob("wav.scp"), None):
        yield from _subsets(f"'{folder}', ", read_kaldi_folder(folder), decode)
    elif (folder / "database.yml").is_file():
        yield from _database(folder / "database.yml", root, decode)
    else:
        for path in list_audio([folder]):
            yield _file(path, decode)


def _database(path: Path, root: Path | None, decode: bool) -> Iterator[Checked]:
    protocols = Database(path, root).protocols
    if not protocols:
        raise ValueError(f"'{path}' defines no protocol: it lacks `Protocols`.")
    for name in protocols:
        subsets = find_protocol(name, path, root).subsets(name)
        yield from _subsets(f"{name}, ", subsets, decode)


def _subsets(
    prefix: str, subsets: Mapping[str, Subset], decode: bool
) -> Iterator[Checked]:
    for name, subset in subsets.items():
        turns = sum(len(listing.items) for listing in subset.turns)
        content = f"{len(subset.uris)} recordings, {turns} turns"
        yield Checked(f"{prefix}{name}", content, check_subset(subset, decode=decode))
    if shared := check_disjoint(subsets):
        yield Checked(f"{prefix}all subsets", "", shared)


def _file(path: Path, decode: bool) -> Checked:
    name, kind = f"'{path}'", path.suffix.removeprefix(".") or path.name
    if path.suffix.lower() in AUDIO_SUFFIXES:
        alone = Listing(path, [Recording(None, path.stem, path)])
        findings, durations = check_audio([alone], decode)
        return Checked(name, f"{sum(durations.values()):.2f} s", findings)
    if kind == "scp":
        recordings = read_scp(path)
        findings, durations = check_audio([recordings], decode)
        content = f"{len(recordings.items)} recordings"
        return Checked(name, content, recordings.findings + findings)
    if kind not in READERS:
        raise ValueError(
            f"{name} should end in one of {', '.join(READERS)}, scp, yml, or be audio."
        )
    listing = READERS[kind](path)
    return Checked(name, f"{len(listing.items)} lines", listing.findings)


def check_subset(
    subset: Subset, with_audio: bool = True, decode: bool = False
) -> list[Finding]:
    """List the findings in each file of a subset, and between files.

    Parameters
    ----------
    subset : Subset
    with_audio : bool, optional
        Check audio, too. Defaults to True.
    decode : bool, optional
        Decode all audio, instead of reading durations only. Defaults to False.

    Returns
    -------
    findings : list of Finding
        Sorted by file and line.
    """
    findings = list(subset.findings)
    for listings in (subset.recordings, subset.turns, subset.regions):
        findings += [found for listing in listings for found in listing.findings]
    findings += _check_names(subset)
    if with_audio:
        unusable, durations = check_audio(subset.recordings, decode)
        findings += [*unusable, *_check_times(subset, durations)]
    return sorted(findings, key=lambda found: (str(found.path), found.line or 0))


def check_disjoint(subsets: Mapping[str, Subset]) -> list[Finding]:
    """List recordings that are in several subsets.

    Parameters
    ----------
    subsets : mapping of str to Subset
    """
    findings: list[Finding] = []
    home: dict[str, str] = {}
    for name, subset in subsets.items():
        for path, recording in iter_items(subset.recordings):
            other = home.setdefault(recording.uri, name)
            if other != name:
                text = f"'{recording.uri}' is also in {other}, so that scores on "
                text += f"{name} would be too good"
                remedy = "remove it from one of the two"
                findings.append(Finding("error", text, remedy, path, recording.line))
    return findings


def _check_names(subset: Subset) -> Iterator[Finding]:
    uris = set(subset.uris)
    with_turns = {turn.uri for _, turn in iter_items(subset.turns)}
    annotated = {region.uri for _, region in iter_items(subset.regions)}
    yield from _unlisted(subset.turns, uris)
    yield from _unlisted(subset.regions, uris)
    for path, recording in iter_items(subset.recordings):
        if subset.turns and recording.uri not in with_turns:
            # one recording may be silent; if all are, their names differ
            yield Finding(
                "warning" if with_turns & uris else "error",
                f"'{recording.uri}' has no turn in an RTTM file",
                "see whether its RTTM file is missing, or uses another name",
                path,
                recording.line,
            )
        if subset.regions and recording.uri not in annotated:
            text = (
                f"'{recording.uri}' has no region in a UEM file: it would not be used"
            )
            yield Finding("error", text, "add a region", path, recording.line)


def _unlisted(listings: Sequence[Listing], uris: set[str]) -> Iterator[Finding]:
    known = set(uris)
    for path, item in iter_items(listings):
        if item.uri not in known:
            text = f"'{item.uri}' is in no list of recordings and is ignored"
            remedy = "add it to a list, or delete the line"
            yield Finding("warning", text, remedy, path, item.line)
        known.add(item.uri)  # one warning per recording


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
