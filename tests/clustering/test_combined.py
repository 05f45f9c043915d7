# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import numpy as np
import numpy.testing as npt
import pytest
from people import same_partition

from pyannote_diarizen.clustering import (
    AutoClustering,
    HybridClustering,
    VBxClustering,
)


def test_hybrid_is_vbx_by_evidence(people_plda, talk):
    # hyper-parameters with which VBx alone finds too few speakers
    conversation = talk(4, 40, noise=1.0)
    parameters = {"threshold": 0.3, "Fa": 0.1, "Fb": 15.0}
    hybrid = HybridClustering(people_plda).instantiate(parameters)
    hard, _, _ = hybrid(**conversation.inputs)
    assert same_partition(hard, conversation.truth)
    by_evidence = VBxClustering(people_plda, number_by="evidence")
    expected, _, _ = by_evidence.instantiate(parameters)(**conversation.inputs)
    npt.assert_array_equal(hard, expected)
    by_vbx = HybridClustering(people_plda, number_by="vbx").instantiate(parameters)
    assert by_vbx(**conversation.inputs)[0].max() < hard.max()


@pytest.fixture
def auto(people_plda) -> AutoClustering:
    clustering = AutoClustering(people_plda, min_embeddings=40)
    return clustering.instantiate(clustering.default_parameters())


@pytest.mark.parametrize(
    ("num_chunks", "num_active", "expected"),
    [(19, 2, "agglomerative"), (20, 2, "vbx"), (39, 1, "agglomerative")],
)
def test_auto_chooses_by_number_of_embeddings(
    auto, talk, num_chunks, num_active, expected
):
    conversation = talk(2, num_chunks)
    segmentations = conversation.segmentations
    segmentations.data[:, :, num_active:] = 0
    chosen = auto.choose(conversation.embeddings, segmentations)
    assert chosen is getattr(auto, expected)


@pytest.mark.parametrize("num_chunks", [10, 30])
def test_auto_returns_the_result_of_the_chosen_clustering(auto, talk, num_chunks):
    conversation = talk(3, num_chunks)
    chosen = auto.choose(**conversation.inputs)
    expected = chosen(**conversation.inputs, num_clusters=3)
    found = auto(**conversation.inputs, num_clusters=3)
    for one, other in zip(found, expected, strict=True):
        npt.assert_array_equal(one, other)


def test_auto_has_the_evidence_of_vbx(auto, talk):
    conversation = talk(3, 10)
    found = auto.evidence(**conversation.inputs, num_speakers=range(1, 5))
    expected = auto.vbx.evidence(**conversation.inputs, num_speakers=range(1, 5))
    npt.assert_array_equal(found.log_evidence, expected.log_evidence)
    assert np.isfinite(found.log_evidence).all()


def test_auto_tunes_both_clusterings(auto):
    parameters = auto.parameters()
    assert set(parameters) == {"agglomerative", "vbx"}
    for name, values in auto.default_parameters().items():
        assert set(parameters[name]) == set(values)
