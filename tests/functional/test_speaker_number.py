# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Number of speakers of highest evidence, within bounds and with a prior."""

from dataclasses import replace

import numpy as np
import numpy.testing as npt
import pytest
from drawn_speakers import EQUAL, PHI, draw, same_partition

from pyannote_diarizen.functional.speaker_number import (
    NumSpeakersPrior,
    settle_num_speakers,
)
from pyannote_diarizen.functional.vbx import VBxModel, smooth_labels


@pytest.fixture
def model(rng: np.random.Generator) -> VBxModel:
    return VBxModel(draw(EQUAL, rng), PHI, Fa=0.5, Fb=1.0)


def test_right_number_keeps_the_posterior(model):
    posterior = model.fit(smooth_labels(EQUAL))
    assert settle_num_speakers(model, posterior, 2, 5) is posterior
    prior = NumSpeakersPrior()
    assert settle_num_speakers(model, posterior, 2, 5, prior) is posterior


@pytest.mark.parametrize(("fewest", "most", "expected"), [(6, 9, 6), (1, 3, 3)])
def test_bounds(model, fewest, most, expected):
    posterior = model.fit(smooth_labels(EQUAL))
    settled = settle_num_speakers(model, posterior, fewest, most)
    assert len(settled.priors) == settled.responsibilities.shape[1] == expected


@pytest.mark.parametrize("start", [EQUAL // 2, np.zeros_like(EQUAL), np.arange(80) % 9])
@pytest.mark.parametrize("operating_point", [(0.5, 1.0), (0.22, 13.9)])
def test_evidence_finds_the_number_from_any_start(model, start, operating_point):
    Fa, Fb = operating_point  # noqa: N806
    model = replace(model, Fa=Fa, Fb=Fb)
    wrong = model.certain(start)
    settled = settle_num_speakers(model, wrong, 1, 80, NumSpeakersPrior())
    assert same_partition(settled.labels, EQUAL)
    assert len(settled.priors) == 4


def test_prior_corrects_a_wrong_start_where_the_evidence_agrees(model):
    wrong = model.certain(EQUAL // 2)
    settled = settle_num_speakers(model, wrong, 1, 80, NumSpeakersPrior(6, weight=0.1))
    assert same_partition(settled.labels, EQUAL)


def test_prior_leads_past_numbers_that_the_start_would_not_leave(model):
    wrong = model.certain(4 * EQUAL + np.arange(80) % 4)  # 16 speakers
    settled = settle_num_speakers(model, wrong, 1, 80, NumSpeakersPrior(2, weight=0.02))
    assert same_partition(settled.labels, EQUAL)


@pytest.mark.parametrize(("weight", "expected"), [(0.01, 4), (100.0, 7)])
def test_weight_of_the_prior(model, weight, expected):
    posterior = model.fit(smooth_labels(EQUAL))
    prior = NumSpeakersPrior(7, weight)
    settled = settle_num_speakers(model, posterior, 1, 80, prior)
    assert len(settled.priors) == expected


def test_bounds_outweigh_the_prior(model):
    posterior = model.fit(smooth_labels(EQUAL))
    prior = NumSpeakersPrior(9, 100.0)
    assert len(settle_num_speakers(model, posterior, 1, 5, prior).priors) == 5


def test_prior_by_hand():
    prior = NumSpeakersPrior(4, weight=0.5).log_prior(np.array([2, 4, 8]), 10)
    npt.assert_allclose(prior, [-5 * np.log(2) ** 2, 0, -5 * np.log(2) ** 2])
    npt.assert_array_equal(NumSpeakersPrior().log_prior(np.array([1, 2]), 10), 0)


def test_zero_speakers_cannot_be_expected():
    with pytest.raises(ValueError, match="above 0, got 0"):
        NumSpeakersPrior(0)
