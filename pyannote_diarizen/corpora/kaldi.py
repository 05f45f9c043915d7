# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Conversion of Kaldi data folders, as DiariZen uses them, to a protocol.

    folder/train/wav.scp, rttm, all.uem      folder/database.yml
    folder/dev/wav.scp, rttm, all.uem    ->  folder/train.lst, .rttm, .uem; others alike
    folder/test/AMI/wav.scp, ...             folder/audio/train/EN2001a.wav, a link

Audio is linked, not copied. Several folders inside a subset become one.
"""

import math
import re
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

import yaml

from pyannote_diarizen.atomic import recording_path, replacing
from pyannote_diarizen.audio.reader import audio_info
from pyannote_diarizen.corpora.database import Database
from pyannote_diarizen.corpora.database_yml import SUBSETS
from pyannote_diarizen.corpora.listings import (
    Region,
    read_rttm,
    read_scp,
    read_uem,
)
from pyannote_diarizen.corpora.subset import Subset, iter_items
from pyannote_diarizen.findings import Finding
from pyannote_diarizen.rttm import rttm_line, rttm_name

Scope = Literal["file", "database", "global"]
NAMES = {
    "train": ("train",),
    "development": ("dev", "development", "valid", "val"),
    "test": ("test", "eval"),
}
"""Possible names of the folders of each subset; several become one subset."""


@dataclass(frozen=True)
class Imported:
    """Written protocol.

    Parameters
    ----------
    database : Path
        Path of `database.yml`.
    name : str
        As in "Talks.SpeakerDiarization.Kaldi".
    """

    database: Path
    name: str


def read_kaldi_folder(folder: Path) -> dict[str, Subset]:
    """Read the lists of each subset of a Kaldi folder.

    Parameters
    ----------
    folder : Path

    Returns
    -------
    subsets : dict of str to Subset
        "train", "development" and "test", if they exist.

    Raises
    ------
    FileNotFoundError
        If there is no subset, or no RTTM file.
    """
    folder = Path(folder)
    subsets = {}
    for name, folders in NAMES.items():
        insides = [folder / called for called in folders]
        lists = [one for inside in insides for one in sorted(inside.rglob("wav.scp"))]
        if lists:
            subsets[name] = read_lists(lists)
    if not subsets:
        raise FileNotFoundError(
            f"'{folder}' holds no train/wav.scp, dev/wav.scp or test/wav.scp: give the "
            "folder around them."
        )
    return subsets


def read_lists(lists: Iterable[Path]) -> Subset:
    """Read `wav.scp` files, and the RTTM and UEM files beside each.

    Parameters
    ----------
    lists : iterable of Path

    Raises
    ------
    FileNotFoundError
        If there is no RTTM file.
    """
    subset = Subset([], [])
    for path in lists:
        subset.recordings.append(read_scp(path))
        rttm = _one_of(path.parent, "rttm", "*.rttm")
        if not rttm:
            raise FileNotFoundError(
                f"'{path.parent}' holds no `rttm`, nor a file that ends in .rttm."
            )
        subset.turns += map(read_rttm, rttm)
        subset.regions += map(read_uem, _one_of(path.parent, "all.uem", "uem", "*.uem"))
    return subset


def _one_of(folder: Path, *patterns: str) -> list[Path]:
    """List the files of the first pattern with a match."""
    for pattern in patterns:
        if found := sorted(folder.glob(pattern)):
            return found
    return []


def check_recordings(subsets: Mapping[str, Subset]) -> Iterator[Finding]:
    """Find names of recordings that a protocol cannot use."""
    for subset in subsets.values():
        first: dict[str, Path] = {}
        for path, recording in iter_items(subset.recordings):
            uri, text = recording.uri, ""
            suffix = recording.audio.suffix if recording.audio else ""
            try:
                recording_path("audio", uri, suffix)
            except ValueError as error:
                text = str(error).rstrip(".")
            if "/" in uri:
                text = f"'{uri}' cannot be the name of a file"
            elif rttm_name(uri) != uri:
                text = f"'{uri}' cannot be a name in an RTTM file"
            elif first.setdefault(uri, path) != path:
                text = f"'{uri}' is also in '{first[uri]}'"
            if text:
                yield Finding("error", text, "rename it", path, recording.line)


def import_kaldi(
    subsets: Mapping[str, Subset], into: Path, database: str, scope: Scope = "file"
) -> Imported:
    """Write a protocol, over an earlier import of it if there is any.

    Parameters
    ----------
    subsets : mapping of str to Subset
        See `read_kaldi_folder`. In a subset without UEM file, recordings are annotated
        from beginning to end.
    into : Path
        Folder to write to.
    database : str
        Name of the database; letters, digits, - and _.
    scope : {"file", "database", "global"}, optional
        Range within which a label stands for one speaker. Defaults to "file".

    Raises
    ------
    OSError
        If a file cannot be written, or the file system has no links.
    ValueError
        If a name cannot be the name of a file or protocol, or `into` has a protocol
        that would be lost; nothing is written.
    """
    if not re.fullmatch(r"[\w-]+", database):
        raise ValueError(
            f"`database` should consist of letters, digits, - and _, got '{database}'."
        )
    for finding in check_recordings(subsets):
        raise ValueError(str(finding))
    into = Path(into)
    called = f"{database}.SpeakerDiarization.Kaldi"
    _check_earlier(into / "database.yml", called, subsets)
    templates = []
    for name, subset in subsets.items():
        for uri, audio in subset.audio.items():
            link = recording_path(into / "audio" / name, uri, audio.suffix)
            with replacing(link) as temporary:
                temporary.symlink_to(audio.resolve())
            templates.append(f"audio/{name}/{{uri}}{audio.suffix}")
        _write_lists(subset, into / name)
    protocol = {"scope": scope} | {
        name: {
            "uri": f"{name}.lst",
            "annotation": f"{name}.rttm",
            "annotated": f"{name}.uem",
        }
        for name in subsets
    }
    content = {
        "Databases": {database: sorted(set(templates))},
        "Protocols": {database: {"SpeakerDiarization": {"Kaldi": protocol}}},
    }
    with replacing(into / "database.yml") as temporary:
        text = yaml.safe_dump(content, sort_keys=False)
        temporary.write_text(text, encoding="utf-8")
    return Imported(into / "database.yml", called)


def _check_earlier(path: Path, protocol: str, subsets: Mapping[str, Subset]) -> None:
    """Refuse to replace a `database.yml` with other protocols or subsets."""
    if not path.exists():
        return
    lost = [
        f"{name}, {subset}"
        for name, entries in Database(path).protocols.items()
        for subset in entries
        if subset in SUBSETS and not (name == protocol and subset in subsets)
    ]
    if lost:
        raise ValueError(
            f"'{path}' has {'; '.join(lost)}, which would be lost: choose another "
            "folder by --into, or delete it."
        )


def _write_lists(subset: Subset, stem: Path) -> None:
    turns = [turn for listing in subset.turns for turn in listing.items]
    regions = [region for listing in subset.regions for region in listing.items]
    uris = set(subset.uris)
    lines = {
        ".lst": subset.uris,
        ".rttm": [
            rttm_line(turn.uri, turn.start, turn.end - turn.start, turn.speaker)
            for turn in turns
            if turn.uri in uris
        ],
        ".uem": [_uem_line(region) for region in regions if region.uri in uris]
        or [_whole(uri, audio) for uri, audio in subset.audio.items()],
    }
    for suffix, content in lines.items():
        with replacing(stem.with_suffix(suffix)) as temporary:
            temporary.write_text("".join(f"{line}\n" for line in content), "utf-8")


def _uem_line(region: Region) -> str:
    return f"{region.uri} 1 {region.start:.3f} {region.end:.3f}"


def _whole(uri: str, audio: Path) -> str:
    # rounded down, never past the end of the audio
    duration = math.floor(1000 * audio_info(audio).duration) / 1000
    return f"{uri} 1 0.000 {duration:.3f}"
