# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Metrics with values that one can check by hand."""

import numpy as np
import pytest
from pyannote.core import Annotation, Segment, Timeline

from pyannote_diarizen.clustering.plda import PLDA
from pyannote_diarizen.evaluation import metrics
from pyannote_diarizen.evaluation.metrics import (
    DiarizationScore,
    SpeakerCountError,
    equal_error_rates,
    score_diarization,
)


def annotation(*turns: tuple[float, float, str]) -> Annotation:
    """Annotation of (start, end, speaker) turns."""
    result = Annotation(uri="file")
    for track, (start, end, speaker) in enumerate(turns):
        result[Segment(start, end), track] = speaker
    return result


ANNOTATED = Timeline([Segment(0, 10)])


def test_names_of_speakers_do_not_matter():
    score = score_diarization(
        annotation((0, 4, "A"), (4, 10, "B")),
        annotation((0, 4, "x"), (4, 10, "y")),
        ANNOTATED,
    )
    assert score == DiarizationScore(total=10.0)
    assert score.error_rate == 0.0


def test_a_speaker_who_overlaps_with_himself_counts_once():
    twice = annotation((0, 4, "A"), (2, 6, "A"), (5, 8, "B"))
    once = annotation((0, 6, "x"), (5, 8, "y"))
    expected = DiarizationScore(total=9.0)
    assert score_diarization(twice, once, ANNOTATED) == expected
    assert score_diarization(once, twice, ANNOTATED) == expected


def test_each_kind_of_error_is_counted():
    score = score_diarization(
        annotation((0, 4, "A"), (4, 8, "B")),
        # one second missed, one second of B assigned to A, one second of false alarm
        annotation((1, 5, "x"), (5, 9, "y")),
        ANNOTATED,
    )
    assert score == DiarizationScore(8.0, 1.0, 1.0, 1.0)
    assert score.error_rate == pytest.approx(3 / 8)


def test_overlap_is_scored_and_borders_are_not_forgiven():
    reference = annotation((0, 4, "A"), (2, 4, "B"))
    score = score_diarization(reference, annotation((0.0, 3.9, "x")), ANNOTATED)
    assert score.total == pytest.approx(6.0)
    assert score.missed_detection == pytest.approx(2.1)


def test_only_the_annotated_part_is_scored():
    hypothesis = annotation((0, 4, "x"), (8, 20, "x"))
    score = score_diarization(
        annotation((0, 4, "A")), hypothesis, Timeline([Segment(0, 6)])
    )
    assert score.error == 0.0


def test_files_weigh_their_speech():
    pooled = DiarizationScore(30.0, missed_detection=3.0) + DiarizationScore(
        10.0, confusion=5.0
    )
    assert pooled.error_rate == pytest.approx(8 / 40)
    assert pooled.share(pooled.confusion) == pytest.approx(5 / 40)


@pytest.mark.parametrize(("false_alarm", "rate"), [(0.0, 0.0), (2.0, 1.0)])
def test_a_reference_without_speech_has_a_rate_too(false_alarm, rate):
    assert DiarizationScore(false_alarm=false_alarm).error_rate == rate


def speech(*labels: str) -> Annotation:
    """One second of each speaker, one after the other."""
    annotation = Annotation()
    for start, label in enumerate(labels):
        annotation[Segment(start, start + 1)] = label
    return annotation


def test_too_many_and_too_few_count_alike():
    metric = SpeakerCountError()
    assert abs(metric) == 0
    assert metric(speech("a", "b"), speech("x", "y", "z")) == 1
    assert metric(speech("a", "b"), speech("x")) == 1
    assert metric(speech("a", "b"), speech("x", "y")) == 0
    assert abs(metric) == pytest.approx(2 / 3)


def test_only_speakers_of_the_annotated_part_count():
    annotated = Timeline([Segment(0, 2)])
    metric = SpeakerCountError()
    assert metric(speech("a", "b", "c"), speech("x", "y"), uem=annotated) == 0
    assert metric(speech("a", "b"), speech("x", "x", "y"), uem=annotated) == 1


NOISE = np.array([0.2, 0.2, 0.2, 0.2, 3, 3, 3, 3])


def draw(
    rng: np.random.Generator, num_speakers: int, num_each: int
) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings with more noise in half of their dimensions."""
    labels = np.repeat(np.arange(num_speakers), num_each)
    speakers = rng.standard_normal((num_speakers, 8))
    return speakers[labels] + rng.standard_normal((len(labels), 8)) * NOISE, labels


def test_plda_ignores_noisy_dimensions(rng: np.random.Generator):
    rates = equal_error_rates(PLDA.fit(*draw(rng, 60, 5)), *draw(rng, 30, 5))
    assert list(rates) == ["cosine", "PLDA"]
    assert rates["PLDA"] < 0.1
    assert rates["cosine"] > 0.3


def test_many_embeddings_are_subsampled(rng: np.random.Generator, monkeypatch):
    plda, trials = PLDA.fit(*draw(rng, 60, 5)), draw(rng, 60, 5)
    everything = equal_error_rates(plda, *trials)
    monkeypatch.setattr(metrics, "MAX_EMBEDDINGS", 150)
    some = equal_error_rates(plda, *trials)
    assert some != everything
    assert some == equal_error_rates(plda, *trials)
    assert some["cosine"] == pytest.approx(everything["cosine"], abs=0.05)
