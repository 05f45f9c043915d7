# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Quality and speed of a pipeline on an annotated file."""

import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pyannote.core import Annotation

from pyannote_diarizen.audio.reader import audio_info
from pyannote_diarizen.evaluation.metrics import DiarizationScore, score_diarization
from pyannote_diarizen.pipelines.files import without_reference


@dataclass(frozen=True)
class Measurement:
    """Diarization, errors and processing time of one file.

    Parameters
    ----------
    diarization : Annotation
        Turns of speakers.
    score : DiarizationScore
        Errors of the diarization.
    duration : float
        Duration of the audio, in seconds.
    processing_time : float
        Duration of the processing, in seconds.
    """

    diarization: Annotation
    score: DiarizationScore
    duration: float
    processing_time: float

    @property
    def real_time_factor(self) -> float:
        """Seconds of processing per second of audio."""
        return self.processing_time / self.duration


def measure(
    pipeline: Callable[..., Any], file: Mapping[str, Any], **options: Any
) -> Measurement:
    """Diarize and score one annotated file, whose reference the pipeline cannot read.

    Parameters
    ----------
    pipeline : callable
        Maps a file to an `Annotation`, or to an output with `speaker_diarization`.
    file : Mapping
        File with keys "uri", "audio", "annotation" (reference) and "annotated" (UEM).
    options : dict
        Other keyword arguments of `pipeline`.

    Returns
    -------
    measurement : Measurement
        Diarization, errors and processing time.
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
