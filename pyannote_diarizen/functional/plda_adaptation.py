# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Adaptation of a PLDA to a new domain, from a few of its speakers.

Means and covariances between and within speakers of the new domain are estimated in the
space of the old LDA and interpolated with the old ones, because few speakers are not
enough to estimate them alone.

References
----------
D. Garcia-Romero, A. McCree, "Supervised domain adaptation for i-vector based speaker
recognition", ICASSP 2014 (interpolation of parameters).
"""

import numpy as np

from pyannote_diarizen.functional.plda import (
    PLDAParameters,
    SpeakerStatistics,
    check_training_set,
    diagonalize,
    fit_two_covariances,
    length_normalize,
)


def adapt_plda(
    parameters: PLDAParameters,
    embeddings: np.ndarray,
    labels: np.ndarray,
    weight: float = 0.5,
) -> PLDAParameters:
    """Interpolate a PLDA with one estimated in a new domain.

    Parameters
    ----------
    parameters : PLDAParameters
        PLDA of the old domain.
    embeddings : (num_embeddings, embedding_dimension) np.ndarray
        Several embeddings of each speaker of the new domain, by the same model.
    labels : (num_embeddings,) np.ndarray
        Speaker of each embedding, of any type that sorts.
    weight : float, optional
        Weight of the new domain, between 0 (nothing changes) and 1 (only the LDA is
        from the old domain). Defaults to 0.5.

    Returns
    -------
    adapted : PLDAParameters
        Parameters with the LDA of `parameters` and decreasing `psi`.

    Raises
    ------
    ValueError
        If `weight` is out of range, embeddings are not of the dimension of
        `parameters`, or do not suffice for a PLDA, see `fit_plda`.
    """
    if not 0 <= weight <= 1:
        raise ValueError(f"`weight` should be between 0 and 1, got {weight}.")
    x, y = check_training_set(embeddings, labels)
    old = parameters
    if x.shape[1] != len(old.mean1):
        raise ValueError(
            f"This PLDA is for embeddings of dimension {len(old.mean1)}, got "
            f"{x.shape[1]}: was it made for another embedding model?"
        )

    def interpolate(before: np.ndarray, after: np.ndarray) -> np.ndarray:
        return (1 - weight) * before + weight * after

    mean1 = interpolate(old.mean1, x.mean(axis=0))
    reduced = length_normalize(x - mean1) @ old.lda
    mean2 = interpolate(old.mean2, reduced.mean(axis=0))
    vectors = length_normalize(reduced - mean2)
    mu, *spread = fit_two_covariances(SpeakerStatistics.of(vectors, y))
    # interpolated in the space before `tr`, then made the identity and diagonal again
    tr, psi = diagonalize(
        *map(interpolate, _covariances(old.tr, old.psi), _covariances(*spread))
    )
    return PLDAParameters(mean1, old.lda, mean2, interpolate(old.mu, mu), tr, psi)


def _covariances(tr: np.ndarray, psi: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
    """Covariances within and between speakers, which `tr` maps to 1 and `psi`."""
    inverse = np.linalg.inv(tr)  # W = tr^-1 tr^-T, B = tr^-1 diag(psi) tr^-T
    return inverse @ inverse.T, inverse * psi @ inverse.T
