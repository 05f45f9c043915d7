# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Probabilistic linear discriminant analysis of speaker embeddings.

An embedding x is centred, length-normalised, reduced by LDA, centred and normalised
again, then modelled by two covariances: speakers are N(mu, B), embeddings of one
speaker N(speaker, W). A last linear map makes W the identity and B diagonal (`psi`):
the space where VBx works and where scores are sums over dimensions.

pyannote.audio and DiariZen store exactly these arrays and apply them, but neither can
make them. Normalised vectors have length sqrt(dimension), as there.

References
----------
S. Ioffe, "Probabilistic linear discriminant analysis", ECCV 2006.
N. Brümmer, E. de Villiers, "The speaker partitioning problem", Odyssey 2010 (the
two-covariance model).
D. Garcia-Romero, C. Espy-Wilson, "Analysis of i-vector length normalization in speaker
recognition systems", Interspeech 2011.
Y. Chen, A. Wiesel, Y. Eldar, A. Hero, "Shrinkage algorithms for MMSE covariance
estimation", IEEE Transactions on Signal Processing 58(10), 2010.
A. Hatch, S. Kajarekar, A. Stolcke, "Within-class covariance normalization for SVM-based
speaker recognition", Interspeech 2006.
"""

from dataclasses import dataclass

import numpy as np
from scipy.linalg import eigh

SMALLEST_PSI = 1e-6
"""Minimum variance between speakers, because it is a divisor."""


@dataclass(frozen=True, eq=False)
class PLDAParameters:
    """Arrays of the map from embeddings to the PLDA space, named as in the files.

    All of them are converted to float64: in float32, directions whose `psi` are close
    to each other would depend on the CPU.

    Attributes
    ----------
    mean1 : (embedding_dimension,) np.ndarray
        Mean of the embeddings.
    lda : (embedding_dimension, dimension) np.ndarray
        Discriminant directions, one in each column.
    mean2 : (dimension,) np.ndarray
        Mean after `lda`.
    mu : (dimension,) np.ndarray
        Mean of the speakers after the second normalisation.
    tr : (dimension, dimension) np.ndarray
        Map to the PLDA space, one direction in each row.
    psi : (dimension,) np.ndarray
        Variances between speakers in the PLDA space.

    Raises
    ------
    ValueError
        If shapes disagree or a value is not finite, or not positive in `psi`.
    """

    mean1: np.ndarray
    lda: np.ndarray
    mean2: np.ndarray
    mu: np.ndarray
    tr: np.ndarray
    psi: np.ndarray

    def __post_init__(self) -> None:
        """Convert to float64, check shapes and values."""
        for name, array in vars(self).items():
            object.__setattr__(self, name, np.asarray(array, dtype=np.float64))
        if self.lda.ndim != 2:
            raise ValueError(f"`lda` should be a matrix, got shape {self.lda.shape}.")
        wide, narrow = self.lda.shape
        expected = {
            "mean1": (wide,),
            "mean2": (narrow,),
            "mu": (narrow,),
            "tr": (narrow, narrow),
            "psi": (narrow,),
        }
        for name, shape in expected.items():
            if (actual := getattr(self, name).shape) != shape:
                raise ValueError(
                    f"`{name}` should have shape {shape} beside `lda` of shape "
                    f"{self.lda.shape}, got {actual}: do the files go together?"
                )
        for name, array in vars(self).items():
            if not np.isfinite(array).all():
                raise ValueError(f"`{name}` holds values that are not finite.")
        if not (self.psi > 0).all():
            raise ValueError(f"`psi` should be positive, minimum is {self.psi.min()}.")


@dataclass(frozen=True, eq=False)
class SpeakerStatistics:
    """Sufficient statistics of labelled vectors.

    Attributes
    ----------
    counts : (num_speakers, 1) np.ndarray
        Number of vectors of each speaker.
    means : (num_speakers, dimension) np.ndarray
        Mean of each speaker.
    scatter : (dimension, dimension) np.ndarray
        Sum of outer products of the deviations from the speaker's mean. Speakers
        with one vector add zero.
    """

    counts: np.ndarray
    means: np.ndarray
    scatter: np.ndarray

    @classmethod
    def of(cls, vectors: np.ndarray, labels: np.ndarray) -> "SpeakerStatistics":
        """Statistics of (num_vectors, dimension) `vectors` under `labels`."""
        _, speakers, counts = np.unique(labels, return_inverse=True, return_counts=True)
        order = np.argsort(speakers, kind="stable")
        starts = np.cumsum(counts) - counts
        means = np.add.reduceat(vectors[order], starts, axis=0) / counts[:, None]
        deviations = vectors - means[speakers]
        return cls(counts[:, None], means, deviations.T @ deviations)

    @property
    def degrees_of_freedom(self) -> int:
        """Number of independent deviations that make up `scatter`."""
        return int(np.sum(self.counts - 1))

    @property
    def within(self) -> np.ndarray:
        """Covariance within speakers; a `ValueError` if nothing varies there."""
        if np.allclose(self.scatter, 0):
            raise ValueError("No speaker has two different embeddings: nothing varies.")
        degrees = self.degrees_of_freedom
        return shrink(self.scatter / degrees, degrees)


def fit_plda(
    embeddings: np.ndarray, labels: np.ndarray, lda_dimension: int | None = None
) -> PLDAParameters:
    """Estimate a PLDA from embeddings of known speakers.

    Parameters
    ----------
    embeddings : (num_embeddings, embedding_dimension) np.ndarray
        Several embeddings for most speakers, from different recordings if possible.
    labels : (num_embeddings,) np.ndarray
        Speaker of each embedding, of any type that sorts.
    lda_dimension : int, optional
        Number of dimensions to keep, less than the number of speakers. Defaults to the
        usual 128, or to the dimension of embeddings or the number of speakers minus one
        if they are less.

    Returns
    -------
    parameters : PLDAParameters
        Parameters with decreasing `psi`.

    Raises
    ------
    ValueError
        If shapes disagree, an embedding is not finite, there are fewer than three
        speakers, none has two different embeddings, or `lda_dimension` is out of
        range.
    """
    x, y = check_training_set(embeddings, labels)
    lda_dimension = _check_dimension(x, y, lda_dimension)

    mean1 = x.mean(axis=0)
    centred = length_normalize(x - mean1)
    statistics = SpeakerStatistics.of(centred, y)
    lda = _discriminants(statistics, lda_dimension)
    mean2 = (centred @ lda).mean(axis=0)
    vectors = length_normalize(centred @ lda - mean2)
    mu, tr, psi = fit_two_covariances(SpeakerStatistics.of(vectors, y))
    return PLDAParameters(mean1, lda, mean2, mu, tr, psi)


def log_likelihood_ratio(a: np.ndarray, b: np.ndarray, phi: np.ndarray) -> np.ndarray:
    """Log-odds that vectors of the PLDA space are of one speaker against two.

    Parameters
    ----------
    a : (num_a, dimension) np.ndarray
    b : (num_b, dimension) np.ndarray
    phi : (dimension,) np.ndarray
        Variances between speakers, where the variance within a speaker is 1.

    Returns
    -------
    ratio : (num_a, num_b) np.ndarray
        In nats, each row of `a` with each row of `b`.

    Examples
    --------
    >>> a, b = np.array([[2.0]]), np.array([[2.0], [-2.0]])
    >>> log_likelihood_ratio(a, b, phi=np.ones(1)).round(2)
    array([[ 0.81, -1.86]])
    """
    # p(a, b | same) has covariance [[1 + phi, phi], [phi, 1 + phi]] per dimension,
    # p(a, b | different) has [[1 + phi, 0], [0, 1 + phi]].
    product = phi / (1 + 2 * phi)
    square = phi**2 / ((1 + phi) * (1 + 2 * phi))
    constant = np.sum(np.log1p(phi) - 0.5 * np.log1p(2 * phi))
    squares = (a**2 @ square)[:, None] + b**2 @ square
    return (a * product) @ b.T - 0.5 * squares + constant


def length_normalize(vectors: np.ndarray) -> np.ndarray:
    """Scale rows of (num_vectors, dimension) to length sqrt(dimension)."""
    lengths = np.linalg.norm(vectors, axis=1, keepdims=True)
    return np.sqrt(vectors.shape[1]) * vectors / lengths


def normalize_within_speakers(embeddings: np.ndarray, labels: np.ndarray) -> np.ndarray:
    """Centre, then scale to the same variance within speakers in all directions.

    Within-class covariance normalization (Hatch et al.): afterwards, the cosine of two
    embeddings weighs each direction by its variance between speakers.

    Parameters
    ----------
    embeddings : (num_embeddings, dimension) np.ndarray
    labels : (num_embeddings,) np.ndarray
        Speaker of each embedding.

    Returns
    -------
    normalized : (num_embeddings, dimension) np.ndarray
        Embeddings of unit length.

    Raises
    ------
    ValueError
        If no speaker has two different embeddings.
    """
    centred = embeddings - embeddings.mean(axis=0)
    statistics = SpeakerStatistics.of(centred, labels)
    variances, directions = eigh(statistics.within)
    whitened = centred @ (directions / np.sqrt(variances)) @ directions.T
    return whitened / np.linalg.norm(whitened, axis=1, keepdims=True)


def shrink(covariance: np.ndarray, num_samples: int) -> np.ndarray:
    """Covariance shrunk towards a multiple of the identity, more with fewer samples.

    Oracle approximating shrinkage, (23) of Chen et al. Makes covariances of fewer
    samples than dimensions invertible, and hardly changes ones of many samples.
    """
    dimension = len(covariance)
    trace, energy = np.trace(covariance), np.sum(covariance**2)
    numerator = (1 - 2 / dimension) * energy + trace**2
    spread = energy - trace**2 / dimension  # zero for a sphere
    denominator = (num_samples + 1 - 2 / dimension) * spread
    share = 1.0 if numerator >= denominator else numerator / denominator
    return (1 - share) * covariance + share * trace / dimension * np.eye(dimension)


def diagonalize(within: np.ndarray, between: np.ndarray) -> tuple[np.ndarray, ...]:
    """Map that makes `within` the identity and `between` diagonal.

    Returns
    -------
    tr : (dimension, dimension) np.ndarray
        Rows are directions; `tr @ within @ tr.T` is the identity.
    psi : (dimension,) np.ndarray
        Diagonal of `tr @ between @ tr.T`, in decreasing order.
    """
    psi, directions = eigh(between, within)
    return directions.T[::-1], psi[::-1]


def fit_two_covariances(
    statistics: SpeakerStatistics, max_iterations: int = 200, tolerance: float = 1e-5
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Maximum-likelihood mu, tr and psi, by expectation-maximisation.

    Each step is taken in the space where W is the identity and B diagonal (psi): there,
    the posterior of a speaker has independent dimensions.

    Parameters
    ----------
    statistics : SpeakerStatistics
        Statistics of vectors with normalised lengths.
    max_iterations : int, optional
        Maximum number of iterations. Defaults to 200.
    tolerance : float, optional
        Change of psi, as a share of the total variance, below which to stop. Defaults
        to 1e-5.

    Returns
    -------
    mu, tr, psi : np.ndarray
        See `PLDAParameters`.
    """
    counts, means = statistics.counts, statistics.means
    mu = means.mean(axis=0)
    tr, psi = diagonalize(statistics.within, np.cov(means.T))

    for _ in range(max_iterations):
        previous = psi = np.maximum(psi, SMALLEST_PSI)
        # E step: posterior of each speaker relative to mu, N(speakers, variances), with
        # 1 / variance = 1 / psi + n, all arrays (num_speakers, dimension)
        deviations = (means - mu) @ tr.T
        variances = psi / (1 + counts * psi)
        speakers = counts * variances * deviations
        residuals = deviations - speakers

        # M step: B is the covariance of the speakers, W that of the residuals of all
        # vectors, both with the posterior variances
        shift = speakers.mean(axis=0)
        between = np.cov(speakers.T, bias=True) + np.diag(variances.mean(axis=0))
        within = tr @ statistics.scatter @ tr.T + (counts * residuals).T @ residuals
        within += np.diag((counts * variances).sum(axis=0))

        mu = mu + np.linalg.solve(tr, shift)
        step, psi = diagonalize(
            shrink(within / counts.sum(), statistics.degrees_of_freedom), between
        )
        tr = step @ tr
        # compared as shares of the total variance, since psi may be huge or tiny
        if np.abs(psi / (1 + psi) - previous / (1 + previous)).max() < tolerance:
            break

    return mu, tr, np.maximum(psi, SMALLEST_PSI)


def check_training_set(
    embeddings: np.ndarray, labels: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Convert a training set, or raise a `ValueError` if it is not sufficient.

    Parameters
    ----------
    embeddings : (num_embeddings, dimension) np.ndarray
    labels : (num_embeddings,) np.ndarray

    Returns
    -------
    embeddings : (num_embeddings, dimension) np.ndarray of float64
    labels : (num_embeddings,) np.ndarray
    """
    x, y = np.asarray(embeddings, dtype=np.float64), np.asarray(labels)
    if x.ndim != 2 or y.shape != x.shape[:1]:
        raise ValueError(
            "`embeddings` and `labels` should be (num_embeddings, dimension) and "
            f"(num_embeddings,), got {x.shape} and {y.shape}."
        )
    if num_bad := np.sum(~np.isfinite(x).all(axis=1)):
        raise ValueError(
            f"{num_bad} of {len(x)} embeddings are not finite: drop them first."
        )
    _, counts = np.unique(y, return_counts=True)
    # two speakers have one LDA dimension, which length normalisation reduces to a sign
    if len(counts) < 3 or counts.max() < 2:
        raise ValueError(
            "A PLDA needs at least three speakers, and two embeddings for one of them, "
            f"got {len(counts)} speaker(s) and at most {counts.max(initial=0)} "
            "embedding(s) each."
        )
    return x, y


def _discriminants(statistics: SpeakerStatistics, dimension: int) -> np.ndarray:
    """Directions (embedding_dimension, dimension) that separate speakers best."""
    means, counts = statistics.means, statistics.counts
    deviations = means - (counts * means).sum(axis=0) / counts.sum()
    between = (counts * deviations).T @ deviations / counts.sum()
    directions, _ = diagonalize(statistics.within, between)
    return directions[:dimension].T


def _check_dimension(x: np.ndarray, y: np.ndarray, lda_dimension: int | None) -> int:
    """Raise for an LDA dimension that is out of range, choose one if None."""
    num_speakers = len(np.unique(y))
    limit = min(x.shape[1], num_speakers - 1)
    if lda_dimension is None:
        return min(limit, 128)
    if not 2 <= lda_dimension <= limit:
        raise ValueError(
            f"`lda_dimension` should be between 2 and {limit} with {num_speakers} "
            f"speakers and embeddings of dimension {x.shape[1]}, got {lda_dimension}."
        )
    return lda_dimension
