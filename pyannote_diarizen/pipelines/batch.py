# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Many files, one after the other: a bad one does not stop the others."""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from pyannote.core import Annotation

from pyannote_diarizen.audio.reader import list_audio
from pyannote_diarizen.corpora.wav_scp import read_wav_scp
from pyannote_diarizen.errors import AudioFileError
from pyannote_diarizen.rttm import rttm_name, write_rttm

_LIST_SUFFIX = ".scp"


@dataclass(frozen=True)
class Outcome:
    """What became of one file.

    Parameters
    ----------
    file : Path
        The file.
    diarization : Annotation, optional
        Who speaks when.
    output : Any, optional
        What the pipeline gave, of which this is a part.
    error : str, optional
        Why there is no diarization; names the file.
    """

    file: Path
    diarization: Annotation | None = None
    output: Any = None
    error: str | None = None


def is_collection(path: Path) -> bool:
    """Whether `path` stands for several files: a folder, or a `wav.scp` list."""
    return path.is_dir() or (path.suffix == _LIST_SUFFIX and path.is_file())


def find_audio(paths: Iterable[Path]) -> tuple[dict[str, Path], list[Outcome]]:
    """Expand folders and lists, keeping what cannot be found apart.

    Parameters
    ----------
    paths : iterable of Path
        Files, folders of files, and lists of files as `wav.scp` of Kaldi.

    Returns
    -------
    files : dict of Path
        Each file once, however many paths lead to it, under its name in the list, or
        else one that `name_files` makes.
    missing : list of Outcome
        Paths that do not exist, folders without audio, lists that are none.

    Raises
    ------
    ValueError
        If files would have the same name.
    """
    files: dict[Path, Path] = {}
    listed: dict[str, Path] = {}
    missing = []
    for path in paths:
        try:
            if path.suffix == _LIST_SUFFIX and path.is_file():
                recordings = read_wav_scp(path)
                _refuse_shared_names(listed, recordings)
                listed.update(recordings)
            else:
                for file in list_audio([path]):
                    files.setdefault(file.resolve(), file)
        except AudioFileError as error:
            missing.append(Outcome(path, error=str(error)))
    for path in listed.values():
        files.pop(path.resolve(), None)
    named = name_files(list(files.values()))
    _refuse_shared_names(listed, named)
    return {**listed, **named}, missing


def _refuse_shared_names(some: Mapping[str, Path], others: Mapping[str, Path]) -> None:
    for name in some.keys() & others.keys():
        if some[name] != others[name]:
            raise ValueError(
                f"'{some[name]}' and '{others[name]}' would both be called '{name}': "
                "rename one of them."
            )


def name_files(files: Sequence[Path]) -> dict[str, Path]:
    """Name files after as little of their paths as tells them apart.

    Parameters
    ----------
    files : sequence of Path
        Different files.

    Returns
    -------
    names : dict of Path
        Files by name: "meeting", or "monday_meeting" if another folder has a "meeting"
        too, or "meeting.wav" if only suffixes differ. Spaces, on which RTTM separates,
        become underscores.

    Raises
    ------
    ValueError
        If underscores instead of spaces and slashes leave two names the same.

    Examples
    --------
    >>> list(name_files([Path("/a/monday/x.wav"), Path("/a/tuesday/x.wav")]))
    ['monday_x', 'tuesday_x']
    """
    paths = [file.absolute() for file in files]
    deepest = max((len(path.parts) for path in paths), default=2)
    for shown in ([path.with_suffix("") for path in paths], paths):
        for depth in range(1, deepest):
            parts = [path.parts[1:][-depth:] for path in shown]
            names = [rttm_name("_".join(part)) for part in parts]
            if len(set(names)) == len(files):
                return dict(zip(names, files, strict=True))
    raise ValueError(
        "Two files have the same name once their spaces and slashes are underscores: "
        f"rename one of {', '.join(map(str, files))}."
    )


def diarize_files(
    pipeline: Callable[..., Any],
    files: Mapping[str, Path],
    into: Path | None = None,
    channel: int | None = None,
    expected_speakers: float | None = None,
    **options: Any,
) -> Iterator[Outcome]:
    """Diarize files, writing each result as soon as it is there.

    Parameters
    ----------
    pipeline : callable
        Takes a file, gives an `Annotation` or has it in `speaker_diarization`.
    files : Mapping of Path
        By name, see `name_files`.
    into : Path, optional
        Folder to write `<name>.rttm` to.
    channel : int, optional
        Channel to diarize, from 0, instead of what the pipeline does.
    expected_speakers : float, optional
        Number of speakers that answers should be near, see `DiariZen.apply`.
    options : dict
        Other keyword arguments of `pipeline`, such as `num_speakers` or `hook`.

    Yields
    ------
    outcome : Outcome
        In the order of `files`.
    """
    for uri, path in files.items():
        file: dict[str, Any] = {"uri": uri, "audio": path}
        if channel is not None:
            file["channel"] = channel
        if expected_speakers is not None:
            file["expected_speakers"] = expected_speakers
        try:
            output = pipeline(file, **options)
            diarization = getattr(output, "speaker_diarization", output)
            if into is not None:
                write_rttm(diarization, into / f"{uri}.rttm")
        except AudioFileError as error:
            yield Outcome(path, error=str(error))
        except (OSError, ValueError, RuntimeError, MemoryError) as error:
            yield Outcome(path, error=f"'{path}' cannot be diarized: {error}")
        else:
            yield Outcome(path, diarization=diarization, output=output)
