# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Paired tests: cases by hand, laws, and rates of false positives."""

import numpy as np
import pytest
from scipy import stats

from pyannote_diarizen.functional import significance
from pyannote_diarizen.functional.significance import (
    compare_errors,
    holm,
    pooled_interval,
)


@pytest.fixture
def few_resamples(monkeypatch):
    monkeypatch.setattr(significance, "NUM_RESAMPLES", 499)


def draw(rng: np.random.Generator, num_files: int, gain: float = 0.0):
    """Errors of two systems, which depend on the file, and seconds of speech."""
    total = rng.gamma(4, 100, num_files)
    difficulty = rng.gamma(2, 0.07, num_files)
    first, second = (difficulty + rng.gamma(2, 0.03, num_files) for _ in range(2))
    return (first + gain) * total, second * total, total


@pytest.mark.usefixtures("few_resamples")
def test_a_gain_on_all_files_is_found(rng):
    found = compare_errors(*draw(rng, 40, gain=0.08))
    assert found.difference == pytest.approx(0.08, abs=0.03)
    low, high = found.interval
    assert 0 < low < found.difference < high
    assert max(found.p_permutation, found.p_t, found.p_wilcoxon) < 0.01
    assert found.cohen_d > 0.5


@pytest.mark.usefixtures("few_resamples")
def test_the_order_of_systems_changes_signs_only(rng):
    first, second, total = draw(rng, 20)
    one = compare_errors(first, second, total)
    two = compare_errors(second, first, total)
    assert one.difference == -two.difference
    assert one.cohen_d == -two.cohen_d
    np.testing.assert_allclose(one.interval, [-x for x in reversed(two.interval)])
    assert one.p_t == two.p_t
    assert one.p_permutation == pytest.approx(two.p_permutation, abs=1e-9)


@pytest.mark.usefixtures("few_resamples")
def test_equal_systems_do_not_differ():
    errors = np.array([1.0, 2.0, 3.0])
    found = compare_errors(errors, errors, np.full(3, 10.0))
    assert found.interval == (0.0, 0.0)
    assert (found.p_permutation, found.p_t, found.p_wilcoxon) == (1.0, 1.0, 1.0)
    assert (found.difference, found.cohen_d) == (0.0, 0.0)


def test_few_files_are_permuted_exhaustively():
    # of 2^4 assignments of signs, two are as extreme
    found = compare_errors(np.arange(1.0, 5), np.zeros(4), np.full(4, 10.0))
    assert found.p_permutation == pytest.approx(2 / 16)


def test_t_and_wilcoxon_are_those_of_scipy_on_error_rates(rng):
    first, second, total = draw(rng, 15)
    found = compare_errors(first, second, total)
    expected = stats.ttest_rel(first / total, second / total)
    assert found.p_t == pytest.approx(expected.pvalue)
    assert found.cohen_d == pytest.approx(expected.statistic / np.sqrt(15))
    expected = stats.wilcoxon(first / total, second / total)
    assert found.p_wilcoxon == pytest.approx(expected.pvalue)


def test_pooled_rates_weigh_files_by_speech():
    found = pooled_interval(np.array([1.0, 0.0]), np.array([1.0, 1e9]))
    assert found == pytest.approx((0.0, 0.0), abs=1e-7)
    # of equal speech, it is that of the mean
    rates = np.array([0.1, 0.4, 0.2, 0.2])
    expected = stats.ttest_1samp(rates, 0).confidence_interval(0.95)
    assert pooled_interval(10 * rates, np.full(4, 10.0)) == pytest.approx(expected)
    low, high = pooled_interval(np.full(30, 0.2), np.full(30, 2.0))
    assert (low, high) == pytest.approx((0.1, 0.1))


@pytest.mark.parametrize("total", [np.ones(1), np.zeros(3)])
def test_too_little_is_an_error(total):
    with pytest.raises(ValueError, match="two files or more, with speech"):
        compare_errors(total, total, total)


def test_holm_by_hand():
    assert holm([]) == []
    assert holm([0.5]) == [0.5]
    assert holm([0.02, 0.9, 0.02, 0.9]) == pytest.approx([0.08, 1.0, 0.08, 1.0])


def test_the_interval_keeps_its_level_with_few_files(rng):
    """On 10 files, percentiles of the bootstrap leave out zero in 11 % of cases."""
    outside = 0
    for _ in range(1000):
        first, second, total = draw(rng, 10)
        low, high = pooled_interval(first - second, total)
        outside += not low <= 0 <= high
    low, high = stats.binom(1000, 0.05).interval(0.99)
    assert low <= outside <= high, outside


@pytest.mark.slow
def test_one_in_twenty_equal_systems_differs_at_five_percent(rng):
    """Simulated pairs of equal systems on 40 files; interval of a binomial."""
    significance.NUM_RESAMPLES, before = 999, significance.NUM_RESAMPLES
    counts = dict.fromkeys(("p_permutation", "p_t", "p_wilcoxon", "interval"), 0)
    for _ in range(1000):
        found = compare_errors(*draw(rng, 40))
        for name in ("p_permutation", "p_t", "p_wilcoxon"):
            counts[name] += getattr(found, name) <= 0.05
        low, high = found.interval
        counts["interval"] += not low <= 0 <= high
    significance.NUM_RESAMPLES = before
    low, high = stats.binom(1000, 0.05).interval(0.99)
    assert all(low <= count <= high for count in counts.values()), counts
