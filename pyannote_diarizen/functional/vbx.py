# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""VBx: Bayesian clustering of embeddings in the PLDA space.

Embeddings are rows, centred and scaled so that the within-speaker covariance is the
identity and the between-speaker covariance is diagonal (`phi`). Each speaker has a
Gaussian posterior mean with diagonal covariance; each embedding has a probability of
belonging to each speaker (`responsibilities`). The prior of a speaker that the data do
not need goes to zero: this is how VBx finds the number of speakers.

The order of embeddings has one of two priors: none (a mixture, the form that
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

from dataclasses import dataclass, replace

import numpy as np
from scipy.special import softmax

from pyannote_diarizen.functional.hmm import EPSILON, forward_backward

NEEDED_PRIOR = 1e-7
"""`VBxModel.fit` removes speakers whose prior is not above this value."""


@dataclass(frozen=True, eq=False)
class VBxPosterior:
    """Posterior distribution of speakers and of their embeddings.

    Attributes
    ----------
    responsibilities : (num_embeddings, num_speakers) np.ndarray
        Probability that each embedding belongs to each speaker; rows sum to one.
    priors : (num_speakers,) np.ndarray
        Share of each speaker; close to zero for a speaker that is not needed.
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

    @property
    def labels(self) -> np.ndarray:
        """Speaker (num_embeddings,) with the highest responsibility."""
        return np.asarray(self.responsibilities.argmax(axis=1))

    def select(self, speakers: np.ndarray) -> "VBxPosterior":
        """Keep the speakers where `speakers` (num_speakers,) is true."""
        return replace(
            self,
            responsibilities=self.responsibilities[:, speakers],
            priors=self.priors[speakers],
            speaker_means=self.speaker_means[speakers],
            speaker_variances=self.speaker_variances[speakers],
        )


@dataclass(frozen=True, eq=False)
class VBxModel:
    """Embeddings of one recording and the operating point of VBx.

    Attributes
    ----------
    embeddings : (num_embeddings, dimension) np.ndarray
        Embeddings in the PLDA space.
    phi : (dimension,) np.ndarray
        Variances between speakers, where the variance within a speaker is 1.
    Fa, Fb, loop_probability, starts, max_iterations
        See `vbx`.
    """

    embeddings: np.ndarray
    phi: np.ndarray
    Fa: float
    Fb: float
    loop_probability: float = 0.0
    starts: np.ndarray | None = None
    max_iterations: int = 20

    def fit(self, responsibilities: np.ndarray) -> VBxPosterior:
        """Run VBx, then remove the speakers whose prior went to zero.

        Parameters
        ----------
        responsibilities : (num_embeddings, num_speakers) np.ndarray
            Responsibilities to start from.

        Returns
        -------
        posterior : VBxPosterior
            At least one speaker.
        """
        posterior = self._run(responsibilities)
        return posterior.select(posterior.priors > NEEDED_PRIOR)

    def drop_spurious(
        self,
        posterior: VBxPosterior,
        weights: np.ndarray,
        min_share: float,
        fewest: int = 1,
    ) -> VBxPosterior:
        """Drop speakers with too little speech, the one with the least speech first.

        Parameters
        ----------
        posterior : VBxPosterior
            Result of `fit`.
        weights : (num_embeddings,) np.ndarray
            Amount of speech behind each embedding, in any unit.
        min_share : float
            Share of all speech below which a speaker is dropped.
        fewest : int, optional
            Number of speakers to keep in any case. Defaults to 1.

        Returns
        -------
        posterior : VBxPosterior
            VBx runs again after each drop, from the speakers that are left.
        """
        while len(posterior.priors) > fewest:
            speech = weights @ posterior.responsibilities  # (num_speakers,)
            least = np.argmin(speech)
            if speech[least] >= min_share * speech.sum():
                break
            left = posterior.select(np.arange(len(speech)) != least)
            found = self._run(
                left.responsibilities,
                priors=left.priors / left.priors.sum(),
                speaker_models=(left.speaker_means, left.speaker_variances),
            )
            posterior = found.select(found.priors > NEEDED_PRIOR)
        return posterior

    def certain(self, labels: np.ndarray) -> VBxPosterior:
        """Posterior of a given partition, without any iteration that would change it.

        Parameters
        ----------
        labels : (num_embeddings,) np.ndarray of int
            Speaker of each embedding, from 0 without a gap.

        Returns
        -------
        posterior : VBxPosterior
            Responsibilities are 0 or 1. The bound is that of one iteration from them.
        """
        responsibilities = smooth_labels(labels, smoothing=-1)
        shares = responsibilities.mean(axis=0)
        once = replace(self, max_iterations=1)
        posterior = once._run(responsibilities, priors=shares)
        return replace(posterior, responsibilities=responsibilities, priors=shares)

    def _run(self, responsibilities: np.ndarray, **start: object) -> VBxPosterior:
        return vbx(
            responsibilities=responsibilities,
            **vars(self),
            **start,  # type: ignore[arg-type]
        )


def smooth_labels(labels: np.ndarray, smoothing: float = 7.0) -> np.ndarray:
    """Soft responsibilities from the labels of a first clustering.

    Parameters
    ----------
    labels : (num_embeddings,) np.ndarray of int
        Clusters, numbered from 0.
    smoothing : float, optional
        Log-odds of the given cluster against any other one. A negative value gives
        one-hot responsibilities. Defaults to 7.

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
        Responsibilities to start from, for instance `smooth_labels` of another
        clustering.
    Fa : float
        Weight of an embedding; below 1 because overlapping chunks are not independent.
    Fb : float
        Weight of the prior on speakers: the higher, the fewer speakers survive.
    priors : (num_speakers,) np.ndarray, optional
        Share of each speaker to start from. Defaults to equal shares.
    speaker_models : pair of (num_speakers, dimension) np.ndarray, optional
        Posterior means and variances of a previous call, which the first iteration
        uses instead of computing them from `responsibilities`.
    loop_probability : float, optional
        Probability in [0, 1) that the next embedding has the speaker of this one.
        Defaults to 0: the order of embeddings does not matter.
    starts : (num_embeddings,) np.ndarray of bool, optional
        First embedding of each independent sequence: an embedding after a pause, or of
        another speaker at the same time. Defaults to the first embedding
        alone. Has no effect without `loop_probability`.
    max_iterations : int, optional
        Maximum number of iterations. Defaults to 20.
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
    gamma = np.asarray(responsibilities, dtype=np.float64)  # (num_embeddings, speakers)
    _check_arrays(X, Phi, gamma)
    _check_settings(Fa, Fb, loop_probability, max_iterations)

    num_speakers = gamma.shape[1]
    pi = np.full(num_speakers, 1 / num_speakers) if priors is None else priors
    alpha, invL = speaker_models or _speaker_models(X, Phi, gamma, Fa / Fb)
    elbo: list[float] = []

    while True:
        # E step: responsibilities given the speakers, and their normaliser log p(X)
        log_p = _log_likelihoods(X, Phi, alpha, invL, Fa)
        if loop_probability > 0:
            gamma, pi, log_p_X = _hmm_step(log_p, pi, loop_probability, starts)
        else:
            gamma, pi, log_p_X = _mixture_step(log_p, pi)

        # Kullback-Leibler divergence of the speakers' posteriors from N(0, I), times Fb
        divergence = Fb / 2 * np.sum(invL + alpha**2 - np.log(invL) - 1)
        elbo.append(log_p_X - divergence)  # (25)
        if len(elbo) == max_iterations:
            break
        if len(elbo) > 1 and elbo[-1] - elbo[-2] < epsilon:
            break
        # M step: speakers given the responsibilities
        alpha, invL = _speaker_models(X, Phi, gamma, Fa / Fb)

    return VBxPosterior(gamma, pi, alpha, invL, np.array(elbo))


def _speaker_models(
    X: np.ndarray, Phi: np.ndarray, gamma: np.ndarray, ratio: float
) -> tuple[np.ndarray, np.ndarray]:
    """Posterior means and variances of the speakers; `ratio` is Fa / Fb."""
    num_embeddings = gamma.sum(axis=0)[:, None]  # (num_speakers, 1), fractional
    invL = 1 / (1 + ratio * num_embeddings * Phi)  # (17)
    alpha = ratio * invL * (gamma.T @ (X * np.sqrt(Phi)))  # (16), with rho of (18)
    return alpha, invL


def _log_likelihoods(
    X: np.ndarray, Phi: np.ndarray, alpha: np.ndarray, invL: np.ndarray, Fa: float
) -> np.ndarray:
    """Log-likelihoods (num_embeddings, num_speakers) of (23), times Fa."""
    # in place, because arrays (num_embeddings, num_speakers) take most of the memory
    # G is the part of log N(x; V y, I) that no speaker changes, (num_embeddings, 1)
    G = -0.5 * (np.sum(X**2, axis=1, keepdims=True) + X.shape[1] * np.log(2 * np.pi))
    rho = X * np.sqrt(Phi)  # (18)
    log_p = rho @ alpha.T
    log_p -= 0.5 * (invL + alpha**2) @ Phi  # expectation over the speaker's posterior
    log_p += G
    log_p *= Fa
    return log_p


def _mixture_step(
    log_p: np.ndarray, pi: np.ndarray
) -> tuple[np.ndarray, np.ndarray, float]:
    """Responsibilities, priors and log-likelihood of the mixture.

    Overwrites `log_p` with the responsibilities.
    """
    log_p += np.log(pi + EPSILON)
    highest = log_p.max(axis=1, keepdims=True)  # softmax and logsumexp in one pass
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
