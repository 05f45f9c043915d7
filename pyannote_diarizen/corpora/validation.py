# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Data of any kind, checked before it is trained on."""

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path

from pyannote_diarizen.audio.reader import AUDIO_SUFFIXES, list_audio
from pyannote_diarizen.corpora.database import Database
from pyannote_diarizen.corpora.kaldi import read_kaldi_folder, read_lists
from pyannote_diarizen.corpora.listings import (
    Defect,
    Listing,
    Recording,
    read_lst,
    read_rttm,
    read_scp,
    read_uem,
)
from pyannote_diarizen.corpora.shipped_protocols import find_protocol
from pyannote_diarizen.corpora.subset import (
    Subset,
    check_audio,
    check_disjoint,
    check_subset,
)

READERS: dict[str, Callable[[Path], Listing]] = {
    "rttm": read_rttm,
    "uem": read_uem,
    "lst": read_lst,
    "txt": read_lst,
}
"""By the suffix of files, or by what they are called."""


@dataclass(frozen=True)
class Checked:
    """What was looked at.

    Parameters
    ----------
    what : str
        A file, or a subset of a protocol.
    holds : str
        How much.
    defects : list of Defect
    """

    what: str
    holds: str
    defects: list[Defect]


def validate(
    what: str,
    database: Path | None = None,
    root: Path | None = None,
    decode: bool = False,
) -> Iterator[Checked]:
    """Look for what is wrong in data.

    Parameters
    ----------
    what : str
        RTTM, UEM, `wav.scp`, list or audio file; folder of Kaldi, or of audio;
        `database.yml`, or the name of a protocol.
    database, root : Path, optional
        See `find_protocol`.
    decode : bool, optional
        Read all audio, not only how long it is. Defaults to False.

    Yields
    ------
    checked : Checked
        As soon as it was looked at.

    Raises
    ------
    OSError, ValueError
        If it is none of these.
    """
    path = Path(what).expanduser()
    if path.is_dir():
        yield from _folder(path, root, decode)
    elif path.suffix in (".yml", ".yaml"):
        yield from _database(path, root, decode)
    elif path.exists():
        yield _file(path, decode)
    elif what.count(".") == 2 and "/" not in what and path.suffix not in AUDIO_SUFFIXES:
        subsets = find_protocol(what, database, root).subsets(what)
        yield from _subsets(f"{what}, ", subsets, decode)
    else:
        raise FileNotFoundError(
            f"'{what}' is neither a file or folder that exists, nor the name of a "
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
        raise ValueError(f"'{path}' describes no protocol: it lacks `Protocols`.")
    for name in protocols:
        subsets = find_protocol(name, path, root).subsets(name)
        yield from _subsets(f"{name}, ", subsets, decode)


def _subsets(
    where: str, subsets: Mapping[str, Subset], decode: bool
) -> Iterator[Checked]:
    for name, subset in subsets.items():
        turns = sum(len(listing.items) for listing in subset.turns)
        holds = f"{len(subset.uris)} recordings, {turns} turns"
        yield Checked(f"{where}{name}", holds, check_subset(subset, decode=decode))
    if shared := check_disjoint(subsets):
        yield Checked(f"{where}all subsets", "", shared)


def _file(path: Path, decode: bool) -> Checked:
    named, kind = f"'{path}'", path.suffix.removeprefix(".") or path.name
    if path.suffix.lower() in AUDIO_SUFFIXES:
        alone = Listing(path, [Recording(None, path.stem, path)])
        defects, durations = check_audio([alone], decode)
        return Checked(named, f"{sum(durations.values()):.2f} s", defects)
    if kind == "scp":
        recordings = read_scp(path)
        defects, durations = check_audio([recordings], decode)
        holds = f"{len(recordings.items)} recordings"
        return Checked(named, holds, recordings.defects + defects)
    if kind not in READERS:
        raise ValueError(
            f"{named} ends in none of {', '.join(READERS)}, scp, yml or audio."
        )
    listing = READERS[kind](path)
    return Checked(named, f"{len(listing.items)} lines", listing.defects)
