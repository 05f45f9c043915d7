# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Speaker verification: error rate, calibration and cost of scores.

A trial compares two embeddings; it is a target if both are of one speaker. A PLDA takes
all variation between embeddings of a speaker for independent noise, so that its
log-likelihood ratios are too large. A scale and an offset, fitted on speakers outside
the training set, correct them. The equal error rate is computed here because
`det_curve` of pyannote.metrics averages neighbouring points of a thinned curve, which
gives 0.25 for scores that separate targets from others without any error.

References
----------
N. Brümmer, J. du Preez, "Application-independent evaluation of speaker detection",
Computer Speech and Language 20(2-3), 2006 (the cost, and logistic regression).
J. Platt, "Probabilistic outputs for support vector machines", Advances in Large Margin
Classifiers, 1999 (targets that keep separable trials from an infinite scale).
"""

from dataclasses import dataclass

import numpy as np
from scipy.optimize import minimize
from scipy.special import expit


def equal_error_rate(is_target: np.ndarray, scores: np.ndarray) -> float:
    """Error rate at the threshold where misses and false alarms have the same rate.

    Parameters
    ----------
    is_target : (num_trials,) np.ndarray
        True if both embeddings of the trial are of one speaker.
    scores : (num_trials,) np.ndarray
        Score of each trial, higher for targets.

    Returns
    -------
    rate : float
        Between 0 and 1; if no threshold makes both rates equal, their mean where they
        are nearest.

    Raises
    ------
    ValueError
        If there is no target, or nothing but targets.

    Examples
    --------
    >>> equal_error_rate(np.array([False, True, False, True]), np.array([1, 2, 3, 4]))
    0.5
    """
    is_target = np.asarray(is_target, dtype=bool)
    num_targets, num_others = map(len, _split(scores, is_target))
    order = np.argsort(scores)
    ranked = scores[order]
    # (num_trials + 1,): rates if the lowest 0, 1, 2, ... scores are rejected
    misses = np.concatenate([[0], np.cumsum(is_target[order])]) / num_targets
    rejected = np.concatenate([[0], np.cumsum(~is_target[order])]) / num_others
    # no threshold lies between equal scores
    between = np.concatenate([[True], ranked[1:] != ranked[:-1], [True]])
    misses, false_alarms = misses[between], 1 - rejected[between]
    nearest = np.argmin(np.abs(misses - false_alarms))
    return float(misses[nearest] + false_alarms[nearest]) / 2


def pairwise_equal_error_rate(scores: np.ndarray, labels: np.ndarray) -> float:
    """Equal error rate of the trials of all pairs of vectors.

    Parameters
    ----------
    scores : (num_vectors, num_vectors) np.ndarray
        Symmetric; higher if both vectors are of the same speaker.
    labels : (num_vectors,) np.ndarray
        Speaker of each vector.

    Returns
    -------
    rate : float
        Between 0 and 1.

    Raises
    ------
    ValueError
        If no speaker has two vectors, or there is one speaker only.

    Examples
    --------
    >>> scores = np.array([[9, 5, 1], [5, 9, 2], [1, 2, 9]])
    >>> pairwise_equal_error_rate(scores, np.array(["Ann", "Ann", "Bob"]))
    0.0
    """
    first, second = np.triu_indices(len(labels), k=1)
    return equal_error_rate(labels[first] == labels[second], scores[first, second])


@dataclass(frozen=True)
class Calibration:
    """Linear map from scores to log-likelihood ratios.

    Parameters
    ----------
    scale : float, optional
        Factor, above 0. Defaults to 1.
    offset : float, optional
        Added after scaling, in nats. Defaults to 0.

    Raises
    ------
    ValueError
        If one is not finite, or `scale` is not positive.

    Examples
    --------
    >>> Calibration(scale=0.5, offset=1.0)(np.array([-4.0, 2.0]))
    array([-1.,  2.])
    """

    scale: float = 1.0
    offset: float = 0.0

    def __post_init__(self) -> None:
        """Check values."""
        if not (np.isfinite([self.scale, self.offset]).all() and self.scale > 0):
            raise ValueError(
                "A calibration is a positive scale and an offset, both finite, got "
                f"{self.scale} and {self.offset}."
            )

    def __call__(self, scores: np.ndarray) -> np.ndarray:
        """Log-likelihood ratios, of the shape of `scores`."""
        return self.scale * scores + self.offset


def fit_calibration(scores: np.ndarray, is_target: np.ndarray) -> Calibration:
    """Fit by logistic regression, with the same total weight for targets and others.

    Parameters
    ----------
    scores : (num_trials,) np.ndarray
        Score of each trial, higher for targets.
    is_target : (num_trials,) np.ndarray
        True if both embeddings of the trial are of one speaker.

    Returns
    -------
    calibration : Calibration

    Raises
    ------
    ValueError
        If there is no target, or nothing but targets, or scores of targets are no
        higher than others.
    """
    targets, others = _split(scores, is_target)
    if targets.mean() <= others.mean():
        raise ValueError(
            "Scores of targets should be higher than scores of others, got "
            f"{targets.mean():.3g} and {others.mean():.3g} on average: are the labels "
            "right?"
        )
    # scores divided by their standard deviation, so that the minimiser's steps suit
    unit = np.concatenate([targets, others]).std()

    def cost(line: np.ndarray) -> tuple[float, np.ndarray]:
        total, gradient = 0.0, np.zeros(2)
        for group, sign in ((targets, 1), (others, -1)):
            # Platt's target for n trials is 1 - wrong = (n + 1) / (n + 2), not 1
            scaled, wrong = group / unit, 1 / (len(group) + 2)
            ratio = sign * (line[0] * scaled + line[1])
            slope = sign * (expit(ratio) - (1 - wrong))  # of the cost below, by score
            # cross-entropy of sigmoid(ratio) with that target
            total += np.mean(np.logaddexp(0, -ratio) + wrong * ratio)
            gradient += np.mean(slope * scaled), np.mean(slope)
        return total, gradient

    scale, offset = minimize(cost, x0=np.array([1.0, 0.0]), jac=True).x
    return Calibration(float(scale / unit), float(offset))


def log_likelihood_ratio_cost(ratio: np.ndarray, is_target: np.ndarray) -> float:
    """Cost of log-likelihood ratios over all priors (Cllr).

    Parameters
    ----------
    ratio : (num_trials,) np.ndarray
        Log-likelihood ratio of each trial, in nats.
    is_target : (num_trials,) np.ndarray
        True if both embeddings of the trial are of one speaker.

    Returns
    -------
    cost : float
        In bits: 0 if ratios are certain and right, 1 if they are all 0, above 1 if they
        are misleading.

    Raises
    ------
    ValueError
        If there is no target, or nothing but targets.

    Examples
    --------
    >>> log_likelihood_ratio_cost(np.zeros(3), np.array([True, False, False]))
    1.0
    """
    targets, others = _split(ratio, is_target)
    # mean of log(1 + 1 / ratio) over targets and of log(1 + ratio) over others
    nats = np.logaddexp(0, -targets).mean() + np.logaddexp(0, others).mean()
    return float(nats / (2 * np.log(2)))


def _split(scores: np.ndarray, is_target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores of targets and of others, neither empty."""
    is_target = np.asarray(is_target, dtype=bool)
    targets, others = scores[is_target], scores[~is_target]
    if not (len(targets) and len(others)):
        raise ValueError(
            "`is_target` should hold targets and others, got "
            f"{len(targets)} and {len(others)}."
        )
    return targets, others
