# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Batches of files: a file that fails does not stop the others."""

import time
from collections.abc import (
    Callable,
    Collection,
    Iterable,
    Iterator,
    Mapping,
    Sequence,
)
from contextlib import ExitStack
from dataclasses import dataclass
from pathlib import Path, PurePath
from typing import Any

from pyannote.core import Annotation

from pyannote_diarizen.atomic import recording_path, write_file
from pyannote_diarizen.audio.reader import AUDIO_SUFFIXES, list_audio
from pyannote_diarizen.corpora.listings import read_wav_scp
from pyannote_diarizen.errors import AudioFileError
from pyannote_diarizen.pipelines.fetching import LocalCopies
from pyannote_diarizen.pipelines.journal import Journal
from pyannote_diarizen.remote import AnyPath, RemotePath, local_copy
from pyannote_diarizen.rttm import rttm_name, rttm_text, warn_of_rename

_LIST_SUFFIX = ".scp"

Writer = Callable[[Any, Any], "str | bytes"]
"""Maps the output of a pipeline, and its audio file, to the content of a result."""


def _write_rttm(output: Any, audio: AnyPath) -> str:
    return rttm_text(getattr(output, "speaker_diarization", output))


WRITERS: Mapping[str, Writer] = {".rttm": _write_rttm}
"""Results that are written by default, by suffix."""

ERRORS = (OSError, ValueError, RuntimeError, MemoryError)
"""Errors whose message needs no name of its type."""

FAULTS = (ArithmeticError, AssertionError, AttributeError, LookupError, TypeError)
"""Faults of pipelines, preprocessors and components of other packages."""


@dataclass(frozen=True)
class Outcome:
    """Result or error of one file.

    Parameters
    ----------
    file : Path or RemotePath
        The file.
    diarization : Annotation, optional
        Turns of speakers.
    output : Any, optional
        Output of the pipeline, which contains `diarization`.
    error : str, optional
        Message that names the file, if there is no diarization.
    """

    file: AnyPath
    diarization: Annotation | None = None
    output: Any = None
    error: str | None = None


def is_collection(path: Path) -> bool:
    """Whether `path` is a folder or a `wav.scp` list, which stand for several files."""
    return path.is_dir() or (path.suffix == _LIST_SUFFIX and path.is_file())


def find_audio(
    paths: Iterable[AnyPath],
    into: AnyPath | None = None,
    suffixes: Collection[str] = (".rttm",),
) -> tuple[dict[str, Any], list[Outcome]]:
    """Expand folders and lists of files.

    Parameters
    ----------
    paths : iterable of Path or RemotePath
        Files, folders of files, and Kaldi's lists `wav.scp`.
    into : Path or RemotePath, optional
        Folder of results.
    suffixes : collection of str, optional
        Suffixes of results.

    Returns
    -------
    files : dict of Path or RemotePath
        Each file once, by its name in a list, or else by the name that `name_files`
        gives it; `rttm_name` changes both.
    missing : list of Outcome
        Errors of paths that do not exist, folders without audio, invalid lists, and
        names that cannot be written to `into`.

    Raises
    ------
    ValueError
        If two files have the same name.
    """
    files: dict[AnyPath, AnyPath] = {}
    listed: dict[str, Path] = {}
    missing = []
    for path in paths:
        try:
            if isinstance(path, RemotePath):
                files |= {file: file for file in path.list_audio(AUDIO_SUFFIXES)}
            elif path.suffix == _LIST_SUFFIX and path.is_file():
                for name, file in read_wav_scp(path).items():
                    _refuse_shared_names(listed, {rttm_name(name): file})
                    listed[rttm_name(name)] = file
                    warn_of_rename(name, rttm_name(name))
            else:
                for file in list_audio([path]):
                    files.setdefault(file.resolve(), file)
        except (AudioFileError, OSError) as error:
            missing.append(Outcome(path, error=str(error)))
    for path in listed.values():
        files.pop(path.resolve(), None)
    named = name_files(list(files.values()))
    _refuse_shared_names(listed, named)
    found: dict[str, AnyPath] = {**listed, **named}
    if into is not None:
        missing += _remove_unwritable(found, into, suffixes)
    return found, missing


def _remove_unwritable(
    files: dict[str, AnyPath], into: AnyPath, suffixes: Collection[str]
) -> Iterator[Outcome]:
    """Remove files whose names cannot be names of results; yield their errors."""
    for name, file in list(files.items()):
        try:
            for suffix in suffixes:
                recording_path(into, name, suffix)
        except ValueError as error:
            yield Outcome(files.pop(name), error=f"'{file}' is left out. {error}")


def _refuse_shared_names(
    some: Mapping[str, AnyPath], others: Mapping[str, AnyPath]
) -> None:
    for name in some.keys() & others.keys():
        if some[name] != others[name]:
            raise ValueError(
                f"'{some[name]}' and '{others[name]}' would both be called '{name}': "
                "rename one of them."
            )


def name_files(files: Sequence[AnyPath]) -> dict[str, AnyPath]:
    """Name files after the shortest distinct ends of their paths.

    Parameters
    ----------
    files : sequence of Path or RemotePath
        Different files.

    Returns
    -------
    names : dict of Path or RemotePath
        Files by name: "meeting", or "monday_meeting" if another folder has a "meeting"
        too, or "meeting.wav" if only suffixes differ. Spaces become underscores, as
        RTTM requires.

    Raises
    ------
    ValueError
        If two names are equal after underscores replace spaces and slashes.

    Examples
    --------
    >>> list(name_files([Path("/a/monday/x.wav"), Path("/a/tuesday/x.wav")]))
    ['monday_x', 'tuesday_x']
    """
    paths: list[PurePath] = [
        file.plain if isinstance(file, RemotePath) else file.absolute()
        for file in files
    ]
    deepest = max((len(path.parts) for path in paths), default=2)
    for shown in ([path.with_suffix("") for path in paths], paths):
        for depth in range(1, deepest):
            parts = [path.parts[1:][-depth:] for path in shown]
            ends = ["_".join(part) for part in parts]
            names = [rttm_name(end) for end in ends]
            if len(set(names)) == len(files):
                for end, name in zip(ends, names, strict=True):
                    warn_of_rename(end, name)
                return dict(zip(names, files, strict=True))
    raise ValueError(
        "Two files have the same name once their spaces and slashes are underscores: "
        f"rename one of {', '.join(map(str, files))}."
    )


def make_folders(into: AnyPath | None, folders: Mapping[str, AnyPath] | None) -> None:
    """Create the folders of results: all of them, or none."""
    wanted: list[AnyPath | None] = [into, *(folders or {}).values()]
    with ExitStack() as undo:
        for folder in wanted:
            if isinstance(folder, RemotePath):
                folder.check_writable()
            elif folder is not None:
                missing = [
                    each for each in (folder, *folder.parents) if not each.exists()
                ]
                folder.mkdir(parents=True, exist_ok=True)
                for each in reversed(missing):
                    undo.callback(each.rmdir)
        undo.pop_all()


def diarize_files(
    pipeline: Callable[..., Any],
    files: Mapping[str, AnyPath],
    into: AnyPath | None = None,
    folders: Mapping[str, AnyPath] | None = None,
    **options: Any,
) -> Iterator[Outcome]:
    """Diarize files, and write the results of each at once.

    Parameters
    ----------
    pipeline : callable
        Maps a file to an `Annotation`, or to an output with `speaker_diarization`.
    files : Mapping of Path or RemotePath
        Files by name, see `name_files`.
    into : Path or RemotePath, optional
        Folder to write results to, such as `<name>.rttm`.
    folders : Mapping of Path or RemotePath, optional
        Folder of a suffix, if it is not `into`.
    **options
        See `diarize_file`.

    Yields
    ------
    outcome : Outcome
        Result or error, in the order of `files`.

    Raises
    ------
    OSError
        If a folder cannot be created, before anything runs.
    """
    make_folders(into, folders)
    keys = {name: options.pop(name, None) for name in ("channel", "expected_speakers")}
    # `DiariZen` shares batches of its networks between short files
    together = getattr(pipeline, "load_together", iter)
    with LocalCopies(files) as copies:
        described = (describe(uri, path, **keys) for uri, path in copies.items())
        for file, (uri, path) in zip(together(described), files.items(), strict=True):
            yield _diarize(pipeline, file, path, into, folders, **options)
            copies.delete(uri)


def describe(
    uri: str,
    path: AnyPath,
    channel: int | None = None,
    expected_speakers: float | None = None,
) -> dict[str, Any]:
    """Return a file for a pipeline, see `diarize_file`."""
    file: dict[str, Any] = {"uri": uri, "audio": path}
    if channel is not None:
        file["channel"] = channel
    if expected_speakers is not None:
        file["expected_speakers"] = expected_speakers
    return file


def diarize_file(
    pipeline: Callable[..., Any],
    uri: str,
    path: AnyPath,
    into: AnyPath | None = None,
    folders: Mapping[str, AnyPath] | None = None,
    channel: int | None = None,
    expected_speakers: float | None = None,
    **options: Any,
) -> Outcome:
    """Diarize a file, and write the results.

    Parameters
    ----------
    pipeline, into, folders
        See `diarize_files`.
    uri, path : str, Path or RemotePath
        Name of the file, and the file.
    channel : int, optional
        Channel to diarize, from 0. Defaults to the choice of the pipeline.
    expected_speakers : float, optional
        Number that results should be near, see `DiariZen.apply`.
    journal : Journal, optional
        Record of the files that are written to `into`.
    writers : Mapping of callable, optional
        Writers of results by suffix. Default to RTTM.
    **options
        Other keyword arguments of `pipeline`, such as `num_speakers` or `hook`.

    Returns
    -------
    outcome : Outcome
        Result or error.
    """
    file = describe(uri, path, channel, expected_speakers)
    return _diarize(pipeline, file, path, into, folders, **options)


def _diarize(
    pipeline: Callable[..., Any],
    file: Mapping[str, Any],
    path: AnyPath,
    into: AnyPath | None,
    folders: Mapping[str, AnyPath] | None,
    journal: Journal | None = None,
    writers: Mapping[str, Writer] = WRITERS,
    **options: Any,
) -> Outcome:
    """See `diarize_file`."""
    uri, started = file["uri"], time.perf_counter() - getattr(file, "seconds", 0.0)
    try:
        paths = {
            suffix: recording_path(folder, uri, suffix)
            for suffix in writers
            if (folder := (folders or {}).get(suffix, into)) is not None
        }
        with local_copy(file["audio"]) as local:
            if local is not file["audio"]:
                file = {**file, "audio": local}
            output = pipeline(file, **options)
        diarization = getattr(output, "speaker_diarization", output)
        contents = {suffix: writers[suffix](output, path) for suffix in paths}
        for suffix, content in contents.items():
            write_file(content, paths[suffix])
        if paths and journal is not None:
            journal.add(uri, path, diarization, time.perf_counter() - started)
    except AudioFileError as error:
        return Outcome(path, error=str(error))
    except (*ERRORS, *FAULTS) as error:
        kind = "" if isinstance(error, ERRORS) else f"{type(error).__name__}: "
        return Outcome(path, error=f"'{path}' cannot be diarized: {kind}{error}")
    return Outcome(path, diarization=diarization, output=output)
