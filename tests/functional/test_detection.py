# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Error rate, calibration and cost of scores."""

import numpy as np
import numpy.testing as npt
import pytest
from pyannote.metrics.binary_classification import det_curve

from pyannote_diarizen.functional.detection import (
    Calibration,
    equal_error_rate,
    fit_calibration,
    log_likelihood_ratio_cost,
    pairwise_equal_error_rate,
)

# -- equal error rate


def test_no_overlap_is_no_error() -> None:
    assert equal_error_rate(np.array([False, False, True]), np.array([1, 2, 3])) == 0.0


def test_reversed_scores_are_all_errors() -> None:
    assert equal_error_rate(np.array([True, True, False]), np.array([1, 2, 3])) == 1.0


def test_one_of_four_on_each_side_is_a_quarter() -> None:
    is_target = np.array([False] * 3 + [True, False] + [True] * 3)
    assert equal_error_rate(is_target, np.arange(8)) == 0.25


def test_equal_scores_are_rejected_together() -> None:
    assert equal_error_rate(np.array([True, False]), np.array([1.0, 1.0])) == 0.5


def test_agrees_with_the_host(rng: np.random.Generator) -> None:
    is_target = rng.random(4000) < 0.2
    scores = rng.standard_normal(4000) + 2 * is_target
    *_, expected = det_curve(is_target, scores)
    assert equal_error_rate(is_target, scores) == pytest.approx(expected, abs=0.002)


@pytest.mark.parametrize("value", [True, False])
def test_one_kind_of_trial_is_refused(value: bool) -> None:
    with pytest.raises(ValueError, match="targets and others"):
        equal_error_rate(np.full(3, value), np.arange(3))


def test_every_two_vectors_are_a_trial_once(rng: np.random.Generator) -> None:
    labels = rng.integers(3, size=12)
    scores = rng.standard_normal((12, 12))
    scores += scores.T
    trials = [(i, j) for i in range(12) for j in range(i)]
    expected = equal_error_rate(
        np.array([labels[i] == labels[j] for i, j in trials]),
        np.array([scores[i, j] for i, j in trials]),
    )
    assert pairwise_equal_error_rate(scores, labels) == expected


# -- calibration


@pytest.fixture
def trials(rng: np.random.Generator) -> tuple[np.ndarray, np.ndarray]:
    """Ratios of Gaussians at 1 and -1 of variance 1, many more others than targets."""
    is_target = np.arange(200000) < 40000
    return 2 * (rng.standard_normal(200000) + np.where(is_target, 1, -1)), is_target


@pytest.mark.parametrize(("scale", "offset"), [(1, 0), (4, 3), (1e-3, -0.1)])
def test_distorted_ratios_are_recovered(trials, scale: float, offset: float):
    ratio, is_target = trials
    calibration = fit_calibration(scale * ratio + offset, is_target)
    npt.assert_allclose(calibration.scale * scale, 1, atol=0.05)
    restored = calibration(scale * ratio + offset)
    npt.assert_allclose(restored, ratio, atol=0.4)
    cost = log_likelihood_ratio_cost(restored, is_target)
    assert cost == pytest.approx(log_likelihood_ratio_cost(ratio, is_target), abs=2e-3)


def test_separable_trials_are_no_certainty():
    scores = np.array([10.0, 11, 12, -10, -11, -12])
    calibration = fit_calibration(scores, scores > 0)
    # one error more in each group, as Platt has it: at odds of 4 to 1
    assert 0 < calibration(scores[0]) < calibration(scores[2]) < 3
    npt.assert_allclose(calibration.offset, 0, atol=1e-3)


def test_cost_of_what_is_known_and_of_what_misleads():
    is_target = np.array([True, False])
    assert log_likelihood_ratio_cost(np.array([50.0, -50]), is_target) < 1e-9
    assert log_likelihood_ratio_cost(np.array([-2.0, 2]), is_target) > 1


@pytest.mark.parametrize("is_target", [[True, True], [False, False]])
def test_both_kinds_of_trials_are_needed(is_target: list[bool]):
    with pytest.raises(ValueError, match="targets and others"):
        fit_calibration(np.array([0.0, 1]), np.array(is_target))


def test_scores_that_are_upside_down_are_refused():
    with pytest.raises(ValueError, match="are the labels"):
        fit_calibration(np.array([0.0, 1]), np.array([True, False]))


@pytest.mark.parametrize(("scale", "offset"), [(0, 0), (-1, 0), (1, np.nan)])
def test_what_is_no_calibration(scale: float, offset: float):
    with pytest.raises(ValueError, match="positive scale"):
        Calibration(scale, offset)
