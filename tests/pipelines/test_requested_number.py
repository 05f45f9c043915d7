# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Requested number of speakers: refusals, and the number in the output."""

import sys
import warnings
from concurrent.futures import ThreadPoolExecutor
from itertools import product

import numpy as np
import pytest
import torch
from pyannote.audio.pipelines.speaker_diarization import (
    DiarizeOutput,
    SpeakerDiarization,
)
from tone_model import SAMPLE_RATE, tones

from pyannote_diarizen.hub.loading import load_pipeline
from pyannote_diarizen.pipelines import DiariZen
from pyannote_diarizen.pipelines.reconstruction import labels_by_appearance

CLUSTERINGS = [
    ("vbx", {}),
    ("vbx", {"ordered": True}),
    ("vbx", {"number_by": "evidence"}),
    ("hybrid", {}),
    ("agglomerative", {}),
    ("auto", {}),
    ("kmeans", {}),
]
AHC = {"method": "centroid", "min_cluster_size": 1, "threshold": 0.5}


@pytest.mark.parametrize(
    ("options", "name"),
    [
        ({"num_speakers": 0}, "num_speakers"),
        ({"min_speakers": True}, "min_speakers"),
        ({"max_speakers": 2.5}, "max_speakers"),
        ({"num_speakers": 2, "max_speakers": 1}, "max_speakers"),
    ],
)
def test_impossible_numbers_are_refused_before_a_network_runs(
    build, conversation, passes, options, name
):
    with pytest.raises((TypeError, ValueError), match=f"`{name}`"):
        build()(conversation, **options)
    assert not passes


def test_contradictions_are_refused_in_a_second_clustering(build, conversation):
    pipeline = build()
    output = pipeline(conversation)
    with pytest.raises(ValueError, match="`min_speakers` should be at most"):
        pipeline.recluster(output, 2, 6)


def test_second_positional_argument_is_refused(build, conversation, passes):
    with pytest.raises(TypeError, match="num_speakers=2, got 2 as second"):
        build()(conversation, 2)
    assert not passes


@pytest.mark.parametrize("expected", ["four", float("nan"), float("inf"), 0])
def test_expected_number_is_checked(build, conversation, passes, expected):
    file = {**conversation, "expected_speakers": expected}
    with pytest.raises((TypeError, ValueError), match="`expected_speakers`"):
        build()(file)
    assert not passes
    options = {"expected_clusters": expected}
    with pytest.raises((TypeError, ValueError), match="`expected_speakers`"):
        build(clustering_options=options)


def test_bounds_of_the_configuration_are_checked_before_a_model_is_loaded():
    with pytest.raises(ValueError, match="`min_speakers` should be at most"):
        DiariZen("absent", "absent", min_speakers=3, max_speakers=2)
    with pytest.raises(TypeError, match="`max_speakers`"):
        DiariZen("absent", "absent", max_speakers="4")


# -- number in the output


@pytest.fixture
def stock(segmentation_model, embedding_model, plda) -> SpeakerDiarization:
    pipeline = SpeakerDiarization(
        segmentation=segmentation_model,
        embedding=embedding_model,
        plda=plda,
        clustering="AgglomerativeClustering",
    )
    parameters = {"segmentation": {"min_duration_off": 0.0}, "clustering": AHC}
    return pipeline.instantiate(parameters)


def test_pyannote_warns_of_clusters(stock, conversation):
    with pytest.warns(UserWarning, match="too short to contain 99"):
        stock(conversation, min_speakers=99)


def test_pyannote_refuses_256_speakers(stock, conversation):
    with pytest.raises(OverflowError, match="256 out of bounds for uint8"):
        stock(conversation, max_speakers=256)


@pytest.mark.parametrize("most", [256, sys.maxsize])
def test_a_maximum_that_no_recording_reaches(build, conversation, most):
    pipeline = build()
    unbounded, bounded = (
        pipeline(conversation),
        pipeline(conversation, max_speakers=most),
    )
    assert bounded.speaker_diarization == unbounded.speaker_diarization


@pytest.fixture
def random_file(build, conversation, rng):
    """File whose segmentation and embeddings are random: chunks disagree."""

    def random_file(pipeline, num_voices: int):
        output = pipeline(dict(conversation), num_speakers=3)
        loaded = output.features.load(pipeline._reader)
        num_chunks, num_frames, num_speakers = loaded.segmentations.data.shape
        runs = rng.random((num_chunks, num_frames // 10 + 1, num_speakers)) < 0.3
        active = np.repeat(runs, 10, axis=1)[:, :num_frames]
        loaded.segmentations.data = active.astype(np.uint8)
        voices = rng.standard_normal((num_voices, loaded.embeddings.shape[2]))
        chosen = rng.integers(0, num_voices, (num_chunks, num_speakers))
        noise = 0.1 * rng.standard_normal(loaded.embeddings.shape)
        loaded.embeddings = voices[chosen] + noise
        return loaded

    return random_file


@pytest.mark.filterwarnings("ignore:The exclusive diarization")
@pytest.mark.parametrize("min_duration_off", [0.0, 1.0])
@pytest.mark.parametrize(("clustering", "options"), CLUSTERINGS)
def test_the_requested_number_comes_out(
    build, random_file, clustering, options, min_duration_off
):
    pipeline = build(clustering=clustering, clustering_options=options)
    pipeline.segmentation.min_duration_off = min_duration_off
    for num_voices in (1, 2, 5):
        file = random_file(pipeline, num_voices)
        kept = file.segmentations, file.embeddings
        for number in range(1, 9):
            file.segmentations, file.embeddings = kept
            output = pipeline.apply(file, num_speakers=number)
            assert_consistent(output, number)


def assert_consistent(output: DiarizeOutput, number: int) -> None:
    full, exclusive = output.speaker_diarization, output.exclusive_speaker_diarization
    names = [f"SPEAKER_{k:02d}" for k in range(number)]
    assert labels_by_appearance(full) == names
    assert len(output.speaker_embeddings) == number
    assert not exclusive.get_overlap()
    assert set(exclusive.labels()) <= set(full.labels())
    assert full.get_timeline().support() == exclusive.get_timeline().support()


@pytest.mark.parametrize("bounds", [{"min_speakers": 5}, {"max_speakers": 2}])
@pytest.mark.filterwarnings("ignore:The exclusive diarization")
def test_bounds_hold(build, random_file, bounds):
    pipeline = build()
    output = pipeline.apply(random_file(pipeline, 3), **bounds)
    found = len(output.speaker_diarization.labels())
    assert bounds.get("min_speakers", 1) <= found <= bounds.get("max_speakers", 99)


def test_four_turns_of_two_voices_are_four_speakers(build):
    turns = [(0.5, 2.5, 0), (4.5, 6.5, 1), (8.5, 10.5, 0), (12.5, 14.5, 1)]
    file = {"waveform": tones(turns, 15.0), "sample_rate": SAMPLE_RATE}
    for clustering in ("vbx", "agglomerative", "auto"):
        output = build(clustering=clustering)(dict(file), num_speakers=4)
        assert len(output.speaker_diarization.labels()) == 4


def test_another_number_is_a_warning_with_the_reason(build, conversation, reference):
    short = {"waveform": tones([(0.1, 0.6, 1)], 0.7), "sample_rate": SAMPLE_RATE}
    with pytest.warns(
        UserWarning, match="instead of 3: 1 embedding.s. make 1"
    ) as caught:
        build()({**short, "uri": "call"}, num_speakers=3)
    messages = [str(warning.message) for warning in caught]
    assert sum("'call' has 1 speaker" in message for message in messages) == 1
    assert not any("too short" in message for message in messages)
    silence = {"waveform": torch.zeros(1, 3 * SAMPLE_RATE), "sample_rate": SAMPLE_RATE}
    with pytest.warns(UserWarning, match="instead of at least 2: there is no speech"):
        build()(silence, min_speakers=2)
    oracle = build(clustering="OracleClustering", plda=None)
    with pytest.warns(UserWarning, match="of 1 to 2: the clustering does not take"):
        oracle({**conversation, "annotation": reference}, max_speakers=2)


def test_the_exclusive_diarization_says_whom_it_lacks(build, segmentation_model):
    """The second speaker only speaks where the first one does."""
    turns = [(0.5, 5.0, 0), (2.0, 3.0, 1)]
    file = {"waveform": tones(turns, 5.5), "sample_rate": SAMPLE_RATE, "uri": "call"}
    with pytest.warns(UserWarning, match="exclusive diarization of 'call' lacks"):
        output = build()(file, num_speakers=2)
    assert len(output.speaker_diarization.labels()) == 2
    assert len(output.exclusive_speaker_diarization.labels()) == 1


def test_calls_at_the_same_time_keep_their_own_numbers(build, conversation):
    pipeline = build()
    numbers = [1, 2, 4, 3] * 2
    with ThreadPoolExecutor(4) as threads:
        outputs = threads.map(
            lambda number: pipeline(dict(conversation), num_speakers=number), numbers
        )
    found = [len(output.speaker_diarization.labels()) for output in outputs]
    assert found == numbers


@pytest.mark.slow
def test_the_requested_number_comes_out_of_meetings(shared):
    bundled = load_pipeline("diarizen-tiny", "cpu")
    outputs = [bundled(path) for path in sorted(shared.glob("audio/ami/*.flac"))]
    assert len(outputs) == 8
    for clustering, options in CLUSTERINGS:
        pipeline = DiariZen(
            bundled._segmentation.model,
            bundled._embedding.model_,
            plda=bundled._plda,
            clustering=clustering,
            clustering_options=options,
            median_filter=bundled.median_filter,
        )
        parameters = pipeline.default_parameters()
        parameters["segmentation"]["min_duration_off"] = 0.127
        pipeline.instantiate(parameters)
        for output, number in product(outputs, range(1, 9)):
            with warnings.catch_warnings(record=True) as caught:
                warnings.simplefilter("always")
                again = pipeline.recluster(output, num_speakers=number)
            found = len(again.speaker_diarization.labels())
            assert_consistent(again, found)
            if found != number:  # k-means of pyannote.audio leaves most embeddings out
                assert clustering == "kmeans"
                assert any("instead of" in str(warning.message) for warning in caught)


def test_bounds_on_the_number_of_speakers(build, conversation):
    def num_speakers(**bounds):
        output = pipeline(dict(conversation), **bounds)
        return len(output.speaker_diarization.labels())

    pipeline = build()
    assert num_speakers(num_speakers=2) == 2
    assert num_speakers(max_speakers=2) == 2
    assert num_speakers(min_speakers=4) == 4
    assert num_speakers(min_speakers=2, max_speakers=5) == 3
    assert num_speakers(num_speakers=1) == 1
    with pytest.raises(ValueError, match="`min_speakers` should be at most"):
        num_speakers(min_speakers=3, max_speakers=2)


def test_first_to_speak_is_number_zero(build, conversation):
    for options in ({}, {"num_speakers": 2}, {"num_speakers": 4}):
        output = build()(dict(conversation), **options)
        labels = labels_by_appearance(output.speaker_diarization)
        assert labels == output.speaker_diarization.labels()
        tone = output.speaker_embeddings[0, :3].argmax()
        assert (labels[0], tone) == ("SPEAKER_00", 0)


def test_bounds_for_calls_that_give_none(build, conversation):
    pipeline = build(max_speakers=2)
    labels = pipeline(dict(conversation)).speaker_diarization.labels()
    assert len(labels) == 2
    output = pipeline(dict(conversation), num_speakers=3)
    assert len(output.speaker_diarization.labels()) == 3
    with pytest.warns(UserWarning, match="`max_speakers` of the configuration"):
        output = pipeline(dict(conversation), min_speakers=3)
    assert len(output.speaker_diarization.labels()) == 3
    kept = build(min_speakers=4)(dict(conversation), max_speakers=6)
    assert len(kept.speaker_diarization.labels()) == 4


def test_kmeans_says_what_it_needs(build, conversation):
    with pytest.raises(ValueError, match="num_speakers must be provided"):
        build(clustering="KMeansClustering")(conversation)


def test_arguments_come_with_the_file(build, conversation):
    output = build()({**conversation, "pipeline_kwargs": {"num_speakers": 2}})
    assert len(output.speaker_diarization.labels()) == 2
