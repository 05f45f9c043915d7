# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Evidence for numbers of speakers, hints, and clusterings by name, in a pipeline."""

import numpy as np
import numpy.testing as npt
import pytest
from pyannote.audio.pipelines.speaker_diarization import DiarizeOutput
from tone_model import ToneSegmentation

from pyannote_diarizen.clustering import AutoClustering, HybridClustering, VBxClustering


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"clustering": "auto"},
        {"clustering_options": {"ordered": True}},
        {"segmentation": ToneSegmentation(powerset=False).eval()},
    ],
    ids=str,
)
def test_evidence_of_a_file(build, conversation, options):
    pipeline = build(**options)
    evidence = pipeline.evidence(pipeline(conversation), range(1, 6))
    npt.assert_array_equal(evidence.num_speakers, np.arange(1, 6))
    assert np.isfinite(evidence.log_evidence).all()
    assert len(evidence.separation) == evidence.found


def test_evidence_takes_what_a_file_expects_into_account(build, conversation):
    pipeline = build()
    output = pipeline({**conversation, "expected_speakers": 2})
    evidence = pipeline.evidence(output, range(1, 6))
    assert np.argmax(evidence.log_prior) == 1
    assert evidence.log_prior[4] < 0
    npt.assert_array_equal(pipeline.evidence(pipeline(conversation)).log_prior, 0)


def test_a_clustering_without_evidence_is_refused(build, conversation):
    pipeline = build(clustering="AgglomerativeClustering")
    with pytest.raises(ValueError, match="Clustering computes no evidence"):
        pipeline.evidence(pipeline(conversation))


def test_evidence_needs_features(build, conversation):
    pipeline = build()
    bare = DiarizeOutput(None, None, None)
    with pytest.raises(TypeError, match="with features"):
        pipeline.evidence(bare)


@pytest.mark.parametrize(
    ("short", "expected"),
    [
        ("vbx", VBxClustering),
        ("hybrid", HybridClustering),
        ("auto", AutoClustering),
    ],
)
def test_short_names(build, conversation, short, expected):
    pipeline = build(clustering=short)
    assert type(pipeline.clustering) is expected
    assert pipeline.klustering == expected.__name__
    output = pipeline(conversation, num_speakers=3)
    assert len(output.speaker_diarization.labels()) == 3


def test_expected_speakers_of_a_file(build, conversation):
    pipeline = build(clustering_options={"prior_weight": 1000.0})
    for number in (2, 4):
        output = pipeline({**conversation, "expected_speakers": number})
        assert len(output.speaker_embeddings) == number


def test_time_is_a_hyper_parameter_of_ordered_clusterings(build, conversation):
    pipeline = build(clustering_options={"ordered": True})
    assert pipeline.parameters(instantiated=True)["clustering"]["loop_prob"] == 0.9
    output = pipeline(conversation)
    assert len(output.speaker_diarization.labels()) == 3
