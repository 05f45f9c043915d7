# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Validation of data before training: lists, annotations, audio, protocols.

Each line is checked by itself (`listings`), then lists against each other, then times
against the audio. An error makes data unusable; a warning is worth a look.
"""

from collections.abc import Callable, Collection, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pyannote_diarizen.atomic import expand_home
from pyannote_diarizen.audio.reader import (
    AUDIO_SUFFIXES,
    list_audio,
)
from pyannote_diarizen.corpora.database import Database, find_protocol
from pyannote_diarizen.corpora.database_yml import SUBSETS
from pyannote_diarizen.corpora.kaldi import read_kaldi_folder, read_lists
from pyannote_diarizen.corpora.listings import (
    Listing,
    Recording,
    read_lst,
    read_rttm,
    read_scp,
    read_uem,
)
from pyannote_diarizen.corpora.subset import Subset
from pyannote_diarizen.corpora.subset_checks import (
    check_audio,
    check_disjoint,
    check_subset,
)
from pyannote_diarizen.findings import Finding

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
    path = expand_home(data)
    if path.is_dir():
        yield from _folder(path, root, decode)
    elif path.suffix in (".yml", ".yaml"):
        yield from _database(path, root, decode)
    elif path.exists():
        yield _file(path, decode)
    elif data.count(".") == 2 and "/" not in data and path.suffix not in AUDIO_SUFFIXES:
        yield from check_protocol(data, database, root, decode=decode)
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
        yield from check_protocol(name, path, root, decode=decode)


def check_protocol(
    name: str,
    database: Path | None = None,
    root: Path | None = None,
    subsets: Collection[str] = SUBSETS,
    decode: bool = False,
) -> Iterator[Checked]:
    """Check the keys, lists, annotations and audio of a protocol.

    All commands that read a protocol call this function: one limit and one message for
    each error.

    Parameters
    ----------
    name : str
        As in "AMI.SpeakerDiarization.only_words".
    database, root : Path, optional
        See `find_protocol`.
    subsets : collection of str, optional
        Subsets to check, if the protocol has them. Defaults to all.
    decode : bool, optional
        Decode all audio, instead of reading durations only. Defaults to False.

    Yields
    ------
    checked : Checked
        One for the keys if there are findings, then one per subset, then one for
        recordings of several subsets, if there are any.

    Raises
    ------
    OSError, ValueError
        If there is no such protocol.
    """
    found = find_protocol(name, database, root)
    findings = [*found.findings, *found.check_entries(name, subsets)]
    if findings:
        yield Checked(name, "", findings)
    lists = found.subsets(name)
    yield from _subsets(f"{name}, ", lists, decode, subsets)


def _subsets(
    prefix: str,
    subsets: Mapping[str, Subset],
    decode: bool,
    wanted: Collection[str] | None = None,
) -> Iterator[Checked]:
    listed = {uri for subset in subsets.values() for uri in subset.uris}
    subsets = {
        name: subset
        for name, subset in subsets.items()
        if wanted is None or name in wanted
    }
    for name, subset in subsets.items():
        turns = sum(len(listing.items) for listing in subset.turns)
        content = f"{len(subset.uris)} recordings, {turns} turns"
        findings = check_subset(subset, decode=decode, others=listed)
        yield Checked(f"{prefix}{name}", content, findings)
    if shared := check_disjoint(subsets):
        content = f"{len(shared)} recordings in several"
        yield Checked(f"{prefix}all subsets", content, shared)


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
