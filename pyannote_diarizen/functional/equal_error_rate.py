# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Equal error rate of scores that should tell targets from others.

The host's `det_curve` averages neighbouring points of a thinned curve, which gives 0.25
when targets and others are separated without any error.
"""

import numpy as np


def equal_error_rate(is_target: np.ndarray, scores: np.ndarray) -> float:
    """Rate at the threshold where misses are as frequent as false alarms.

    Parameters
    ----------
    is_target : (num_trials,) np.ndarray
        Boolean.
    scores : (num_trials,) np.ndarray
        The higher, the more likely a target.

    Returns
    -------
    rate : float
        Between 0 and 1; where no threshold makes both rates equal, their mean where
        they are nearest.

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
    num_targets = int(is_target.sum())
    num_others = is_target.size - num_targets
    if num_targets == 0 or num_others == 0:
        raise ValueError(
            "`is_target` should hold targets and others, got "
            f"{num_targets} and {num_others}."
        )
    order = np.argsort(scores)
    ranked = scores[order]
    # rejecting the lowest scores, 0, 1, 2, ... of them, equal scores at once
    misses = np.concatenate([[0], np.cumsum(is_target[order])]) / num_targets
    rejected = np.concatenate([[0], np.cumsum(~is_target[order])]) / num_others
    between = np.concatenate([[True], ranked[1:] != ranked[:-1], [True]])
    misses, false_alarms = misses[between], 1 - rejected[between]
    nearest = np.argmin(np.abs(misses - false_alarms))
    return float(misses[nearest] + false_alarms[nearest]) / 2


def pairwise_equal_error_rate(scores: np.ndarray, labels: np.ndarray) -> float:
    """Equal error rate when every two vectors are a trial.

    Parameters
    ----------
    scores : (num_vectors, num_vectors) np.ndarray
        Symmetric; the higher, the more likely that both are of the same speaker.
    labels : (num_vectors,) np.ndarray
        Their speakers.

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
