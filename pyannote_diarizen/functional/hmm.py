# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Forward-backward algorithm of a hidden Markov model with a loop probability.

At each step the state is kept with that probability, or else drawn again, independently
of the state before. So the cost of a step is proportional to the number of states, not
to its square. Everything is computed in the log domain.

References
----------
L. R. Rabiner, "A tutorial on hidden Markov models and selected applications in speech
recognition", Proceedings of the IEEE 77(2), 1989, section III.A.
"""

from dataclasses import dataclass

import numpy as np

EPSILON = 1e-8
"""Added to probabilities before their logarithm; part of VBx as published."""


@dataclass(frozen=True, eq=False)
class HiddenChain:
    """Posterior distribution of the states of a hidden Markov model.

    Attributes
    ----------
    posteriors : (num_steps, num_states) np.ndarray
        Probability of each state at each step, given all observations.
    choices : (num_states,) np.ndarray
        Expected number of times that each state was drawn.
    log_likelihood : float
        Log-likelihood of all observations.
    log_forward, log_backward : (num_steps, num_states) np.ndarray
        Logarithms of the forward and backward variables.
    """

    posteriors: np.ndarray
    choices: np.ndarray
    log_likelihood: float
    log_forward: np.ndarray
    log_backward: np.ndarray


def forward_backward(
    log_likelihoods: np.ndarray,
    loop_probability: float,
    initial: np.ndarray,
    starts: np.ndarray | None = None,
) -> HiddenChain:
    """Posterior of the states of a hidden Markov model.

    Parameters
    ----------
    log_likelihoods : (num_steps, num_states) np.ndarray
        Log-likelihood of each observation in each state.
    loop_probability : float
        Probability, between 0 and 1, that a state is kept instead of drawn again.
    initial : (num_states,) np.ndarray
        Probability of each state when it is drawn.
    starts : (num_steps,) np.ndarray of bool, optional
        Steps where a new sequence starts, independent of the one before. Defaults to
        the first step.

    Returns
    -------
    chain : HiddenChain

    Examples
    --------
    >>> log_likelihoods = np.log([[0.8, 0.2], [0.5, 0.5]])
    >>> stay = forward_backward(log_likelihoods, 0.9, np.array([0.5, 0.5]))
    >>> stay.posteriors.round(2)
    array([[0.8 , 0.2 ],
           [0.77, 0.23]])
    """
    num_steps, num_states = log_likelihoods.shape
    first = np.zeros(num_steps, dtype=bool) if starts is None else starts.copy()
    first[0] = True
    last = np.append(first[1:], True)

    log_initial = np.log(initial + EPSILON)
    log_keep = np.log(loop_probability)
    log_choose = np.log((1 - loop_probability) * initial + EPSILON)
    forward = np.empty((num_steps, num_states))
    backward = np.zeros((num_steps, num_states))
    # np.logaddexp.reduce is ten times as fast as logsumexp on arrays this small
    total = np.logaddexp.reduce

    # forward: log p(x_1 .. x_t, state), (num_states,) at each step
    for t in range(num_steps):
        arriving = log_initial
        if not first[t]:
            past = forward[t - 1]
            arriving = np.logaddexp(log_keep + past, log_choose + total(past))
        forward[t] = log_likelihoods[t] + arriving

    # backward: log p(x_t+1 .. x_T | state)
    for t in range(num_steps - 1, -1, -1):
        if not last[t]:
            future = log_likelihoods[t + 1] + backward[t + 1]
            backward[t] = np.logaddexp(log_keep + future, total(log_choose + future))

    log_past = total(forward, axis=1)  # (num_steps,): log p(x_1 .. x_t)
    sequences = np.cumsum(first) - 1
    log_evidence = log_past[last]
    normalizer = log_evidence[sequences, None]
    posteriors = np.exp(forward + backward - normalizer)

    # draws of each state: at the first step of sequences, and p(drawn at t | x) after
    inside = np.flatnonzero(~first)
    future = log_likelihoods[inside] + backward[inside] - normalizer[inside]
    weights = np.exp(log_past[inside - 1, None] + future).sum(axis=0)
    choices = (1 - loop_probability) * initial * weights
    choices += posteriors[first].sum(axis=0)
    return HiddenChain(posteriors, choices, log_evidence.sum(), forward, backward)
