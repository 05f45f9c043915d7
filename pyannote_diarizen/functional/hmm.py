# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Forward-backward algorithm in the log domain.

References
----------
L. R. Rabiner, "A tutorial on hidden Markov models and selected applications in speech
recognition", Proceedings of the IEEE 77(2), 1989, section III.A.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import logsumexp

EPSILON = 1e-8
"""Added to probabilities before their logarithm; part of VBx as published."""


@dataclass(frozen=True, eq=False)
class HiddenChain:
    """What a hidden Markov model believes about its states.

    Attributes
    ----------
    posteriors : (num_steps, num_states) np.ndarray
        Probability of each state at each step, given all observations.
    log_likelihood : float
        Log-likelihood of all observations.
    log_forward, log_backward : (num_steps, num_states) np.ndarray
        Logarithms of the forward and backward variables.
    """

    posteriors: np.ndarray
    log_likelihood: float
    log_forward: np.ndarray
    log_backward: np.ndarray


def forward_backward(
    log_likelihoods: np.ndarray, transitions: np.ndarray, initial: np.ndarray
) -> HiddenChain:
    """Posterior of the states of a hidden Markov model.

    Parameters
    ----------
    log_likelihoods : (num_steps, num_states) np.ndarray
        Log-likelihood of each observation in each state.
    transitions : (num_states, num_states) np.ndarray
        Probability of each state (column) after each state (row).
    initial : (num_states,) np.ndarray
        Probability of each state at the first step.

    Returns
    -------
    chain : HiddenChain

    Examples
    --------
    >>> chain = forward_backward(
    ...     np.log([[0.8, 0.2], [0.5, 0.5]]), np.eye(2), np.array([0.5, 0.5])
    ... )
    >>> chain.posteriors.round(3)
    array([[0.8, 0.2],
           [0.8, 0.2]])
    """
    log_transitions = np.log(transitions + EPSILON)
    forward = np.empty_like(log_likelihoods)
    backward = np.zeros_like(log_likelihoods)

    # np.logaddexp.reduce is ten times as fast as logsumexp on arrays this small
    forward[0] = log_likelihoods[0] + np.log(initial + EPSILON)
    for t in range(1, len(forward)):
        arriving = forward[t - 1][:, None] + log_transitions
        forward[t] = log_likelihoods[t] + np.logaddexp.reduce(arriving, axis=0)

    for t in range(len(backward) - 2, -1, -1):
        leaving = log_transitions + (log_likelihoods[t + 1] + backward[t + 1])
        backward[t] = np.logaddexp.reduce(leaving, axis=1)

    log_likelihood = float(logsumexp(forward[-1]))
    posteriors = np.exp(forward + backward - log_likelihood)
    return HiddenChain(posteriors, log_likelihood, forward, backward)
