# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Significance of the difference between two systems, on the same files.

Files are the samples: errors inside a file depend on each other. Two quantities are
tested:

- the error rate of each file, by the paired t-test (with Cohen's d) and by the signed
  rank test of Wilcoxon. Each file has the same weight;
- the pooled error rate, errors of all files over their speech, by a permutation test
  and by a confidence interval of the difference. Each file has the weight of its
  speech.

References
----------
W. G. Cochran, "Sampling techniques", 3rd edition, 1977, section 2.11 (ratio
estimate). S. Holm, "A simple sequentially rejective multiple test procedure",
Scandinavian Journal of Statistics, 1979.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from scipy import stats

NUM_RESAMPLES = 9999
"""Permutations, if not all are tried."""

CONFIDENCE = 0.95
"""Probability that intervals are made for."""


@dataclass(frozen=True)
class Significance:
    """Difference of two systems, first minus second.

    Parameters
    ----------
    difference : float
        Of pooled error rates.
    interval : (float, float)
        Confidence interval of the difference.
    p_permutation, p_t, p_wilcoxon : float
        Probabilities of a difference at least as large, if systems do not differ.
    cohen_d : float
        Mean over standard deviation of the differences between error rates of files; 0
        if no file differs.
    num_files : int
    """

    difference: float
    interval: tuple[float, float]
    p_permutation: float
    p_t: float
    p_wilcoxon: float
    cohen_d: float
    num_files: int


def compare_errors(
    first: np.ndarray, second: np.ndarray, total: np.ndarray, seed: int = 0
) -> Significance:
    """Compare two systems on the same files.

    Parameters
    ----------
    first, second : (num_files,) np.ndarray
        Seconds of error of each system.
    total : (num_files,) np.ndarray
        Seconds of speech in the reference.
    seed : int, optional
        Seed of permutations.

    Raises
    ------
    ValueError
        If there are less than two files, or no speech.

    Examples
    --------
    >>> found = compare_errors(np.arange(20.0), np.arange(20.0) + 1, np.full(20, 60.0))
    >>> round(found.difference, 4), found.p_permutation < 0.001
    (-0.0167, True)
    """
    if len(total) < 2 or total.sum() <= 0:
        raise ValueError(
            "Tests need two files or more, with speech in the reference; got "
            f"{len(total)} with {total.sum():.0f} s."
        )
    # without speech, any error is an error rate of 1, as in `DiarizationScore`
    rates = [
        np.divide(errors, total, out=(errors > 0).astype(float), where=total > 0)
        for errors in (first, second)
    ]
    differences = rates[0] - rates[1]  # (num_files,)
    p_t, p_wilcoxon, cohen_d = 1.0, 1.0, 0.0
    if differences.any():
        p_wilcoxon = float(stats.wilcoxon(differences).pvalue)
        p_t, cohen_d = _paired_t(differences)
    return Significance(
        difference=float((first.sum() - second.sum()) / total.sum()),
        interval=pooled_interval(first - second, total),
        p_permutation=_permutation_test(first - second, seed),
        p_t=p_t,
        p_wilcoxon=p_wilcoxon,
        cohen_d=cohen_d,
        num_files=len(total),
    )


def _paired_t(differences: np.ndarray) -> tuple[float, float]:
    """Return the p-value of the t-test, and Cohen's d of paired samples."""
    deviation = float(differences.std(ddof=1))
    mean = float(differences.mean())
    if deviation <= 1e-12 * abs(mean):  # all differences are equal
        return 0.0, float(np.copysign(np.inf, mean))
    return float(stats.ttest_1samp(differences, 0.0).pvalue), mean / deviation


def _permutation_test(differences: np.ndarray, seed: int) -> float:
    """Return the p-value of a test that exchanges both systems in random files.

    An exchange changes the sign of the difference of a file, and leaves the speech as
    it is: the sum of differences is the pooled error rate times a constant.
    """
    result = stats.permutation_test(
        (differences,),
        np.sum,
        permutation_type="samples",
        vectorized=True,
        n_resamples=NUM_RESAMPLES,
        rng=np.random.default_rng(seed),
    )
    return float(result.pvalue)


def pooled_interval(errors: np.ndarray, total: np.ndarray) -> tuple[float, float]:
    """Compute the confidence interval of a pooled rate, or of a difference of rates.

    The rate R = sum(x) / sum(y) is a ratio of sums over n files. Its variance is that
    of the residuals x - R y, by linearization; Student's t with n - 1 degrees of
    freedom allows for few files, which percentiles of the bootstrap do not.

    Parameters
    ----------
    errors, total : (num_files,) np.ndarray
        x and y, in seconds.

    Returns
    -------
    interval : (float, float)
        Lower and upper limit.

    Examples
    --------
    >>> low, high = pooled_interval(np.array([1.0, 2, 3]), np.full(3, 10.0))
    >>> round(low, 3), round(high, 3)
    (-0.048, 0.448)
    """
    num_files, speech = len(total), max(float(total.sum()), 1e-9)
    rate = float(errors.sum()) / speech
    residuals = errors - rate * total  # (num_files,), of mean zero
    # Cochran 1977, equation 2.46, without the correction for finite populations
    variance = num_files / (num_files - 1) * np.square(residuals).sum() / speech**2
    half = float(stats.t.ppf((1 + CONFIDENCE) / 2, num_files - 1) * np.sqrt(variance))
    return rate - half, rate + half


def holm(p_values: Sequence[float]) -> list[float]:
    """Adjust p-values of several tests by the method of Holm.

    The probability that any true hypothesis is rejected stays below the level. The
    smallest p-value is multiplied by the number of tests, the next by one less, ...;
    none may be below the one before it.

    Examples
    --------
    >>> holm([0.01, 0.04, 0.03])
    [0.03, 0.06, 0.06]
    """
    adjusted = np.empty(len(p_values))
    highest = 0.0
    for rank, index in enumerate(np.argsort(p_values, kind="stable")):
        highest = max(highest, min((len(p_values) - rank) * p_values[index], 1.0))
        adjusted[index] = highest
    return adjusted.tolist()
