# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Speech of labelled recordings, one speaker at a time."""

from collections.abc import Iterator, Mapping
from typing import Any

import numpy as np

from pyannote_diarizen.audio.reader import AudioReader


def read_turns(
    file: Mapping[str, Any], audio: AudioReader
) -> Iterator[tuple[str, np.ndarray]]:
    """Read the turns of a file of a protocol.

    Parameters
    ----------
    file : Mapping
        With "audio" and "annotation". What is not "annotated" is left out.
    audio : AudioReader
        To one channel.

    Yields
    ------
    speaker : str
        The label, after database or file where the "scope" of labels is not global.
    waveform : (num_samples,) np.ndarray
        float32. Speech that overlaps with other speakers is cut out.

    Raises
    ------
    ValueError
        If nobody labelled the file.
    AudioFileError
        If it cannot be read.
    """
    annotation = file.get("annotation")
    if annotation is None:
        raise ValueError(f"'{file.get('uri')}' has no annotation: who speaks when?")
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
    """Join the turns of each speaker of a file, and cut them to size.

    Parameters
    ----------
    file, audio
        See `read_turns`.
    duration : float
        Of excerpts, in seconds; the last one of a speaker is shorter.
    min_duration : float
        It is dropped if shorter than that.

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
    """Name that the same speaker has in all files, and nobody else."""
    scopes = {"global": (), "database": ("database",), "file": ("database", "uri")}
    within = [str(file.get(key)) for key in scopes[file.get("scope", "file")]]
    return "/".join([*within, str(label)])
