# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Identification of speakers from log-likelihood ratios.

Bayes' rule with one hypothesis per known speaker, and one for all unknown speakers. A
voice is identified if the posterior probability of a known speaker is high enough. The
same ratios link speakers of several recordings. A *voice* is a speaker of a recording
before identification.
"""

import numpy as np
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import squareform
from scipy.special import softmax

UNKNOWN = -1


def speaker_posteriors(ratio: np.ndarray, unknown_prior: float) -> np.ndarray:
    """Posterior probability of each known speaker, and of an unknown one.

    Parameters
    ----------
    ratio : (num_voices, num_known) np.ndarray
        Log-likelihood ratio of each voice and known speaker, see
        `functional.plda.log_likelihood_ratio`.
    unknown_prior : float
        Prior probability of an unknown speaker, above 0 and below 1. Known speakers
        share the rest equally.

    Returns
    -------
    posteriors : (num_voices, num_known + 1) np.ndarray
        Rows sum to one, the last column is for an unknown speaker.

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
    # log p(voice | known) pi(known) relative to the same product for unknown
    log_odds = ratio + np.log(known_prior) - np.log(unknown_prior)
    return softmax(np.column_stack([log_odds, np.zeros(num_voices)]), axis=1)


def choose_speakers(
    posteriors: np.ndarray, min_probability: float, exclusive: bool
) -> np.ndarray:
    """Choose the speaker of each voice.

    Parameters
    ----------
    posteriors : (num_voices, num_known + 1) np.ndarray
        Result of `speaker_posteriors`.
    min_probability : float
        Lowest posterior probability of a chosen speaker.
    exclusive : bool
        Give each known speaker to one voice at most, as in one recording: the choice
        has the highest product of probabilities.

    Returns
    -------
    speakers : (num_voices,) np.ndarray of int
        Index of each voice's speaker, -1 if unknown.

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
        # (num_voices, num_known + num_voices): one column for each known speaker, and
        # one for each voice to be unknown
        places = np.hstack([known, np.repeat(unknown, num_voices, axis=1)])
        barred = np.hstack([known < min_probability, np.zeros((num_voices,) * 2, bool)])
        logs = np.log(np.maximum(places, np.finfo(float).tiny))
        # low enough to outweigh all others, finite for the solver
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
    """Group the voices of one speaker in several recordings.

    Agglomerative clustering with average linkage of log-likelihood ratios: clusters
    merge while the odds of one speaker are above 1. Voices of the same recording are
    never grouped.

    Parameters
    ----------
    ratio : (num_voices, num_voices) np.ndarray
        Log-likelihood ratio of each pair of voices, symmetric.
    recordings : (num_voices,) np.ndarray
        Recording of each voice.
    prior : float
        Prior probability that voices of two recordings are of one speaker.

    Returns
    -------
    speakers : (num_voices,) np.ndarray of int
        Speaker of each voice, numbered from 0 in the order of first appearance.

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
    # odds ratio * prior / (1 - prior) above 1, as distances from 0: highest - ratio
    threshold = ratio.max() - np.log((1 - prior) / prior)
    distances = ratio.max() - (ratio + ratio.T) / 2
    # so large that no average over clusters comes near the threshold
    distances[apart] = num_voices**2 * (1 + max(threshold, distances.max()))
    np.fill_diagonal(distances, 0)
    tree = linkage(squareform(distances, checks=False), method="average")
    clusters = fcluster(tree, threshold, criterion="distance")
    _, first, numbers = np.unique(clusters, return_index=True, return_inverse=True)
    return np.argsort(np.argsort(first))[numbers]


def check_probability(name: str, value: float) -> None:
    """Raise a `ValueError` unless a prior is above 0 and below 1."""
    if not 0 < value < 1:
        raise ValueError(f"`{name}` should be above 0 and below 1, got {value}.")
