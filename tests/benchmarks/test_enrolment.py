# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Errors of speaker recognition across recordings."""

from types import SimpleNamespace

import numpy as np
import pytest
from pyannote.audio.pipelines.speaker_diarization import DiarizeOutput
from pyannote.core import Annotation, Segment, Timeline

from pyannote_diarizen.clustering.voiceprints import EmbeddingIdentity
from pyannote_diarizen.pipelines.recognition import SpeakerRecognition


@pytest.fixture(scope="module")
def benchmark(load_benchmark):
    return load_benchmark("enrolment")


class Cosines:
    """PLDA whose ratios are 5 for equal and -5 for orthogonal unit vectors."""

    def log_likelihood_ratio(self, a: np.ndarray, b: np.ndarray) -> np.ndarray:
        return 10 * (a @ b.T - 0.5)


@pytest.fixture
def recognition() -> SpeakerRecognition:
    """Recognition without networks."""
    recognition = object.__new__(SpeakerRecognition)
    recognition.plda = Cosines()
    embedding = SimpleNamespace(dimension=2)
    recognition.pipeline = SimpleNamespace(_embedding=embedding)
    recognition.identity = EmbeddingIdentity("directions", "0")
    return recognition


def diarization(*labels: str) -> Annotation:
    """One second of each speaker, one after the other."""
    turns = Annotation(uri="a")
    for second, label in enumerate(labels):
        turns[Segment(second, second + 1)] = label
    return turns


def output(**embeddings: tuple[float, float]) -> DiarizeOutput:
    turns = diarization(*embeddings)
    return DiarizeOutput(turns, turns, np.array(list(embeddings.values())))


def recordings(benchmark, *outputs: DiarizeOutput) -> list:
    return [
        benchmark.Recording(each, set(each.speaker_diarization.labels()))
        for each in outputs
    ]


def test_found_speakers_get_the_names_of_the_reference(benchmark):
    file = {
        "annotation": diarization("bob", "ann"),
        "annotated": Timeline([Segment(0, 3)]),
    }
    found = benchmark.named(output(A=(1, 0), B=(0, 1), C=(1, 1)), file)
    assert found.speakers == {"ann", "bob"}
    assert found.output.speaker_diarization.labels() == ["ann", "bob", "unknown_C"]
    assert found.output.speaker_embeddings.tolist() == [[0, 1], [1, 0], [1, 1]]


def test_pairs_of_one_recording_do_not_count(benchmark):
    first, second = output(ann=(1, 0), bob=(0, 1)), output(ann=(1, 0), eve=(-1, 0))
    row = benchmark.verification(recordings(benchmark, first, second), Cosines())
    assert row == ["1, 3", "0.0%", "0.0%", "0.01"]


def test_right_names_are_no_errors(benchmark, recognition):
    first, second = output(ann=(1, 0), bob=(0, 1)), output(ann=(1, 0), eve=(-1, 0))
    row = benchmark.identification(recordings(benchmark, first, second), recognition)
    assert row == ["2, 2", "0.0%", "0.0%", "0.0%", "0.0%"]


def test_a_voice_like_that_of_another_is_confused(benchmark, recognition):
    """The voice of Ann in the second recording is that of Bob in the first."""
    first, second = output(ann=(1, 0), bob=(0, 1)), output(ann=(0, 1), eve=(-1, 0))
    row = benchmark.identification(recordings(benchmark, first, second), recognition)
    assert row == ["2, 2", "50.0%", "50.0%", "50.0%", "50.0%"]


def test_recordings_without_a_common_speaker_are_no_trial(benchmark, recognition):
    first, second = output(ann=(1, 0)), output(eve=(1, 0))
    row = benchmark.identification(recordings(benchmark, first, second), recognition)
    assert row[0] == "0, 0"
