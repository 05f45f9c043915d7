# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Evidence of partitions, and partitions into each number."""

import numpy as np
import numpy.testing as npt
import pytest
from drawn_speakers import EQUAL, PHI, draw, same_partition
from scipy.stats import multivariate_normal

from pyannote_diarizen.functional.partitions import SpeakerPartitions
from pyannote_diarizen.functional.vbx import VBxModel, vbx


@pytest.fixture
def truth() -> np.ndarray:
    return np.repeat([0, 1, 2, 3], [20, 5, 12, 8])


@pytest.fixture
def embeddings(truth: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    return draw(truth, rng)


@pytest.fixture
def partitions(embeddings: np.ndarray) -> SpeakerPartitions:
    return SpeakerPartitions(embeddings, PHI, weight=1.0)


# -- evidence


def test_evidence_is_the_density_of_embeddings_and_labels(rng: np.random.Generator):
    vectors, labels = rng.standard_normal((5, 1)), np.array([0, 1, 0, 0, 1])
    one = np.zeros(5, dtype=int)

    def log_density(labels: np.ndarray) -> float:
        covariance = np.eye(5) + 3.0 * (labels[:, None] == labels)
        shares = np.bincount(labels)[labels] / 5
        gaussian = multivariate_normal(cov=covariance).logpdf(vectors[:, 0])
        return gaussian + np.log(shares).sum()

    partitions = SpeakerPartitions(vectors, np.array([3.0]), weight=1.0)
    npt.assert_allclose(
        partitions.evidence(labels) - partitions.evidence(one),
        log_density(labels) - log_density(one),
    )


@pytest.mark.parametrize("weight", [0.3, 1.0])
def test_evidence_of_one_speaker_is_the_bound_of_vbx(embeddings, weight):
    alone = np.ones((len(embeddings), 1))
    bound = vbx(embeddings, PHI, alone, Fa=weight, Fb=1.0).elbo[-1]
    constant = np.log(2 * np.pi) * embeddings.size + np.sum(embeddings**2)
    evidence = SpeakerPartitions(embeddings, PHI, weight).evidence(
        alone[:, 0].astype(int)
    )
    npt.assert_allclose(evidence - weight / 2 * constant, bound, rtol=1e-6)


def test_evidence_is_at_most_the_bound_that_lets_labels_be_uncertain(rng):
    """One E step can only raise the bound of VBx, by little if speakers are clear."""
    model = VBxModel(draw(EQUAL, rng), PHI, Fa=0.2, Fb=1.0)
    partitions = SpeakerPartitions(model.embeddings, PHI)
    constant = np.log(2 * np.pi) * model.embeddings.size + np.sum(model.embeddings**2)
    for labels in (EQUAL, EQUAL // 2, np.arange(80) % 5):
        bound = model.certain(labels).elbo[-1]
        evidence = partitions.evidence(labels) - 0.2 / 2 * constant
        assert evidence <= bound + 1e-5
    npt.assert_allclose(
        partitions.evidence(EQUAL) - 0.2 / 2 * constant,
        model.certain(EQUAL).elbo[-1],
        atol=2.0,
    )


def test_evidence_is_highest_for_the_truth(partitions, truth):
    evidence = {
        number: partitions.evidence(labels)
        for number, labels in partitions.walk(truth, 1, 8)
    }
    assert max(evidence, key=evidence.__getitem__) == 4


def test_separation_is_negative_for_halves_of_a_speaker(partitions, truth):
    assert (partitions.separation(truth, 4) > 0).all()
    halves = np.where((truth == 0) & (np.arange(len(truth)) % 2 == 0), 4, truth)
    separation = partitions.separation(halves, 5)
    assert separation[0] == separation[4] < 0
    assert (separation[1:4] > 0).all()
    npt.assert_array_equal(partitions.separation(np.zeros_like(truth), 1), [np.inf])


def test_separation_of_a_speaker_without_embedding_is_zero(partitions, truth):
    separation = partitions.separation(np.where(truth > 0, truth + 1, 0), 6)
    npt.assert_array_equal(separation[[1, 5]], 0)
    npt.assert_array_equal(separation[[0, 2, 3, 4]], partitions.separation(truth, 4))


# -- partitions into each number


def test_repeated_embeddings_with_less_weight_give_the_same_partition(
    embeddings, truth
):
    repeated = np.repeat(np.arange(len(truth)), 5)
    independent = SpeakerPartitions(embeddings, PHI, weight=1.0)
    weighted = SpeakerPartitions(embeddings[repeated], PHI, weight=0.2)
    npt.assert_allclose(
        weighted.separation(truth[repeated], 4), independent.separation(truth, 4)
    )
    npt.assert_array_equal(
        weighted.reach(truth[repeated], 6), independent.reach(truth, 6)[repeated]
    )


@pytest.mark.parametrize("start", ["one", "pairs", "halves", "each", "wrong"])
def test_truth_is_found_from_anywhere(partitions, truth, start: str, rng):
    labels = {
        "one": np.zeros_like(truth),
        "pairs": truth // 2,
        "halves": 2 * truth + np.arange(len(truth)) % 2,
        "each": np.arange(len(truth)),
        "wrong": rng.integers(4, size=len(truth)),
    }[start]
    assert same_partition(partitions.reach(labels, 4), truth)


@pytest.mark.parametrize("number", [1, 2, 3, 5, 17, 45])
def test_number_comes_out(partitions, truth, number: int):
    labels = partitions.reach(truth, number)
    npt.assert_array_equal(np.unique(labels), np.arange(number))


def test_more_speakers_split_the_true_ones_and_fewer_join_them(partitions, truth):
    more, fewer = partitions.reach(truth, 6), partitions.reach(truth, 3)
    assert len({*zip(more, truth, strict=True)}) == 6
    assert len({*zip(fewer, truth, strict=True)}) == 4


def test_walk_visits_each_number_once(partitions, truth):
    found = dict(partitions.walk(truth, 2, 7))
    assert list(found) == [4, 5, 6, 7, 3, 2]
    assert all(labels.max() + 1 == number for number, labels in found.items())
    assert list(dict(partitions.walk(truth, 6, 7))) == [6, 7]
    assert list(dict(partitions.walk(truth, 1, 2))) == [2, 1]


def test_order_of_embeddings_does_not_matter(embeddings, truth, rng):
    order = rng.permutation(len(truth))
    shuffled = SpeakerPartitions(embeddings[order], PHI)
    for number in (2, 4, 7):
        expected = SpeakerPartitions(embeddings, PHI).reach(truth, number)
        found = shuffled.reach(truth[order], number)
        assert same_partition(found, expected[order])


def test_equal_embeddings_can_be_split_down_to_one_each():
    equal = SpeakerPartitions(np.ones((6, 5)), PHI)
    labels = equal.reach(np.zeros(6, dtype=int), 6)
    npt.assert_array_equal(np.sort(labels), np.arange(6))


def test_hundreds_of_speakers(rng: np.random.Generator):
    people = 30 * rng.standard_normal((200, 5))
    labels = np.arange(400) % 200
    partitions = SpeakerPartitions(people[labels], np.full(5, 900.0))
    assert same_partition(partitions.reach(np.minimum(labels, 180), 200), labels)


def test_arguments_are_left_alone(partitions, truth):
    before = truth.copy()
    partitions.reach(truth, 2)
    partitions.reach(truth, 6)
    npt.assert_array_equal(truth, before)
