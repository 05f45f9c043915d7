# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Speech of single speakers, from clips or from labelled recordings."""

import warnings
from collections.abc import Iterable, Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from pyannote_diarizen.audio.reader import AudioReader, list_audio
from pyannote_diarizen.rttm import valid_text


def clips_of_speakers(
    paths: Iterable[Path], name: str | None = None
) -> list[tuple[str, Path]]:
    """Find clips of one speaker each.

    Parameters
    ----------
    paths : iterable of Path
        Clips and folders of clips. Clips in a subfolder have its name as their speaker;
        other clips have their own name, without suffix.
    name : str, optional
        Speaker of all clips. Defaults to the names of files and subfolders.

    Returns
    -------
    clips : list of (str, Path)
        Speaker and file.

    Raises
    ------
    AudioFileError
        If a path does not exist, or a folder has no audio file.
    """
    clips = []
    for path in map(Path, paths):
        for file in list_audio([path]):
            inside = file.relative_to(path).parts if path.is_dir() else (file.name,)
            found = inside[0] if len(inside) > 1 else file.stem
            speaker = found if name is None else name
            text = valid_text(speaker)
            if text != speaker:
                warnings.warn(
                    f"{speaker!r} is not text: it is called {text!r}.", stacklevel=2
                )
            clips.append((text, file))
    return clips


def read_turns(
    file: Mapping[str, Any], audio: AudioReader
) -> Iterator[tuple[str, np.ndarray]]:
    """Read the turns of a file of a protocol, without overlapped speech.

    Parameters
    ----------
    file : Mapping
        With "audio" and "annotation", limited to "annotated" if present.
    audio : AudioReader
        Reader of one channel.

    Yields
    ------
    speaker : str
        Label; database or file come before it if the "scope" of labels is not global.
    waveform : (num_samples,) np.ndarray
        float32.

    Raises
    ------
    ValueError
        If the file has no annotation.
    AudioFileError
        If the audio cannot be read.
    """
    annotation = file.get("annotation")
    if annotation is None:
        raise ValueError(f"'{file.get('uri')}' has no annotation: add its RTTM file.")
    if file.get("annotated") is not None:
        annotation = annotation.crop(file["annotated"])
    alone = annotation.extrude(annotation.get_overlap())
    waveform, sample_rate = audio(file)
    for turn, _, label in alone.itertracks(yield_label=True):
        start, end = np.rint(np.array([*turn]) * sample_rate).astype(int)
        yield _global_label(label, file), waveform[0, start:end].numpy()


def turn_excerpts(
    file: Mapping[str, Any], audio: AudioReader, duration: float, min_duration: float
) -> Iterator[tuple[str, np.ndarray]]:
    """Join the turns of each speaker of a file, and cut them into excerpts.

    Parameters
    ----------
    file, audio
        See `read_turns`.
    duration : float
        Duration of an excerpt, in seconds; the last one of a speaker is shorter.
    min_duration : float
        Minimum duration of the last excerpt, in seconds.

    Yields
    ------
    speaker : str
    waveform : (num_samples,) np.ndarray
        float32.
    """
    turns_of: dict[str, list[np.ndarray]] = {}
    for speaker, turn in read_turns(file, audio):
        turns_of.setdefault(speaker, []).append(turn)
    size = audio.get_num_samples(duration)
    min_size = audio.get_num_samples(min_duration)
    for speaker, turns in turns_of.items():
        speech = np.concatenate(turns)
        for start in range(0, len(speech), size):
            if len(speech) - start >= min_size:
                yield speaker, speech[start : start + size]


def _global_label(label: Any, file: Mapping[str, Any]) -> str:
    """Label that is unique across the files of all databases."""
    scopes = {"global": (), "database": ("database",), "file": ("database", "uri")}
    prefix = [str(file.get(key)) for key in scopes[file.get("scope", "file")]]
    return "/".join([*prefix, str(label)])
