# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Run a pipeline on annotated files: how right it is, and how fast."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pyannote.core import Annotation

from pyannote_diarizen.audio.reader import audio_info
from pyannote_diarizen.evaluation.score import DiarizationScore, score_diarization

# Nothing of the reference: pipelines take the names of its speakers, some their number.
_SHOWN = ("uri", "audio", "waveform", "sample_rate", "channel")


@dataclass(frozen=True)
class Measurement:
    """What a pipeline made of one file.

    Parameters
    ----------
    diarization : Annotation
        Who speaks when.
    score : DiarizationScore
        Its errors.
    duration : float
        Of the audio, in seconds.
    processing_time : float
        In seconds.
    """

    diarization: Annotation
    score: DiarizationScore
    duration: float
    processing_time: float

    @property
    def real_time_factor(self) -> float:
        """Seconds of processing per second of audio."""
        return self.processing_time / self.duration


def without_reference(file: Mapping[str, Any]) -> dict[str, Any]:
    """Name and audio of a file of a protocol."""
    return {key: file[key] for key in _SHOWN if key in file}


def measure(
    pipeline: Callable[..., Any], file: Mapping[str, Any], **options: Any
) -> Measurement:
    """Diarize one annotated file, without showing the reference to the pipeline.

    Parameters
    ----------
    pipeline : callable
        Takes a file, gives an `Annotation` or has it in `speaker_diarization`.
    file : Mapping
        With keys "uri", "audio", "annotation" (reference) and "annotated" (UEM).
    options : dict
        Other keyword arguments of `pipeline`.

    Returns
    -------
    measurement : Measurement
        The diarization, its errors and the time it took.
    """
    shown = without_reference(file)
    started = time.perf_counter()
    output = pipeline(shown, **options)
    processing_time = time.perf_counter() - started
    diarization = getattr(output, "speaker_diarization", output)
    return Measurement(
        diarization=diarization,
        score=score_diarization(file["annotation"], diarization, file["annotated"]),
        duration=audio_info(file).duration,
        processing_time=processing_time,
    )
