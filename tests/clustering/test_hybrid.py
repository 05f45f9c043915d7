# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import pytest
from people import same_partition

from pyannote_diarizen.clustering import HybridClustering
from pyannote_diarizen.functional.vbx_model import VBxModel

PARAMETERS = {"threshold": 0.6, "Fa": 0.3, "Fb": 1.0, "margin": 0.3}


@pytest.fixture
def seen(monkeypatch):
    """Numbers of embeddings that VBx is given."""
    numbers = []
    fit = VBxModel.fit

    def listen(model, responsibilities):
        numbers.append(len(responsibilities))
        return fit(model, responsibilities)

    monkeypatch.setattr(VBxModel, "fit", listen)
    return numbers


def test_halves_of_a_speaker_are_merged(people_plda, talk):
    conversation = talk(3, 30, noise=1.0)
    clustering = HybridClustering(people_plda, number_by="vbx")
    clustering.instantiate(PARAMETERS)
    hard, _, _ = clustering(**conversation.inputs)
    assert same_partition(hard, conversation.truth)
    # the agglomerative clustering alone leaves more
    clustering.margin = 0.0
    assert clustering(**conversation.inputs)[0].max() > hard.max()


def test_vbx_sees_doubtful_clusters_only(people_plda, talk, seen):
    conversation = talk(4, 40, noise=0.3)
    clustering = HybridClustering(people_plda).instantiate(PARAMETERS)
    clustering(**conversation.inputs)
    assert seen == []

    vague = conversation.truth == 2
    center = conversation.embeddings[vague].mean(axis=0)
    conversation.embeddings[vague] += 3 * (conversation.embeddings[vague] - center)
    hard, _, _ = clustering(**conversation.inputs)
    assert seen == [vague.sum()]
    assert same_partition(hard, conversation.truth)


def test_evidence_settles_the_number_by_default(people_plda, talk):
    conversation = talk(4, 40, noise=1.0)
    splitting = {**PARAMETERS, "threshold": 0.3, "margin": 0.0}
    by_evidence = HybridClustering(people_plda).instantiate(splitting)
    hard, _, _ = by_evidence(**conversation.inputs)
    assert same_partition(hard, conversation.truth)
    by_vbx = HybridClustering(people_plda, number_by="vbx").instantiate(splitting)
    assert by_vbx(**conversation.inputs)[0].max() > hard.max()


def test_a_margin_is_no_number_of_clusters(people_plda):
    with pytest.raises(ValueError, match="should be 'distance'"):
        HybridClustering(people_plda, ahc_criterion="maxclust")


def test_ordered_hybrid(people_plda, talk):
    conversation = talk(3, 30, noise=1.0)
    clustering = HybridClustering(people_plda, ordered=True)
    clustering.instantiate({**PARAMETERS, "loop_prob": 0.5})
    hard, _, _ = clustering(**conversation.inputs)
    assert same_partition(hard, conversation.truth)
