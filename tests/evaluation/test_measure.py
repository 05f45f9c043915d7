# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Quality and speed of a pipeline on one file."""

from types import SimpleNamespace

import pytest
import torch
from pyannote.core import Annotation, Segment, Timeline

from pyannote_diarizen.evaluation.measure import Measurement, measure
from pyannote_diarizen.evaluation.metrics import DiarizationScore


@pytest.fixture
def file() -> dict:
    """Two seconds during which one speaker speaks all the time."""
    reference = Annotation(uri="one")
    reference[Segment(0, 2)] = "A"
    return {
        "uri": "one",
        "waveform": torch.zeros(1, 32000),
        "sample_rate": 16000,
        "annotation": reference,
        "annotated": Timeline([Segment(0, 2)]),
    }


def half(file: dict, **options: int) -> Annotation:
    """Find the first half of the speech."""
    hypothesis = Annotation(uri=file["uri"])
    hypothesis[Segment(0, 1)] = f"SPEAKER_{options.get('num_speakers', 0)}"
    return hypothesis


def test_errors_and_duration_are_those_of_the_file(file):
    measurement = measure(half, file, num_speakers=7)
    assert measurement.score == DiarizationScore(total=2.0, missed_detection=1.0)
    assert measurement.duration == 2.0
    assert measurement.processing_time > 0
    assert measurement.diarization.labels() == ["SPEAKER_7"]


def test_real_time_factor_is_processing_time_over_duration():
    measurement = Measurement(Annotation(), DiarizationScore(), 10.0, 2.5)
    assert measurement.real_time_factor == 0.25


def test_output_of_recent_pipelines_is_understood(file):
    def pipeline(file: dict) -> SimpleNamespace:
        return SimpleNamespace(speaker_diarization=half(file))

    assert measure(pipeline, file).score.missed_detection == 1.0


def test_the_pipeline_never_sees_the_reference(file):
    shown = {}

    def pipeline(file: dict) -> Annotation:
        shown.update(file)
        return half(file)

    measure(pipeline, file)
    assert sorted(shown) == ["sample_rate", "uri", "waveform"]
