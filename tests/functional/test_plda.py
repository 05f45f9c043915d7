# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""PLDA: recovers the parameters of drawn data, and scores like Gaussian densities."""

from typing import Any

import numpy as np
import numpy.testing as npt
import pytest
from scipy.stats import multivariate_normal

from pyannote_diarizen.functional import plda

PSI = np.array([9.0, 4.0, 1.0, 0.2])


def draw(
    rng: np.random.Generator,
    num_speakers: int,
    counts: np.ndarray,
    mixing: np.ndarray,
    psi: np.ndarray = PSI,
) -> tuple[np.ndarray, np.ndarray]:
    """Vectors of the two-covariance model: within = mixing.T @ mixing."""
    labels = np.repeat(np.arange(num_speakers), counts)
    dimension = len(mixing)
    psi = np.pad(psi, (0, dimension - len(psi)), constant_values=0.01)
    speakers = rng.standard_normal((num_speakers, dimension)) * np.sqrt(psi)
    noise = rng.standard_normal((len(labels), dimension))
    return (speakers[labels] + noise) @ mixing + 3, labels


def equal_error_rate(scores: np.ndarray, labels: np.ndarray) -> float:
    """Error rate where as many pairs are wrongly accepted as wrongly rejected."""
    rows, columns = np.triu_indices(len(labels), k=1)
    pairs, same = scores[rows, columns], labels[rows] == labels[columns]
    same = same[np.argsort(pairs)]
    missed, false = np.cumsum(same) / same.sum(), 1 - np.cumsum(~same) / (~same).sum()
    crossing = np.argmin(np.abs(missed - false))
    return (missed[crossing] + false[crossing]) / 2


def project(parameters: plda.PLDAParameters, embeddings: np.ndarray) -> np.ndarray:
    centred = plda.length_normalize(embeddings - parameters.mean1)
    vectors = plda.length_normalize(centred @ parameters.lda - parameters.mean2)
    return (vectors - parameters.mu) @ parameters.tr.T


def test_two_covariances_recover_the_model(rng: np.random.Generator):
    mixing = rng.standard_normal((4, 4)) + 2 * np.eye(4)
    # unequal counts, many speakers with one vector only
    vectors, labels = draw(rng, 3000, rng.integers(1, 8, 3000), mixing)
    statistics = plda.SpeakerStatistics.of(vectors, labels)
    mu, tr, psi = plda.fit_two_covariances(statistics)

    npt.assert_allclose(psi, PSI, rtol=0.08, atol=0.02)
    npt.assert_allclose(
        mu @ np.linalg.inv(mixing), 3 * np.linalg.inv(mixing).sum(0), atol=0.2
    )
    # up to sign, `tr` undoes the mixing
    npt.assert_allclose(np.abs(mixing @ tr.T), np.eye(4), atol=0.1)


def test_scores_beat_cosine(rng: np.random.Generator):
    mixing = np.linalg.qr(rng.standard_normal((16, 16)))[0] * np.geomspace(0.3, 3, 16)
    psi = np.geomspace(8, 1, 8)
    parameters = plda.fit_plda(*draw(rng, 200, np.full(200, 6), mixing, psi), 8)
    embeddings, labels = draw(rng, 60, np.full(60, 4), mixing, psi)

    vectors = project(parameters, embeddings)
    ratio = plda.log_likelihood_ratio(vectors, vectors, parameters.psi)
    directions = plda.length_normalize(embeddings - parameters.mean1)
    by_cosine = equal_error_rate(directions @ directions.T, labels)
    assert equal_error_rate(ratio, labels) < 0.7 * by_cosine


def test_fitted_space_has_unit_variance_within_speakers(rng: np.random.Generator):
    mixing = rng.standard_normal((16, 16))
    embeddings, labels = draw(rng, 300, np.full(300, 10), mixing)
    parameters = plda.fit_plda(embeddings, labels, 6)
    vectors = project(parameters, embeddings)
    statistics = plda.SpeakerStatistics.of(vectors, labels)

    within = statistics.scatter / statistics.degrees_of_freedom
    npt.assert_allclose(within, np.eye(6), atol=0.05)
    between = np.cov(statistics.means.T) - within / 10
    npt.assert_allclose(between, np.diag(parameters.psi), rtol=0.05, atol=0.05)
    assert (np.diff(parameters.psi) <= 0).all()


def test_rotating_embeddings_leaves_scores_alone(rng: np.random.Generator):
    embeddings, labels = draw(rng, 40, np.full(40, 4), rng.standard_normal((8, 8)))
    rotation = np.linalg.qr(rng.standard_normal((8, 8)))[0]

    def scores(embeddings: np.ndarray) -> np.ndarray:
        parameters = plda.fit_plda(embeddings, labels, 5)
        vectors = project(parameters, embeddings)
        return plda.log_likelihood_ratio(vectors, vectors, parameters.psi)

    npt.assert_allclose(scores(embeddings @ rotation), scores(embeddings), atol=1e-6)


@pytest.mark.parametrize(
    "counts", [[2, 2, 1], [2, 1, 1, 1], [3] * 10], ids=["three", "singletons", "ten"]
)
def test_few_data_still_give_a_usable_space(
    rng: np.random.Generator, counts: list[int]
):
    embeddings, labels = draw(rng, len(counts), np.array(counts), np.eye(32))
    parameters = plda.fit_plda(embeddings, labels)
    assert parameters.lda.shape == (32, len(counts) - 1)
    assert np.isfinite(project(parameters, embeddings)).all()


def test_labels_may_be_names(rng: np.random.Generator):
    embeddings, labels = draw(rng, 5, np.full(5, 3), np.eye(6))
    names = np.array(["eve", "bob", "ann", "dan", "cat"])[labels]
    by_number, by_name = (
        plda.fit_plda(embeddings, labels),
        plda.fit_plda(embeddings, names),
    )
    npt.assert_allclose(by_name.psi, by_number.psi, rtol=1e-9)


def test_log_likelihood_ratio_is_that_of_gaussians(rng: np.random.Generator):
    a, b = rng.standard_normal((2, 3, 4))
    total, none = np.diag(1 + PSI), np.zeros((4, 4))
    same = np.block([[total, np.diag(PSI)], [np.diag(PSI), total]])
    different = np.block([[total, none], [none, total]])
    expected = [
        [
            multivariate_normal.logpdf(np.r_[x, y], cov=same)
            - multivariate_normal.logpdf(np.r_[x, y], cov=different)
            for y in b
        ]
        for x in a
    ]
    npt.assert_allclose(plda.log_likelihood_ratio(a, b, PSI), expected, atol=1e-9)


def test_shrinkage_fades_with_data():
    covariance = np.diag([4.0, 1.0, 1.0])
    npt.assert_allclose(plda.shrink(covariance, 10**9), covariance, atol=1e-6)
    npt.assert_allclose(plda.shrink(covariance, 1), 2 * np.eye(3))
    npt.assert_allclose(plda.shrink(np.eye(3), 5), np.eye(3))


@pytest.mark.parametrize(
    ("embeddings", "labels", "lda_dimension", "message"),
    [
        (np.ones((4, 3)), np.arange(3), None, "should be"),
        (np.full((4, 3), np.nan), np.array([0, 0, 1, 2]), None, "4 of 4 embeddings"),
        (np.eye(4), np.array([0, 0, 1, 1]), None, "three speakers"),
        (np.eye(4), np.arange(4), None, "two embeddings"),
        (np.zeros((0, 4)), np.zeros(0), None, "at most 0"),
        (np.eye(4), np.array([0, 0, 1, 2]), 3, "between 2 and 2"),
        (np.eye(4)[[0, 0, 1, 2]], np.array([0, 0, 1, 2]), None, "nothing varies"),
    ],
)
def test_rejects(embeddings: Any, labels: Any, lda_dimension: Any, message: str):
    with pytest.raises(ValueError, match=message):
        plda.fit_plda(embeddings, labels, lda_dimension)


@pytest.mark.parametrize(
    ("name", "value", "message"),
    [
        ("lda", np.ones(3), "matrix"),
        ("mu", np.ones(3), "do the files go together"),
        ("tr", np.full((2, 2), np.inf), "not finite"),
        ("psi", np.array([1.0, 0.0]), "positive"),
    ],
)
def test_rejects_parameters(name: str, value: np.ndarray, message: str):
    valid = {
        "mean1": np.zeros(3),
        "lda": np.ones((3, 2)),
        "mean2": np.zeros(2),
        "mu": np.zeros(2),
        "tr": np.eye(2),
        "psi": np.ones(2),
    }
    plda.PLDAParameters(**valid)
    with pytest.raises(ValueError, match=message):
        plda.PLDAParameters(**(valid | {name: value}))


def test_normalization_makes_speakers_vary_alike_in_all_directions(rng):
    mixing = np.diag([5.0, 1.0, 1.0, 0.2])
    vectors, labels = draw(rng, 400, np.full(400, 5), mixing, psi=np.ones(4))
    normalized = plda.normalize_within_speakers(vectors, labels)
    npt.assert_allclose(np.linalg.norm(normalized, axis=1), 1)
    within = plda.SpeakerStatistics.of(normalized, labels).within
    npt.assert_allclose(within, np.eye(4) * within[0, 0], atol=0.1 * within[0, 0])
    centred = vectors - vectors.mean(axis=0)
    before = equal_error_rate(
        centred @ centred.T / np.outer(*2 * [np.linalg.norm(centred, axis=1)]), labels
    )
    assert equal_error_rate(normalized @ normalized.T, labels) < before - 0.03
