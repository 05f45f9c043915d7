# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Evidence of speakers: agrees with VBx, merges halves, splits mixtures."""

import numpy as np
import numpy.testing as npt
import pytest

from pyannote_diarizen.functional.speaker_evidence import (
    SpeakerEvidence,
    merge_speakers,
    split_speakers,
)
from pyannote_diarizen.functional.vbx import vbx

PHI = np.linspace(6, 1, 5)


@pytest.fixture
def evidence() -> SpeakerEvidence:
    return SpeakerEvidence(PHI, Fa=0.3, Fb=0.8)


@pytest.fixture
def labels() -> np.ndarray:
    return np.repeat([0, 1, 2, 3], [20, 5, 12, 8])


@pytest.fixture
def embeddings(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    speakers = 3 * rng.standard_normal((4, 5)) * np.sqrt(PHI)
    return speakers[labels] + rng.standard_normal((len(labels), 5))


def same_partition(responsibilities: np.ndarray, labels: np.ndarray) -> bool:
    found = responsibilities.argmax(axis=1)
    pairs = {*zip(found, labels, strict=True)}
    return len(pairs) == len({*found}) == len({*labels})


def test_single_speaker_is_the_bound_of_vbx(embeddings, evidence):
    posterior = vbx(
        embeddings, PHI, np.ones((len(embeddings), 1)), Fa=evidence.Fa, Fb=evidence.Fb
    )
    without_speaker = np.log(2 * np.pi) * embeddings.size + np.sum(embeddings**2)
    actual = evidence(np.array(len(embeddings)), embeddings.sum(axis=0))
    npt.assert_allclose(
        actual - evidence.Fa / 2 * without_speaker, posterior.elbo[-1], rtol=1e-6
    )


def test_nobody_has_no_evidence(evidence):
    assert evidence(np.array(0), np.zeros(5)) == 0


def test_halves_of_a_speaker_are_merged_first(embeddings, labels, evidence):
    halves = np.eye(8)[2 * labels + np.arange(len(labels)) % 2]
    merged = merge_speakers(embeddings, halves, 4, evidence)
    assert merged.shape == (len(labels), 4)
    assert same_partition(merged, labels)


def test_mixtures_of_speakers_are_split_first(embeddings, labels, evidence):
    mixed = np.eye(2)[labels // 2]
    assert same_partition(split_speakers(embeddings, mixed, 4, evidence), labels)


def test_rows_still_sum_to_one(embeddings, evidence, rng):
    soft = rng.dirichlet(np.ones(3), size=len(embeddings))
    for number in (1, 2, 3):
        merged = merge_speakers(embeddings, soft, number, evidence)
        npt.assert_allclose(merged.sum(axis=1), 1)
    npt.assert_allclose(split_speakers(embeddings, soft, 7, evidence).sum(axis=1), 1)


def test_arguments_are_left_alone(embeddings, evidence, rng):
    soft = rng.dirichlet(np.ones(3), size=len(embeddings))
    before = soft.copy()
    merge_speakers(embeddings, soft, 1, evidence)
    split_speakers(embeddings, soft, 5, evidence)
    npt.assert_array_equal(soft, before)


def test_within_bounds_nothing_changes(embeddings, evidence, rng):
    soft = rng.dirichlet(np.ones(3), size=len(embeddings))
    npt.assert_array_equal(merge_speakers(embeddings, soft, 3, evidence), soft)
    npt.assert_array_equal(split_speakers(embeddings, soft, 3, evidence), soft)


def test_equal_embeddings_can_be_split_down_to_one_each(evidence):
    split = split_speakers(np.ones((6, 5)), np.ones((6, 1)), 6, evidence)
    npt.assert_array_equal(np.sort(split.argmax(axis=1)), np.arange(6))
