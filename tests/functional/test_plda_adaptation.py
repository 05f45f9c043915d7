# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Adaptation of a PLDA: from the old domain to the new one, and better than either."""

import numpy as np
import numpy.testing as npt
import pytest

from pyannote_diarizen.functional.detection import equal_error_rate
from pyannote_diarizen.functional.plda import (
    PLDAParameters,
    fit_plda,
    length_normalize,
    log_likelihood_ratio,
)
from pyannote_diarizen.functional.plda_adaptation import adapt_plda

DIMENSION = 32
SPEAKERS = np.geomspace(2, 0.02, DIMENSION)
"""Standard deviation between speakers: most of it in few directions."""


class Domain:
    """Speakers that differ in some directions, noise in others, around a mean."""

    def __init__(self, rng: np.random.Generator, noise: np.ndarray, mean: float):
        self.rng, self.noise, self.mean = rng, noise, mean

    def draw(self, num_speakers: int, num_each: int) -> tuple[np.ndarray, np.ndarray]:
        labels = np.repeat(np.arange(num_speakers), num_each)
        speakers = self.rng.standard_normal((num_speakers, DIMENSION)) * SPEAKERS
        noise = self.rng.standard_normal((len(labels), DIMENSION)) * self.noise
        return speakers[labels] + noise + self.mean, labels


@pytest.fixture
def domains(rng: np.random.Generator) -> tuple[Domain, Domain]:
    """The new one is noisy where speakers of the old one differ most."""
    old, new = np.full((2, DIMENSION), 0.5)
    new[:5] = 2
    return Domain(rng, old, 0), Domain(rng, new, 0.5)


def error_rate(
    parameters: PLDAParameters, embeddings: np.ndarray, labels: np.ndarray
) -> float:
    p = parameters
    centred = length_normalize(embeddings - p.mean1)
    vectors = (length_normalize(centred @ p.lda - p.mean2) - p.mu) @ p.tr.T
    scores = log_likelihood_ratio(vectors, vectors, p.psi)
    rows, columns = np.triu_indices(len(labels), k=1)
    return equal_error_rate(labels[rows] == labels[columns], scores[rows, columns])


def test_few_speakers_help_the_old_domain(domains):
    old, new = domains
    unadapted = fit_plda(*old.draw(300, 6))
    rates = []
    for _ in range(5):
        few, trials = new.draw(8, 3), new.draw(60, 5)
        pldas = unadapted, fit_plda(*few), adapt_plda(unadapted, *few)
        rates.append([error_rate(plda, *trials) for plda in pldas])
    before, alone, adapted = np.mean(rates, axis=0)
    assert adapted < 0.97 * before
    assert adapted < 0.97 * alone


def test_no_weight_changes_nothing(domains):
    old, new = domains
    unadapted = fit_plda(*old.draw(50, 4))
    adapted = adapt_plda(unadapted, *new.draw(10, 4), weight=0)
    for name in ("mean1", "lda", "mean2", "mu", "psi"):
        npt.assert_allclose(getattr(adapted, name), getattr(unadapted, name), atol=1e-9)
    # directions of the same psi are free to turn
    npt.assert_allclose(
        adapted.tr.T @ adapted.tr, unadapted.tr.T @ unadapted.tr, atol=1e-9
    )


def test_all_the_weight_forgets_the_old_domain(domains):
    old, new = domains
    embeddings, labels = old.draw(200, 5)
    one, other = fit_plda(embeddings, labels), fit_plda(embeddings * 2 - 1, labels)
    npt.assert_allclose(np.abs(one.lda), np.abs(other.lda), atol=1e-9)
    few = new.draw(30, 4)
    from_one, from_other = (adapt_plda(p, *few, weight=1) for p in (one, other))
    npt.assert_allclose(from_one.mean1, few[0].mean(axis=0))
    npt.assert_allclose(from_one.psi, from_other.psi)


def test_more_weight_leads_further(domains):
    old, new = domains
    unadapted, few = fit_plda(*old.draw(50, 4)), new.draw(10, 4)
    means = [adapt_plda(unadapted, *few, weight=w).mean1.mean() for w in (0, 0.5, 1)]
    assert means[1] == pytest.approx((means[0] + means[2]) / 2)
    assert means[2] > means[0] + 0.3


@pytest.mark.parametrize("weight", [-0.1, 1.1])
def test_weight_out_of_range(domains, weight: float):
    old, new = domains
    with pytest.raises(ValueError, match="between 0 and 1"):
        adapt_plda(fit_plda(*old.draw(9, 3)), *new.draw(4, 3), weight=weight)


def test_embeddings_of_another_model(domains):
    old, _ = domains
    embeddings, labels = old.draw(9, 3)
    with pytest.raises(ValueError, match="another embedding model"):
        adapt_plda(fit_plda(embeddings, labels), embeddings[:, 1:], labels)
