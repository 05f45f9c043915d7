# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
from pathlib import Path

import numpy as np
import numpy.testing as npt
import pytest
from pyannote.audio.pipelines import clustering as host
from pyannote.core import SlidingWindow, SlidingWindowFeature

from pyannote_diarizen.clustering import AgglomerativeClustering

PARAMETERS = {"method": "centroid", "min_cluster_size": 2, "threshold": 0.5}


def windows(activity: np.ndarray) -> SlidingWindowFeature:
    return SlidingWindowFeature(activity, SlidingWindow(duration=8, step=0.8))


@pytest.fixture
def conversation(rng: np.random.Generator) -> dict:
    """Ten chunks of two people, of whom the second is silent in the last chunk."""
    people = rng.standard_normal((2, 16))
    embeddings = people + 0.1 * rng.standard_normal((10, 2, 16))
    activity = np.zeros((10, 20, 2))
    activity[:, :10, 0] = activity[:-1, 10:, 1] = 1
    return {"embeddings": embeddings, "segmentations": windows(activity)}


def test_speakers_of_a_chunk_are_different(conversation):
    # in the last chunk, both sound like the first
    conversation["embeddings"][-1, 1] = conversation["embeddings"][-1, 0]
    conversation["segmentations"].data[-1, 10:, 1] = 1
    clustering = AgglomerativeClustering().instantiate(PARAMETERS)
    hard, _, _ = clustering(**conversation)
    assert (hard[:, 0] != hard[:, 1]).all()
    free = AgglomerativeClustering(constrained_assignment=False)
    hard, _, _ = free.instantiate(PARAMETERS)(**conversation)
    assert hard[-1, 0] == hard[-1, 1]


@pytest.mark.parametrize("compete", [False, True])
def test_silent_speakers_compete_on_demand(conversation, compete):
    # the silent one of the last chunk fits the cluster of the one who speaks better
    first, second = conversation["embeddings"][-1]
    second[:] = conversation["embeddings"][0, 0]
    first[:] = 0.6 * first + 0.4 * conversation["embeddings"][0, 1]
    clustering = AgglomerativeClustering(silent_speakers_compete=compete)
    hard, _, _ = clustering.instantiate(PARAMETERS)(**conversation)
    assert (hard[-1, 0] == hard[0, 0]) != compete


def test_bounds_are_honoured(conversation):
    clustering = AgglomerativeClustering()
    clustering.instantiate({**PARAMETERS, "min_cluster_size": 1})
    for number in (1, 2, 4):
        _, _, centroids = clustering(**conversation, num_clusters=number)
        assert len(centroids) == number


def test_hundreds_of_clusters_do_not_overflow():
    hard = AgglomerativeClustering().constrained_argmax(np.eye(300)[:, None])
    npt.assert_array_equal(hard[:, 0], np.arange(300))


def test_parent_does_the_rest(conversation):
    """With all of the host's choices, the host's result."""
    clustering = AgglomerativeClustering(
        constrained_assignment=False,
        min_active_ratio=0.2,
        silent_speakers_compete=True,
    ).instantiate(PARAMETERS)
    stock = host.AgglomerativeClustering().instantiate(PARAMETERS)
    expected = stock(**conversation)
    for mine, theirs in zip(clustering(**conversation), expected, strict=True):
        npt.assert_array_equal(mine, theirs)


@pytest.mark.parity
@pytest.mark.parametrize("case", range(4))
def test_equals_original(parity: Path, case: int):
    expected = np.load(parity / "vbx" / f"clustering_{case}.npz")
    clustering = AgglomerativeClustering(silent_speakers_compete=True)
    clustering.instantiate(
        {"method": "centroid", "min_cluster_size": 4, "threshold": 0.7}
    )
    hard, soft, centroids = clustering(
        expected["embeddings"], windows(expected["segmentations"])
    )
    npt.assert_array_equal(hard, expected["ahc.hard"])
    npt.assert_allclose(soft, expected["ahc.soft"], atol=1e-9)
    npt.assert_allclose(centroids, expected["ahc.centroids"], atol=1e-9)
