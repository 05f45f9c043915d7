# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Clusterings of many embeddings and speakers: two stages, numbers past one byte."""

import numpy as np
import numpy.testing as npt
import pytest
from pyannote.core import SlidingWindow, SlidingWindowFeature
from sklearn.metrics import adjusted_rand_score

from pyannote_diarizen.clustering import PLDA, VBxClustering, agglomerative
from pyannote_diarizen.clustering import vbx as module
from pyannote_diarizen.clustering.local_speakers import one_to_one
from pyannote_diarizen.functional import linkage
from pyannote_diarizen.pipelines.segmentation import silence_padding

DIMENSION = 32
NUM_SPEAKERS = 150


def people(rng: np.random.Generator, count: int) -> np.ndarray:
    return 2 * rng.standard_normal((count, DIMENSION))


@pytest.fixture
def clustering(rng: np.random.Generator) -> VBxClustering:
    labels = np.repeat(np.arange(200), 5)
    embeddings = people(rng, 200)[labels] + rng.standard_normal((1000, DIMENSION))
    plda = PLDA.fit(embeddings, labels, 24)
    return VBxClustering(plda).instantiate(VBxClustering.default_parameters())


def talk(
    rng: np.random.Generator, num_embeddings: int, count: int, noise: float = 0.5
) -> tuple[np.ndarray, np.ndarray]:
    truth = rng.integers(count, size=(num_embeddings, 1))
    embeddings = people(rng, count)[truth]
    return embeddings + noise * rng.standard_normal(embeddings.shape), truth


@pytest.mark.parametrize("num_clusters", [None, 4])
@pytest.mark.parametrize("noise", [0.5, 1.0])
def test_two_stages_find_the_same_speakers(
    clustering, rng, monkeypatch, num_clusters, noise
):
    embeddings, _ = talk(rng, 600, 6, noise)
    monkeypatch.setattr(agglomerative._dendrograms, "max_bytes", 0)
    expected, _, _ = clustering(embeddings, num_clusters=num_clusters)
    monkeypatch.setattr(linkage.linkage, "__defaults__", ("centroid", "euclidean", 100))
    found, _, _ = clustering(embeddings, num_clusters=num_clusters)
    assert adjusted_rand_score(expected.ravel(), found.ravel()) > 0.99
    assert np.max(found) == np.max(expected)


def test_vbx_starts_with_as_many_clusters_as_memory_has_room_for(
    clustering, rng, monkeypatch
):
    embeddings, truth = talk(rng, 300, 6, noise=1.5)
    monkeypatch.setattr(module, "MAX_RESPONSIBILITIES", 300 * 20)
    starts = []
    smooth_labels = module.smooth_labels
    monkeypatch.setattr(
        module,
        "smooth_labels",
        lambda labels: starts.append(labels) or smooth_labels(labels),
    )
    found, _, _ = clustering(embeddings)
    assert np.max(starts) + 1 == 20
    assert adjusted_rand_score(truth.ravel(), found.ravel()) > 0.95


def test_more_speakers_than_one_byte_counts(clustering, rng):
    embeddings, truth = talk(rng, 1500, NUM_SPEAKERS, noise=0.2)
    clustering.Fa, clustering.Fb = 0.5, 0.8
    found, soft, _ = clustering(embeddings)
    assert found.max() + 1 == soft.shape[2] == NUM_SPEAKERS
    assert adjusted_rand_score(truth.ravel(), found.ravel()) == 1


def test_one_to_one_counts_clusters_past_one_byte():
    soft = np.zeros((1, 2, 300))
    soft[0, 0, 299] = soft[0, 1, 150] = 1
    assert one_to_one(soft).tolist() == [[299, 150]]


def test_frames_are_numbered_past_four_bytes():
    frames = SlidingWindow(start=0.0, duration=0.025, step=0.02)
    late = 2**31 * frames.step

    def silenced(start: float) -> np.ndarray:
        chunks = SlidingWindow(start=start, duration=2.0, step=0.2)
        always = SlidingWindowFeature(np.ones((13, 99, 1), np.uint8), chunks)
        return silence_padding(always, frames, start + 4.305).data

    assert silenced(0.0)[-1].any()
    assert not silenced(0.0)[-1].all()
    npt.assert_array_equal(silenced(late), silenced(0.0))
