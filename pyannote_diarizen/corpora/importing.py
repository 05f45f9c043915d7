# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Writing of imported subsets as a protocol of pyannote.database.

    database.yml
    train.lst, train.rttm, train.uem; other subsets alike
    audio/train/EN2001a.wav, a link

Audio is linked, not copied.
"""

import math
import re
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any, Literal

import yaml

from pyannote_diarizen.atomic import recording_path, replacing, write_file
from pyannote_diarizen.audio.reader import audio_info
from pyannote_diarizen.corpora.database import Database
from pyannote_diarizen.corpora.database_yml import SUBSETS
from pyannote_diarizen.corpora.listings import Region
from pyannote_diarizen.corpora.subset import Subset, iter_items
from pyannote_diarizen.findings import Finding
from pyannote_diarizen.rttm import rttm_line, rttm_name

Scope = Literal["file", "database", "global"]


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


def import_subsets(
    subsets: Mapping[str, Subset],
    into: Path,
    database: str,
    scope: Scope = "file",
    protocol: str = "Kaldi",
    add: bool = False,
) -> Path:
    """Write a protocol, over an earlier import of it if there is any.

    Parameters
    ----------
    subsets : mapping of str to Subset
        By name. In a subset without regions, recordings are annotated from beginning to
        end.
    into : Path
        Folder to write to.
    database : str
        Name of the database; letters, digits, - and _.
    scope : {"file", "database", "global"}, optional
        Range within which a label stands for one speaker. Defaults to "file".
    protocol : str, optional
        Last part of the name of the protocol. Defaults to "Kaldi".
    add : bool, optional
        Keep other subsets of an earlier import. Defaults to False.

    Returns
    -------
    path : Path
        Path of `database.yml`.

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
    called = f"{database}.SpeakerDiarization.{protocol}"
    templates, kept = _earlier(into / "database.yml", called, subsets, add)
    for name, subset in subsets.items():
        for uri, audio in subset.audio.items():
            link = recording_path(into / "audio" / name, uri, audio.suffix)
            with replacing(link) as temporary:
                temporary.symlink_to(audio.resolve())
            templates.append(f"audio/{name}/{{uri}}{audio.suffix}")
        _write_lists(subset, into / name)
    entries: dict[str, Any] = {"scope": scope, **kept}
    for name in subsets:
        suffixes = {"uri": ".lst", "annotation": ".rttm", "annotated": ".uem"}
        entries[name] = {key: f"{name}{suffix}" for key, suffix in suffixes.items()}
    content = {
        "Databases": {database: sorted(set(templates))},
        "Protocols": {database: {"SpeakerDiarization": {protocol: entries}}},
    }
    write_file(yaml.safe_dump(content, sort_keys=False), into / "database.yml")
    return into / "database.yml"


def earlier_subsets(into: Path, protocol: str) -> dict[str, Subset]:
    """Read the subsets of an earlier import of a protocol, if there is any."""
    path = Path(into) / "database.yml"
    if not path.exists() or protocol not in (found := Database(path)).protocols:
        return {}
    subsets = found.subsets(protocol)
    for subset in subsets.values():
        for listing in subset.recordings:
            listing.items = [item._replace(database="") for item in listing.items]
    return subsets


def _earlier(
    path: Path, protocol: str, subsets: Mapping[str, Subset], add: bool
) -> tuple[list[str], dict[str, dict]]:
    """Return templates and subsets to keep; refuse to lose those of other protocols."""
    if not path.exists():
        return [], {}
    earlier = Database(path)
    lost = [
        f"{name}, {subset}"
        for name, entries in earlier.protocols.items()
        for subset in entries
        if subset in SUBSETS and not (name == protocol and (add or subset in subsets))
    ]
    if lost:
        raise ValueError(
            f"'{path}' has {'; '.join(lost)}, which would be lost: choose another "
            "folder by --into, or delete it."
        )
    if not add or protocol not in earlier.protocols:
        return [], {}
    entries = earlier.protocols[protocol]
    kept = {name: dict(entries[name]) for name in SUBSETS if name in entries}
    return list(earlier.templates.get(protocol.split(".")[0], [])), kept


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
        text = "".join(f"{line}\n" for line in content)
        write_file(text, stem.with_suffix(suffix))


def _uem_line(region: Region) -> str:
    return f"{region.uri} 1 {region.start:.3f} {region.end:.3f}"


def _whole(uri: str, audio: Path) -> str:
    # rounded down, never past the end of the audio
    duration = math.floor(1000 * audio_info(audio).duration) / 1000
    return f"{uri} 1 0.000 {duration:.3f}"
