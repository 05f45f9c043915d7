# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Scores that mean what they say: from log-likelihood ratios of a model to real ones.

A PLDA takes all that varies between embeddings of a speaker for independent noise, and
is surer than it may be. A scale and an offset, learnt from speakers that it was not
trained on, make its ratios those that Bayes' rule asks for.

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


@dataclass(frozen=True)
class Calibration:
    """Straight line from scores to log-likelihood ratios.

    Parameters
    ----------
    scale : float, optional
        Above 0. Defaults to 1.
    offset : float, optional
        Natural logarithm. Defaults to 0.

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
    """Fit by logistic regression, targets weighing as much as the others together.

    Parameters
    ----------
    scores : (num_trials,) np.ndarray
        The higher, the more likely a target.
    is_target : (num_trials,) np.ndarray
        Boolean.

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
            "Scores of one speaker should be higher than those of two, got "
            f"{targets.mean():.3g} and {others.mean():.3g} on average: are the labels "
            "right?"
        )
    # in units of their spread, so that a step means the same whatever the scores
    unit = np.concatenate([targets, others]).std()

    def cost(line: np.ndarray) -> tuple[float, np.ndarray]:
        total, gradient = 0.0, np.zeros(2)
        for group, sign in ((targets, 1), (others, -1)):
            scaled, wrong = group / unit, 1 / (len(group) + 2)
            ratio = sign * (line[0] * scaled + line[1])
            slope = sign * (expit(ratio) - (1 - wrong))
            total += np.mean(np.logaddexp(0, -ratio) + wrong * ratio)
            gradient += np.mean(slope * scaled), np.mean(slope)
        return total, gradient

    scale, offset = minimize(cost, x0=np.array([1.0, 0.0]), jac=True).x
    return Calibration(float(scale / unit), float(offset))


def log_likelihood_ratio_cost(ratio: np.ndarray, is_target: np.ndarray) -> float:
    """Cost of log-likelihood ratios over all priors, known as Cllr.

    Parameters
    ----------
    ratio : (num_trials,) np.ndarray
        Natural logarithm.
    is_target : (num_trials,) np.ndarray
        Boolean.

    Returns
    -------
    cost : float
        In bits: 0 if all is known for sure, 1 if nothing is told, more if misleading.

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
    nats = np.logaddexp(0, -targets).mean() + np.logaddexp(0, others).mean()
    return float(nats / (2 * np.log(2)))


def _split(scores: np.ndarray, is_target: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Scores of targets and of others, neither empty."""
    is_target = np.asarray(is_target, dtype=bool)
    targets, others = scores[is_target], scores[~is_target]
    if not (len(targets) and len(others)):
        raise ValueError(
            f"There should be targets and others, got {len(targets)} and {len(others)}."
        )
    return targets, others
