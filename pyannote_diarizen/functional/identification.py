# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Who is who, from log-likelihood ratios: known speakers, unknown ones, and the same.

Bayes' rule over all hypotheses at once: a voice is that of one of the speakers that are
known, or of none of them. It is named if that is probable enough.
"""

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import squareform
from scipy.special import softmax

UNKNOWN = -1


def speaker_posteriors(ratio: np.ndarray, unknown_prior: float) -> np.ndarray:
    """Probability that a voice is that of each known speaker, or of nobody known.

    Parameters
    ----------
    ratio : (num_voices, num_known) np.ndarray
        Log-likelihood ratios, see `functional.plda.log_likelihood_ratio`.
    unknown_prior : float
        Probability, before listening, that a voice is unknown, above 0 and below 1. The
        rest is shared equally.

    Returns
    -------
    posteriors : (num_voices, num_known + 1) np.ndarray
        Rows sum up to one, the last column is for unknown voices.

    Raises
    ------
    ValueError
        If `unknown_prior` is out of range.

    Examples
    --------
    >>> speaker_posteriors(np.log([[8.0, 2.0]]), unknown_prior=0.5).round(2)
    array([[0.67, 0.17, 0.17]])
    """
    check_probability("unknown_prior", unknown_prior)
    num_voices, num_known = ratio.shape
    known_prior = (1 - unknown_prior) / max(num_known, 1)
    log_odds = ratio + np.log(known_prior) - np.log(unknown_prior)
    return softmax(np.column_stack([log_odds, np.zeros(num_voices)]), axis=1)


def choose_speakers(
    posteriors: np.ndarray, min_probability: float, exclusive: bool
) -> np.ndarray:
    """Decide who voices are.

    Parameters
    ----------
    posteriors : (num_voices, num_known + 1) np.ndarray
        As `speaker_posteriors` gives them.
    min_probability : float
        Less probable speakers are not named.
    exclusive : bool
        Voices are of different speakers, as those of one recording: who is most
        probable of all goes to the voice that makes everything most probable.

    Returns
    -------
    speakers : (num_voices,) np.ndarray of int
        Columns of `posteriors`, -1 where unknown.

    Examples
    --------
    >>> posteriors = np.array([[0.9, 0.0, 0.1], [0.7, 0.0, 0.3], [0.4, 0.0, 0.6]])
    >>> choose_speakers(posteriors, min_probability=0.5, exclusive=False)
    array([ 0,  0, -1])
    >>> choose_speakers(posteriors, min_probability=0.5, exclusive=True)
    array([ 0, -1, -1])
    """
    known, unknown = posteriors[:, :-1], posteriors[:, -1:]
    num_voices, num_known = known.shape
    if exclusive:
        # one place for each known speaker, and one for each unknown voice
        places = np.hstack([known, np.repeat(unknown, num_voices, axis=1)])
        barred = np.hstack([known < min_probability, np.zeros((num_voices,) * 2, bool)])
        logs = np.log(np.maximum(places, np.finfo(float).tiny))
        # enough to outweigh all others, finite as the solver needs it
        logs[barred] = -1e3 * max(num_voices, 1)
        _, chosen = linear_sum_assignment(logs, maximize=True)
        return np.where(chosen < num_known, chosen, UNKNOWN)
    if num_known == 0:
        return np.full(num_voices, UNKNOWN)
    best = known.argmax(axis=1)
    probable = known.max(axis=1) >= np.maximum(min_probability, unknown[:, 0])
    return np.where(probable, best, UNKNOWN)


def link_speakers(
    ratio: np.ndarray, recordings: np.ndarray, prior: float
) -> np.ndarray:
    """Find the same speakers in several recordings.

    Agglomerative clustering, average linkage, of log-likelihood ratios: clusters merge
    while their odds of being one speaker are above 1. Speakers of the same recording
    never meet.

    Parameters
    ----------
    ratio : (num_voices, num_voices) np.ndarray
        Log-likelihood ratio of every two, symmetric.
    recordings : (num_voices,) np.ndarray
        Where each of them is from.
    prior : float
        Probability, before listening, that speakers of two recordings are the same.

    Returns
    -------
    speakers : (num_voices,) np.ndarray of int
        Numbered from 0 in the order of their first appearance.

    Raises
    ------
    ValueError
        If `prior` is out of range.

    Examples
    --------
    >>> ratio = np.array([[0.0, 9, 8], [9, 0, 7], [8, 7, 0]])
    >>> link_speakers(ratio, np.array(["a", "b", "b"]), prior=0.1)
    array([0, 0, 1])
    """
    check_probability("prior", prior)
    num_voices = len(recordings)
    if num_voices < 2:
        return np.zeros(num_voices, dtype=int)
    apart = recordings[:, None] == recordings
    np.fill_diagonal(apart, False)
    # from 0, as distances are
    threshold = ratio.max() - np.log((1 - prior) / prior)
    distances = ratio.max() - (ratio + ratio.T) / 2
    # so much that no average over clusters comes near the threshold
    distances[apart] = num_voices**2 * (1 + max(threshold, distances.max()))
    np.fill_diagonal(distances, 0)
    tree = linkage(squareform(distances, checks=False), method="average")
    clusters = fcluster(tree, threshold, criterion="distance")
    _, first, numbers = np.unique(clusters, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[numbers]


def check_probability(name: str, value: float) -> None:
    """Raise a `ValueError` for a prior that leaves nothing to find out."""
    if not 0 < value < 1:
        raise ValueError(f"`{name}` should be above 0 and below 1, got {value}.")
