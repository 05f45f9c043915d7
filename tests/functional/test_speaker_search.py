# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
from dataclasses import replace

import numpy as np
import numpy.testing as npt
import pytest

from pyannote_diarizen.functional.speaker_search import (
    CountPrior,
    separation,
    settle_number,
    weigh_numbers,
)
from pyannote_diarizen.functional.vbx import smooth_labels
from pyannote_diarizen.functional.vbx_model import VBxModel

PHI = np.linspace(8, 1, 6)
TRUTH = np.repeat(np.arange(4), 20)


@pytest.fixture
def model(rng: np.random.Generator) -> VBxModel:
    speakers = 3 * rng.standard_normal((4, 6)) * np.sqrt(PHI)
    return VBxModel(speakers[TRUTH] + rng.standard_normal((80, 6)), PHI, Fa=0.5, Fb=1.0)


def test_right_number_is_left_alone(model):
    posterior = model.fit(smooth_labels(TRUTH))
    assert settle_number(model, posterior, 2, 5) is posterior
    assert settle_number(model, posterior, 2, 5, CountPrior()) is posterior


@pytest.mark.parametrize(("fewest", "most", "expected"), [(6, 9, 6), (1, 3, 3)])
def test_bounds(model, fewest, most, expected):
    posterior = model.fit(smooth_labels(TRUTH))
    settled = settle_number(model, posterior, fewest, most)
    assert len(settled.priors) == settled.responsibilities.shape[1] == expected


@pytest.mark.parametrize("start", [TRUTH // 2, np.zeros_like(TRUTH), np.arange(80) % 9])
def test_evidence_finds_the_number_wherever_it_starts(model, start):
    wrong = model.certain(np.eye(start.max() + 1)[start])
    settled = settle_number(model, wrong, 1, 80, CountPrior())
    found = settled.responsibilities.argmax(axis=1)
    assert len({*zip(found, TRUTH, strict=True)}) == 4 == len(settled.priors)


def test_operating_point_is_no_matter_of_evidence(model):
    strict = replace(model, Fa=0.22, Fb=13.9)
    posterior = model.certain(np.eye(4)[TRUTH])
    counts = range(1, 7)
    expected = weigh_numbers(model, posterior, counts)
    assert weigh_numbers(strict, posterior, counts) == expected


def test_prior_undoes_a_wrong_start_where_the_evidence_agrees(model):
    wrong = model.fit(smooth_labels(TRUTH // 2))
    assert len(wrong.priors) == 2
    settled = settle_number(model, wrong, 1, 80, CountPrior(6, weight=0.1))
    found = settled.responsibilities.argmax(axis=1)
    pairs, sizes = np.unique(np.stack([found, TRUTH]), axis=1, return_counts=True)
    assert len(settled.priors) == 4
    assert len({*pairs[0, sizes > 15]}) == len({*pairs[1, sizes > 15]}) == 4


@pytest.mark.parametrize(("weight", "expected"), [(0.01, 4), (100.0, 7)])
def test_prior_is_as_strong_as_it_is_said_to_be(model, weight, expected):
    posterior = model.fit(smooth_labels(TRUTH))
    settled = settle_number(model, posterior, 1, 80, CountPrior(7, weight))
    assert len(settled.priors) == expected


def test_prior_yields_to_bounds(model):
    posterior = model.fit(smooth_labels(TRUTH))
    settled = settle_number(model, posterior, 1, 5, CountPrior(9, 100.0))
    assert len(settled.priors) == 5


def test_prior_by_hand():
    prior = CountPrior(4, weight=0.5).log_prior(np.array([2, 4, 8]), 10)
    npt.assert_allclose(prior, [-5 * np.log(2) ** 2, 0, -5 * np.log(2) ** 2])
    npt.assert_array_equal(CountPrior().log_prior(np.array([1, 2]), 10), 0)


def test_nobody_expects_no_speaker():
    with pytest.raises(ValueError, match="above 0, got 0"):
        CountPrior(0)


@pytest.mark.parametrize("start", [TRUTH, TRUTH // 2, np.zeros_like(TRUTH)])
def test_bound_peaks_at_the_truth_wherever_it_starts(model, start):
    bounds = weigh_numbers(model, model.fit(smooth_labels(start)), [7, 1, 2, 3, 4, 5])
    assert list(bounds) == [1, 2, 3, 4, 5, 7]
    assert max(bounds, key=bounds.__getitem__) == 4


def test_separation_is_low_for_halves_of_a_speaker(model):
    halves = np.where(np.arange(80) < 10, 4, TRUTH)
    odds = separation(model, model.certain(np.eye(5)[halves]))
    assert odds[0] == odds[4] < 1 < odds[1:4].min()


def test_who_is_nowhere_the_likeliest_is_not_separate(model):
    responsibilities = np.eye(5)[TRUTH]
    odds = separation(model, model.certain(responsibilities + 0.01))
    assert odds[4] == 0
    assert (odds[:4] > 0).all()
