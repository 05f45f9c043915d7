# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Confidence of turns, on tones whose speakers are known."""

import pickle

import numpy as np
import numpy.testing as npt
import pytest
from pyannote.core import Annotation, Segment

from pyannote_diarizen.pipelines.turn_confidence import (
    ConfidenceCalibration,
    turn_evidence,
    turns_in,
)

CALIBRATION = {"agreement": 1.0, "margin": 0.1, "offset": -0.5}


@pytest.fixture
def output(build, conversation):
    return build()(dict(conversation), num_speakers=3)


def test_right_turns_have_more_evidence_than_wrong_ones(output, plda, reference):
    right = turn_evidence(output.features, output.speaker_diarization, plda)
    assert (right[:, 0] > 0.9).all()
    assert (right[[0, 2, 3, 4], 1] > 0).all()  # the second one is half overlapped
    # the last turn gets the speaker of the first, most of whose turns are another tone
    wrong = Annotation(uri="tones")
    for number, (segment, label) in enumerate(turns_in(output.speaker_diarization)):
        wrong[segment, number] = "SPEAKER_00" if number == 4 else label
    evidence = turn_evidence(output.features, wrong, plda)
    assert evidence[4, 1] < right[4, 1]


def test_agreement_is_a_share_of_chunks(output, plda):
    invented = output.speaker_diarization.copy()
    invented[Segment(6.3, 6.7), "x"] = "SPEAKER_00"  # a pause
    *_, in_pause = [
        row
        for (segment, _), row in zip(
            turns_in(invented),
            turn_evidence(output.features, invented, plda),
            strict=True,
        )
        if segment.start == 6.3
    ]
    assert in_pause[0] < 0.2
    evidence = turn_evidence(output.features, invented, plda)
    assert (evidence[:, 0] >= 0).all()
    assert (evidence[:, 0] <= 1).all()


def test_some_turns_of_all(output, plda):
    turns = turns_in(output.speaker_diarization)
    everything = turn_evidence(output.features, output.speaker_diarization, plda)
    some = turn_evidence(output.features, output.speaker_diarization, plda, turns[3:])
    npt.assert_array_equal(some, everything[3:])


def test_nothing_to_evaluate(output, plda):
    empty = Annotation(uri="tones")
    assert turn_evidence(output.features, empty, plda).shape == (0, 2)
    assert output.features is not None


def test_calibrated_or_not(build, output):
    diarization = output.speaker_diarization
    plain = build().turn_confidence
    assert plain.kind == "agreement of chunks"
    evidence = turn_evidence(output.features, diarization, plain.plda)
    npt.assert_array_equal(plain(output.features, diarization), evidence[:, 0])
    calibrated = build(confidence=CALIBRATION).turn_confidence
    assert calibrated.kind == "calibrated"
    logit = evidence[:, 0] + 0.1 * evidence[:, 1] - 0.5
    expected = 1 / (1 + np.exp(-logit))
    npt.assert_allclose(calibrated(output.features, diarization), expected)
    # other processes write the results
    copy = pickle.loads(pickle.dumps(calibrated))
    npt.assert_allclose(copy(output.features, diarization), expected)


@pytest.mark.parametrize(
    ("values", "message"),
    [
        ({"agrement": 1}, r"Unknown key\(s\) in `confidence`: agrement. Did you mean"),
        ({"agreement": 1, "margin": 2}, "`confidence` lacks offset"),
    ],
)
def test_wrong_calibrations(build, values, message):
    with pytest.raises(ValueError, match=message):
        build(confidence=values)
    with pytest.raises(ValueError, match=message):
        ConfidenceCalibration.of(values)
