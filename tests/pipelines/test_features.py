# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Clustering a file again gives what processing it anew gives."""

import pickle

import numpy as np
import numpy.testing as npt
import pytest
import torch
from pyannote.audio.pipelines.speaker_diarization import DiarizeOutput
from tone_model import SAMPLE_RATE, ToneSegmentation

from pyannote_diarizen.pipelines.features import DiariZenOutput


def assert_same(actual: DiarizeOutput, expected: DiarizeOutput) -> None:
    for name in ("speaker_diarization", "exclusive_speaker_diarization"):
        assert getattr(actual, name).to_rttm() == getattr(expected, name).to_rttm()
    npt.assert_array_equal(actual.speaker_embeddings, expected.speaker_embeddings)


@pytest.mark.parametrize(
    "options",
    [
        {},
        {"clustering": "AgglomerativeClustering", "plda": None},
        {"clustering": "KMeansClustering", "plda": None},
        {"compatibility": "diarizen"},
        {"segmentation": ToneSegmentation(powerset=False).eval()},
    ],
    ids=str,
)
def test_as_anew(build, conversation, passes, options):
    pipeline = build(**options)
    first = pipeline(dict(conversation), num_speakers=3)
    before = dict(passes)
    for bounds in ({"num_speakers": 2}, {"num_speakers": 4}, {"num_speakers": 1}):
        again = pipeline.recluster(first, **bounds)
        assert passes == before
        assert isinstance(again, DiariZenOutput)
        assert_same(again, pipeline(dict(conversation), **bounds))
        passes.clear()
        passes.update(before)
    assert_same(pipeline.recluster(again, num_speakers=3), first)


def test_bounds_and_new_hyper_parameters(build, conversation):
    pipeline = build()
    output = pipeline(dict(conversation))
    assert_same(pipeline.recluster(output), output)
    for bounds in ({"min_speakers": 4}, {"max_speakers": 2}):
        expected = pipeline(dict(conversation), **bounds)
        assert_same(pipeline.recluster(output, **bounds), expected)
    pipeline.instantiate({"segmentation": {"min_duration_off": 1.0}})
    expected = pipeline(dict(conversation))
    assert_same(pipeline.recluster(output), expected)
    assert expected.speaker_diarization != output.speaker_diarization


@pytest.mark.parametrize("clustering", ["OracleClustering", "KMeansClustering"])
def test_names_of_the_reference(build, conversation, reference, clustering):
    pipeline = build(clustering=clustering, plda=None)
    output = pipeline({**conversation, "annotation": reference})
    assert output.speaker_diarization.labels() == ["tone0", "tone1", "tone2"]
    assert_same(pipeline.recluster(output), output)


def test_another_clustering_of_the_same_models(build, conversation):
    output = build()(dict(conversation))
    other = build(clustering="AgglomerativeClustering", plda=None)
    expected = other(dict(conversation), num_speakers=2)
    assert_same(other.recluster(output, num_speakers=2), expected)


def test_nobody_speaks(build):
    silence = {"waveform": torch.zeros(1, 3 * SAMPLE_RATE), "sample_rate": SAMPLE_RATE}
    pipeline = build()
    again = pipeline.recluster(pipeline(silence), num_speakers=2)
    assert not again.speaker_diarization
    assert again.speaker_embeddings.shape == (0, 6)


def test_features_are_small_and_survive_pickling(build, conversation):
    artifacts = {}

    def keep(step, artifact, **progress):
        artifacts[step] = artifact

    pipeline = build()
    output = pipeline(dict(conversation), hook=keep)
    segmentations = artifacts["segmentation"].data
    embedded = np.isfinite(artifacts["embeddings"]).all(axis=2)
    assert embedded.mean() < 0.8
    features = output.features
    assert features.activity.nbytes == np.ceil(segmentations.size / 8)
    assert features.embedding.shape == (embedded.sum(), 6)
    assert "waveform" not in features.file
    copy = pickle.loads(pickle.dumps(output))
    npt.assert_array_equal(copy.features.segmentations.data, segmentations)
    npt.assert_array_equal(copy.features.embeddings, artifacts["embeddings"])
    assert_same(pipeline.recluster(copy), output)


def test_lists_of_files(build, conversation):
    pipeline = build()
    ((_, output),) = pipeline([dict(conversation)])
    expected = pipeline(dict(conversation), num_speakers=2)
    assert_same(pipeline.recluster(output, num_speakers=2), expected)


def test_other_features_are_needed(build, conversation):
    output = build()(dict(conversation))
    with pytest.raises(ValueError, match=r"median_filter 11.* median_filter 3"):
        build(median_filter=3).recluster(output)
    for option in ({"seg_duration": 3.0}, {"channel": 0}):
        with pytest.raises(ValueError, match=str(next(iter(option)))):
            build(**option).recluster(output)
    multilabel = build(segmentation=ToneSegmentation(powerset=False).eval())
    output = multilabel(dict(conversation))
    multilabel.instantiate({"segmentation": {"threshold": 0.7}})
    with pytest.raises(ValueError, match=r"'tones'.*threshold 0\.5.* anew"):
        multilabel.recluster(output)


def test_outputs_without_features(build, conversation):
    pipeline = build()
    annotation = build(legacy=True)(dict(conversation))
    with pytest.raises(TypeError, match=r"legacy.* got Annotation without"):
        pipeline.recluster(annotation)
    output = pipeline(dict(conversation))
    output.features = None
    with pytest.raises(TypeError, match="got DiariZenOutput without"):
        pipeline.recluster(output)
