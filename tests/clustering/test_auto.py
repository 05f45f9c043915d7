# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import numpy as np
import numpy.testing as npt
import pytest

from pyannote_diarizen.clustering import AutoClustering


@pytest.fixture
def clustering(people_plda):
    auto = AutoClustering(people_plda, min_duration=20, min_embeddings=40)
    return auto.instantiate(auto.default_parameters())


@pytest.mark.parametrize(
    ("num_chunks", "speakers", "expected"),
    [(19, 2, "agglomerative"), (20, 2, "vbx"), (39, 1, "agglomerative")],
)
def test_choice_by_number_of_embeddings(
    clustering, talk, num_chunks, speakers, expected
):
    conversation = talk(2, num_chunks)
    segmentations = conversation.segmentations
    segmentations.data[:, :, speakers:] = 0
    chosen = clustering.choose(conversation.embeddings, segmentations)
    assert chosen is getattr(clustering, expected)


@pytest.mark.parametrize(("seconds", "expected"), [(30, "agglomerative"), (29, "vbx")])
def test_choice_by_duration(clustering, talk, seconds, expected):
    conversation = talk(2, 28)  # 27 steps of 0.8 seconds and 8 seconds: 29.6 seconds
    clustering.min_duration = seconds
    chosen = clustering.choose(**conversation.inputs)
    assert chosen is getattr(clustering, expected)


@pytest.mark.parametrize("num_chunks", [10, 30])
def test_answer_is_that_of_the_chosen_one(clustering, talk, num_chunks):
    conversation = talk(3, num_chunks)
    chosen = clustering.choose(**conversation.inputs)
    expected = chosen(**conversation.inputs, num_clusters=3)
    found = clustering(**conversation.inputs, num_clusters=3)
    for one, other in zip(found, expected, strict=True):
        npt.assert_array_equal(one, other)


def test_evidence_is_that_of_vbx(clustering, talk):
    conversation = talk(3, 10)
    found = clustering.evidence(**conversation.inputs, num_speakers=range(1, 5))
    expected = clustering.vbx.evidence(**conversation.inputs, num_speakers=range(1, 5))
    npt.assert_array_equal(found.log_evidence, expected.log_evidence)
    assert np.isfinite(found.log_evidence).all()


def test_parameters_of_both_are_tuned(clustering):
    parameters = clustering.parameters()
    assert set(parameters) == {"agglomerative", "vbx"}
    for name, values in clustering.default_parameters().items():
        assert set(parameters[name]) == set(values)
