# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import numpy as np
import pytest
from pyannote.metrics.binary_classification import det_curve

from pyannote_diarizen.functional.equal_error_rate import (
    equal_error_rate,
    pairwise_equal_error_rate,
)


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
