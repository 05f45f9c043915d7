# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""What clusterings are compared on, and how they are scored."""

import re
from pathlib import Path

import numpy as np
import numpy.testing as npt
import pytest

from pyannote_diarizen.clustering import PLDA
from pyannote_diarizen.hub.bundled import bundled_folder

DOCUMENT = Path(__file__).parents[2] / "docs" / "clustering.md"


@pytest.fixture(scope="module")
def benchmark(load_benchmark):
    return load_benchmark("clustering")


@pytest.fixture(scope="module")
def conversations(load_benchmark):
    return load_benchmark("conversations")


@pytest.fixture(scope="module")
def plda() -> PLDA:
    return PLDA.from_pretrained(bundled_folder() / "plda")


@pytest.mark.parametrize(
    ("clusters", "purity", "error"),
    [
        ([[0, 1], [0, -2], [1, 0]], 1, 0),
        ([[0, 0], [0, -2], [0, 0]], 3 / 5, 1),
        ([[0, -2], [0, -2], [1, 0]], 4 / 5, 0),
        ([[0, 1], [2, -2], [3, 4]], 1, 3),
    ],
)
def test_score_by_hand(benchmark, clusters, purity, error):
    truth = np.array([[0, 1], [0, -2], [1, 0]])
    assert benchmark.score(np.array(clusters), truth) == (purity, error)


def test_simulated_voices_are_those_of_the_model(conversations, plda, rng):
    vectors, parameters = rng.standard_normal((7, len(plda.phi))), plda.parameters
    normalized = vectors @ np.linalg.inv(parameters.tr).T + parameters.mu
    normalized *= np.sqrt(len(plda.phi) / np.sum(normalized**2, axis=1, keepdims=True))
    expected = (normalized - parameters.mu) @ parameters.tr.T
    projected = plda(conversations.unproject(vectors, parameters))
    # the host chooses the signs of axes
    npt.assert_allclose(np.abs(projected), np.abs(expected), atol=1e-4)


def test_conversations_hold_what_speakers_say(conversations, rng):
    spoken = [np.full((12, 3), speaker, dtype=float) for speaker in range(4)]
    drawn = conversations.lay_out(spoken, rng)
    speaks = drawn.truth >= 0
    assert drawn.num_speakers == 4
    assert np.bincount(drawn.truth[speaks]).tolist() == [12] * 4
    npt.assert_array_equal(drawn.embeddings[speaks][:, 0], drawn.truth[speaks])
    npt.assert_array_equal(speaks, drawn.segmentations.data.any(axis=1))
    both = drawn.truth[speaks.all(axis=1)]
    assert len(both) > 0
    assert (both[:, 0] != both[:, 1]).all()


def test_shares_are_unequal_and_numbers_right(conversations, plda, rng):
    drawn = conversations.draw_conversation(
        conversations.simulated_voices(plda), 5, rng
    )
    counts = np.bincount(drawn.truth[drawn.truth >= 0])
    assert len(counts) == drawn.num_speakers == 5
    assert counts.min() >= conversations.FEWEST
    assert counts.max() <= conversations.MOST
    assert counts.max() > 1.2 * counts.min()


def test_hyper_parameters_are_chosen_by_the_number_found(benchmark, conversations, rng):
    voices = [8 * rng.standard_normal((1, 16)) + np.zeros((20, 1)) for _ in range(3)]
    drawn = conversations.lay_out(voices, rng)
    clustering = benchmark.host.AgglomerativeClustering()
    candidates = [
        {"method": "centroid", "min_cluster_size": 1, "threshold": threshold}
        for threshold in (1.9, 0.3)
    ]
    best = benchmark.instantiate_best(clustering, candidates, [drawn])
    assert best.threshold == 0.3


def test_the_document_has_a_place_for_each_part(benchmark, load_benchmark):
    found = re.findall(
        r"^<!-- (.*): (begin|end) -->$", DOCUMENT.read_text(), flags=re.MULTILINE
    )
    names = [
        f"{each.NAME} {part}"
        for each in (benchmark, load_benchmark("long_recordings"))
        for part in each.PARTS
    ]
    expected = [(name, word) for name in names for word in ("begin", "end")]
    assert sorted(found) == sorted(expected)
