# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Calibration gives back the ratios that scores were made of."""

import numpy as np
import numpy.testing as npt
import pytest

from pyannote_diarizen.functional.calibration import (
    Calibration,
    fit_calibration,
    log_likelihood_ratio_cost,
)


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
