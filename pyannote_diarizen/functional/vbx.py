# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""VBx: Bayesian clustering of embeddings in the PLDA space.

Embeddings are rows, centred and scaled so that the within-speaker covariance is the
identity and the between-speaker covariance is diagonal (`phi`). Each speaker has a
Gaussian posterior mean with diagonal covariance; each embedding has a probability of
belonging to each speaker (`responsibilities`). Speakers that the data do not need see
their prior vanish, which is how VBx counts speakers.

Two priors on the order of embeddings exist: none at all (a mixture, the form that
pyannote.audio and DiariZen use), or a hidden Markov model that stays with the same
speaker with probability `loop_probability`. Everything is computed in float64.

References
----------
F. Landini, J. Profant, M. Diez, L. Burget, "Bayesian HMM clustering of x-vector
sequences (VBx) in speaker diarization: theory, implementation and analysis on standard
tasks", Computer Speech & Language 71, 2022. Numbers in parentheses are its equations;
symbols are its symbols: `rho` are scaled embeddings, `alpha` and `invL` the means and
variances of the speakers' posteriors, `gamma` the responsibilities, `pi` the priors.
"""

from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from pyannote_diarizen.functional.hmm import EPSILON, forward_backward


@dataclass(frozen=True, eq=False)
class VBxPosterior:
    """What VBx believes once it has stopped.

    Attributes
    ----------
    responsibilities : (num_embeddings, num_speakers) np.ndarray
        Probability that each embedding belongs to each speaker; rows sum to one.
    priors : (num_speakers,) np.ndarray
        Share of each speaker; close to zero for those that were not needed.
    speaker_means : (num_speakers, dimension) np.ndarray
        Posterior means of the speakers (`alpha`).
    speaker_variances : (num_speakers, dimension) np.ndarray
        Posterior variances of the speakers (`invL`), at most 1.
    elbo : (num_iterations,) np.ndarray
        Evidence lower bound after each iteration.
    """

    responsibilities: np.ndarray
    priors: np.ndarray
    speaker_means: np.ndarray
    speaker_variances: np.ndarray
    elbo: np.ndarray


def smooth_labels(labels: np.ndarray, smoothing: float = 7.0) -> np.ndarray:
    """Responsibilities that favour a first clustering without believing it blindly.

    Parameters
    ----------
    labels : (num_embeddings,) np.ndarray of int
        Clusters, numbered from 0.
    smoothing : float, optional
        Log-odds in favour of the given cluster against any other one. Negative means
        certainty (one-hot responsibilities).

    Returns
    -------
    responsibilities : (num_embeddings, num_clusters) np.ndarray
        Rows sum to one.

    Examples
    --------
    >>> smooth_labels(np.array([0, 1, 1]), smoothing=-1)
    array([[1., 0.],
           [0., 1.],
           [0., 1.]])
    """
    certain, num_clusters = smoothing < 0, np.max(labels) + 1
    of_first = np.eye(1, num_clusters)[0]
    weights = of_first if certain else softmax(smoothing * of_first)
    responsibilities = np.full((len(labels), num_clusters), weights[-1])
    responsibilities[np.arange(len(labels)), labels] = weights[0]
    return responsibilities


def vbx(
    embeddings: np.ndarray,
    phi: np.ndarray,
    responsibilities: np.ndarray,
    *,
    Fa: float,
    Fb: float,
    priors: np.ndarray | None = None,
    speaker_models: tuple[np.ndarray, np.ndarray] | None = None,
    loop_probability: float = 0.0,
    starts: np.ndarray | None = None,
    max_iterations: int = 20,
    epsilon: float = 1e-4,
) -> VBxPosterior:
    """Refine responsibilities until the evidence lower bound stops growing.

    Parameters
    ----------
    embeddings : (num_embeddings, dimension) np.ndarray
        Embeddings in the PLDA space, in order of time when `loop_probability` is used.
    phi : (dimension,) np.ndarray
        Variances between speakers, where the variance within a speaker is 1.
    responsibilities : (num_embeddings, num_speakers) np.ndarray
        Where to start from, for instance `smooth_labels` of another clustering.
    Fa : float
        Weight of the embeddings; below 1 since neighbouring ones are not independent.
    Fb : float
        Weight of the prior on speakers: the higher, the fewer speakers survive.
    priors : (num_speakers,) np.ndarray, optional
        Share of each speaker to start from. Defaults to equal shares.
    speaker_models : pair of (num_speakers, dimension) np.ndarray, optional
        Posterior means and variances of a previous call, to be used by the first
        iteration instead of those that `responsibilities` imply.
    loop_probability : float, optional
        Probability in [0, 1) that the next embedding is tied to the speaker of this
        one. Defaults to 0: the order of embeddings does not matter.
    starts : (num_embeddings,) np.ndarray of bool, optional
        Embeddings that are tied to no previous one, for instance because they follow a
        pause or belong to another voice that speaks at the same time. Defaults to the
        first one. Has no effect without `loop_probability`.
    max_iterations : int, optional
        Stop after that many iterations. Defaults to 20.
    epsilon : float, optional
        Stop as soon as the bound grows by less than this. Defaults to 1e-4.

    Returns
    -------
    posterior : VBxPosterior

    Raises
    ------
    ValueError
        If shapes disagree, an embedding is not finite, a variance is not positive, or
        a number is out of range.
    """
    X = np.asarray(embeddings, dtype=np.float64)
    Phi = np.asarray(phi, dtype=np.float64)
    gamma = np.asarray(responsibilities, dtype=np.float64)
    _check_arrays(X, Phi, gamma)
    _check_settings(Fa, Fb, loop_probability, max_iterations)

    num_speakers = gamma.shape[1]
    pi = np.full(num_speakers, 1 / num_speakers) if priors is None else priors
    alpha, invL = speaker_models or _speaker_models(X, Phi, gamma, Fa / Fb)
    elbo: list[float] = []

    while True:
        log_p = _log_likelihoods(X, Phi, alpha, invL, Fa)
        if loop_probability > 0:
            gamma, pi, log_p_X = _hmm_step(log_p, pi, loop_probability, starts)
        else:
            gamma, pi, log_p_X = _mixture_step(log_p, pi)

        divergence = Fb / 2 * np.sum(invL + alpha**2 - np.log(invL) - 1)
        elbo.append(log_p_X - divergence)  # (25)
        if len(elbo) == max_iterations:
            break
        if len(elbo) > 1 and elbo[-1] - elbo[-2] < epsilon:
            break
        alpha, invL = _speaker_models(X, Phi, gamma, Fa / Fb)

    return VBxPosterior(gamma, pi, alpha, invL, np.array(elbo))


def _speaker_models(
    X: np.ndarray, Phi: np.ndarray, gamma: np.ndarray, ratio: float
) -> tuple[np.ndarray, np.ndarray]:
    """Posterior means and variances of the speakers; `ratio` is Fa / Fb."""
    invL = 1 / (1 + ratio * gamma.sum(axis=0)[:, None] * Phi)  # (17)
    alpha = ratio * invL * (gamma.T @ (X * np.sqrt(Phi)))  # (16), with rho of (18)
    return alpha, invL


def _log_likelihoods(
    X: np.ndarray, Phi: np.ndarray, alpha: np.ndarray, invL: np.ndarray, Fa: float
) -> np.ndarray:
    """Log-likelihoods (num_embeddings, num_speakers) of (23), times Fa."""
    # in place: (num_embeddings, num_speakers) arrays are what VBx needs memory for
    G = -0.5 * (np.sum(X**2, axis=1, keepdims=True) + X.shape[1] * np.log(2 * np.pi))
    rho = X * np.sqrt(Phi)  # (18)
    log_p = rho @ alpha.T
    log_p -= 0.5 * (invL + alpha**2) @ Phi
    log_p += G
    log_p *= Fa
    return log_p


def _mixture_step(
    log_p: np.ndarray, pi: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Responsibilities, priors and log-likelihood when order does not matter.

    Responsibilities take the place of `log_p`.
    """
    log_p += np.log(pi + EPSILON)
    highest = log_p.max(axis=1, keepdims=True)
    log_p -= highest
    gamma = np.exp(log_p, out=log_p)
    total = gamma.sum(axis=1, keepdims=True)
    gamma /= total
    log_p_X = np.sum(highest + np.log(total))
    return gamma, gamma.sum(axis=0) / gamma.sum(), float(log_p_X)


def _hmm_step(
    log_p: np.ndarray,
    pi: np.ndarray,
    loop_probability: float,
    starts: np.ndarray | None,
) -> tuple[np.ndarray, np.ndarray, float]:
    """Responsibilities, priors and log-likelihood of the hidden Markov model (1)."""
    chain = forward_backward(log_p, loop_probability, pi, starts)
    priors = chain.choices / chain.choices.sum()  # (24)
    return chain.posteriors, priors, chain.log_likelihood


def _check_arrays(X: np.ndarray, Phi: np.ndarray, gamma: np.ndarray) -> None:
    shapes = f"{X.shape}, {Phi.shape} and {gamma.shape}"
    if X.ndim != 2 or Phi.shape != X.shape[1:] or gamma.ndim != 2:
        raise ValueError(
            "`embeddings`, `phi` and `responsibilities` should be (num_embeddings, "
            f"dimension), (dimension,) and (num_embeddings, num_speakers), got {shapes}"
        )
    if len(gamma) != len(X) or gamma.size == 0:
        raise ValueError(
            "`responsibilities` should have one row per embedding and at least one "
            f"embedding and one speaker, got {shapes}."
        )
    if not np.isfinite(X).all():
        raise ValueError("`embeddings` should be finite: filter them before VBx.")
    if not (Phi > 0).all():
        raise ValueError(f"`phi` should be positive, its minimum is {Phi.min()}.")


def _check_settings(
    Fa: float, Fb: float, loop_probability: float, max_iterations: int
) -> None:
    if Fa <= 0 or Fb <= 0:
        raise ValueError(f"`Fa` and `Fb` should be positive, got {Fa} and {Fb}.")
    if not 0 <= loop_probability < 1:
        raise ValueError(f"`loop_probability` {loop_probability} is not in [0, 1).")
    if max_iterations < 1:
        raise ValueError(f"`max_iterations` {max_iterations} should be at least 1.")
