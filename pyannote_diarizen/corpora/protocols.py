# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Protocols of pyannote.database, loaded as training and tuning need them.

Files have "audio", "annotation" and "annotated". Unlike in pyannote.database,

- only the given `database.yml`, and the files that it requires, define the protocol;
- names of recordings are no wildcards: `rec[1]` is not found as `rec1`;
- overlapping turns of one speaker are merged, so that they do not count twice;
- recordings without UEM are annotated from beginning to end.
"""

from collections.abc import Callable, Hashable, Iterator, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from pyannote.core import Annotation, Segment, Timeline
from pyannote.database import ProtocolFile
from pyannote.database import protocol as protocol_classes
from pyannote.database.custom import create_protocol, gather_loaders, resolve_path
from pyannote.database.protocol import SpeakerDiarizationProtocol
from pyannote.database.protocol.protocol import Protocol

from pyannote_diarizen.audio.reader import audio_info
from pyannote_diarizen.corpora.database import Database, find_protocol
from pyannote_diarizen.corpora.database_yml import ENTRIES, META, SUBSETS, Keys
from pyannote_diarizen.corpora.listings import read_lst
from pyannote_diarizen.corpora.recordings import locate_audio
from pyannote_diarizen.findings import require


def load_protocol(name: str, database: Path | str | None = None) -> Protocol:
    """Load a protocol whose files have "audio" and "annotated".

    `validation.check_protocol` finds errors in its files.

    Parameters
    ----------
    name : str
        As in "AMI.SpeakerDiarization.only_words".
    database : Path or str, optional
        See `find_protocol`.

    Raises
    ------
    FileNotFoundError
        If `database` does not exist.
    ValueError
        If there is no such protocol; the message lists the known ones.
    """
    found = find_protocol(name, None if database is None else Path(database))
    require(found.check_name(name))
    methods: dict[str, Callable] = {
        f"{subset}_iter": _lists_of(found, name, subset)
        for subset in SUBSETS
        if isinstance(found.protocols[name].get(subset), Keys)
    }
    # the class cannot be found by name: other processes load the protocol again
    methods["__reduce__"] = lambda self: (load_protocol, (name, database), vars(self))
    kind = type(name.replace(".", "__"), (_host_class(found, name),), methods)
    audio = partial(_find_audio, found.audio)
    protocol = kind({"audio": audio, "annotated": _annotated})
    protocol.name = name
    return protocol


def _lists_of(
    found: Database, name: str, subset: str
) -> Callable[[Protocol], Iterator[ProtocolFile]]:
    """Make the method that lists the files of a subset."""
    if name.startswith(f"{META}."):
        parts = found.parts(name, subset)
    else:
        parts = [(found, name, subset)]

    def files(_: Protocol) -> Iterator[ProtocolFile]:
        for database, protocol, part in parts:
            yield from _files(database, protocol, part)

    return files


def _files(database: Database, name: str, subset: str) -> Iterator[ProtocolFile]:
    """List the files of one subset.

    pyannote.database would read the list in the encoding of the locale.
    """
    place = database.root / "database.yml"
    entries = {"scope": "file", **database.protocols[name]}
    files = dict(entries[subset])
    old_spelling = files.pop("uris", "")
    names = read_lst(resolve_path(Path(files.pop("uri", old_spelling)), place))
    loaders = gather_loaders(files, place)
    if "annotation" in loaders:
        loaders["annotation"] = partial(_load_merged, loaders["annotation"])
    common = {key: entries[key] for key in ("scope", "classes") if key in entries}
    common |= {"database": name.split(".")[0], "subset": subset}
    for recording in names.items:
        yield ProtocolFile({"uri": recording.uri, **common}, lazy=loaders)


def _host_class(database: Database, name: str) -> type[Protocol]:
    entries = database.protocols[name]
    # the host warns of unknown keys, and prints a message if there is no scope
    known = {
        key: value
        for key, value in entries.items()
        if key in ENTRIES and (isinstance(value, Keys) or key not in SUBSETS)
    }
    kind = getattr(protocol_classes, f"{name.split('.')[1]}Protocol")
    if issubclass(kind, SpeakerDiarizationProtocol):
        known.setdefault("scope", "file")
    # it knows no other root than the folder of the file
    return create_protocol(*name.split("."), known, database.root / "database.yml")


def _find_audio(templates: Mapping[str, list[str]], file: Mapping[str, Any]) -> Path:
    """Find the audio of a file by the templates of its database, see `locate_audio`.

    Raises
    ------
    FileNotFoundError
        If there is none, or more than one.
    """
    uri, database = str(file["uri"]), str(file["database"])
    known = templates.get(database, [])
    found = locate_audio(known, uri, database)
    if len(found) == 1:
        return found[0]
    among = ", ".join(map(str, found or known)) or "no template in `Databases`"
    state = "is there more than once" if found else "is missing"
    raise FileNotFoundError(f"The audio of '{uri}' {state}: {among}.")


def _load_merged(
    load: Callable[[ProtocolFile], Annotation], file: ProtocolFile
) -> Annotation:
    return merge_turns(load(file))


def merge_turns(annotation: Annotation) -> Annotation:
    """Merge overlapping turns of one speaker, which metrics would count twice.

    Parameters
    ----------
    annotation : Annotation

    Returns
    -------
    merged : Annotation
        `annotation` itself if there is no such turn.
    """
    ends: dict[Hashable, float] = {}  # of the last turn of each speaker
    for turn, _, label in annotation.itertracks(yield_label=True):  # in order of time
        if turn.start < ends.get(label, turn.start):
            return annotation.support()
        ends[label] = turn.end
    return annotation


def _annotated(file: ProtocolFile) -> Timeline | None:
    """Annotated part of a file: its UEM, or else the whole file.

    The host has None for files without UEM, and stops there when it trains.
    """
    given = abs(file).get("annotated")  # `file.get` would call this function again
    if given is not None:
        return given
    try:
        return Timeline([Segment(0, audio_info(file).duration)], uri=file["uri"])
    except (FileNotFoundError, KeyError):  # an error is raised if audio is asked for
        return None


def subset_files(protocol: Protocol, subset: str) -> list[ProtocolFile]:
    """List the files of a subset; their content is read on first access.

    Parameters
    ----------
    protocol : Protocol
    subset : {"train", "development", "test"}

    Raises
    ------
    FileNotFoundError
        If the list of recordings is missing.
    ValueError
        If the protocol has no such subset.
    """
    if subset not in SUBSETS:
        raise ValueError(
            f"`subset` should be one of {', '.join(SUBSETS)}, got '{subset}'."
        )
    try:
        return list(getattr(protocol, subset)())
    except NotImplementedError as error:
        raise ValueError(f"'{protocol.name}' has no {subset} subset.") from error
    except FileNotFoundError as error:
        raise FileNotFoundError(
            f"Subset {subset} of '{protocol.name}': {error} `pyannote-diarizen "
            f"validate {protocol.name}` lists what is missing."
        ) from error
