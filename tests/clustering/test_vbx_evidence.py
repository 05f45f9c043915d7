# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""VBxClustering: evidence for each number of speakers, and the expected number."""

import numpy as np
import numpy.testing as npt
import pytest
from people import DIMENSION, same_partition, windows

from pyannote_diarizen.clustering import VBxClustering


def test_evidence_tells_why(clustering, conversation):
    clustering.Fa = 0.3
    evidence = clustering.evidence(**conversation.inputs, num_speakers=range(1, 7))
    npt.assert_array_equal(evidence.num_speakers, np.arange(1, 7))
    assert evidence.found == 3 == 1 + np.argmax(evidence.log_evidence)
    npt.assert_array_equal(evidence.log_prior, 0)
    npt.assert_allclose(evidence.posterior.sum(), 1)
    assert evidence.separation.shape == (3,)
    assert (evidence.separation > 0).all()
    assert len(evidence.elbo) <= 20

    hard, _, _ = clustering(**conversation.inputs)
    found = evidence.responsibilities.argmax(axis=1)
    assert same_partition(found, hard[evidence.chunks, evidence.speakers])


def test_evidence_reaches_past_what_is_found(clustering, conversation):
    default = clustering.evidence(**conversation.inputs)
    npt.assert_array_equal(default.num_speakers, np.arange(1, 11))


def test_expected_number_is_part_of_the_evidence(clustering, conversation):
    evidence = clustering.evidence(**conversation.inputs, expected_clusters=5)
    assert np.argmax(evidence.log_prior) == 4
    assert evidence.log_prior.max() == 0


def test_evidence_knows_no_hyper_parameter(people_plda, conversation):
    numbers = []
    for number_by in ("vbx", "evidence"):
        clustering = VBxClustering(people_plda, number_by=number_by)
        clustering.instantiate({"threshold": 0.3, "Fa": 0.1, "Fb": 15.0})
        numbers.append(len(clustering(**conversation.inputs)[2]))
    assert numbers[0] < 3 == numbers[1]


@pytest.mark.parametrize(("num_shared", "expected"), [(4, 1), (5, 2)])
def test_who_meets_in_half_of_the_chunks_is_not_one_speaker(
    people_plda, rng, num_shared, expected
):
    """Their embeddings are equal; fewer chunks in common may be errors."""
    voice = rng.standard_normal(DIMENSION)
    embeddings = voice + 0.05 * rng.standard_normal((10, 2, DIMENSION))
    activity = np.zeros((10, 30, 2), dtype=np.uint8)
    activity[:, :15, 0] = 1
    activity[:num_shared, 15:, 1] = 1
    inputs = {"embeddings": embeddings, "segmentations": windows(activity)}
    clustering = VBxClustering(people_plda, number_by="evidence")
    clustering.instantiate(VBxClustering.default_parameters())
    hard, _, centroids = clustering(**inputs)
    assert len(centroids) == len(np.unique(hard[hard != -2])) == expected
    assert clustering.evidence(**inputs).found == expected
    assert len(clustering(**inputs, max_clusters=1)[2]) == 1


def test_number_by_something_else(people_plda):
    with pytest.raises(ValueError, match="should be 'vbx' or 'evidence', got 'bic'"):
        VBxClustering(people_plda, number_by="bic")


def test_no_evidence_in_silence(clustering, conversation):
    conversation.segmentations.data[:] = 0
    with pytest.raises(ValueError, match="got 0: is there speech"):
        clustering.evidence(**conversation.inputs)


@pytest.mark.parametrize("numbers", [[0, 2], [1, 10**6], []])
def test_numbers_out_of_range_have_no_evidence(clustering, conversation, numbers):
    with pytest.raises(ValueError, match="`num_speakers` should be between 1 and"):
        clustering.evidence(**conversation.inputs, num_speakers=numbers)


@pytest.mark.parametrize("how", ["constructor", "call", "file"])
def test_expected_number_draws_the_answer_near(people_plda, conversation, how):
    options = {"expected_clusters": 6} if how == "constructor" else {}
    clustering = VBxClustering(people_plda, prior_weight=100.0, **options)
    clustering.instantiate(VBxClustering.default_parameters())
    call = {
        "constructor": {},
        "call": {"expected_clusters": 6},
        "file": {"file": {"expected_speakers": 6}},
    }[how]
    _, _, centroids = clustering(**conversation.inputs, **call)
    assert len(centroids) == 6
    _, _, centroids = clustering(**conversation.inputs, **call, max_clusters=4)
    assert len(centroids) == 4
    _, _, centroids = clustering(**conversation.inputs, **call, num_clusters=3)
    assert len(centroids) == 3
