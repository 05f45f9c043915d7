# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""DOVER-Lap: the package, cases by hand, and simulated meetings."""

import json

import numpy as np
import pytest
from dover_lap_cases import (
    SPEAKERS,
    STORED,
    WEIGHTS,
    as_sets,
    conversation,
    corrupted,
    systems,
)
from pyannote.core import Annotation, Segment, Timeline
from scipy.stats import rankdata

from pyannote_diarizen.evaluation.metrics import DiarizationScore, score_diarization
from pyannote_diarizen.functional import dover_lap
from pyannote_diarizen.functional.dover_lap import (
    elect,
    fuse_turns,
    map_labels,
    rank_weights,
)

PACKAGE = json.loads(STORED.read_text(encoding="utf-8"))


def elect_all_equal(votes: np.ndarray) -> np.ndarray:
    """Election of the package, which keeps all speakers with equal votes."""
    votes = votes.astype(np.float32)
    return rankdata(-votes, axis=0, method="min") <= votes.sum(axis=0).round()


@pytest.mark.parametrize("case", range(len(SPEAKERS)))
def test_result_is_that_of_the_package_but_for_equal_votes(case, monkeypatch):
    monkeypatch.setattr(dover_lap, "elect", elect_all_equal)
    found = as_sets(fuse_turns(systems(case), WEIGHTS[case]))
    assert len(found) == len(PACKAGE[case])
    for turns, expected in zip(found, PACKAGE[case], strict=True):
        np.testing.assert_allclose(turns, expected, atol=2e-3)


def turns(*pairs: tuple[float, float]) -> np.ndarray:
    return np.array(pairs, dtype=float)


def test_a_majority_decides_and_names_do_not_matter():
    ann, bob = turns((0, 4)), turns((4, 8))
    found = fuse_turns([[ann, bob], [bob, ann], [turns((0, 8))]])
    assert as_sets(found) == [[[0, 4]], [[4, 8]]]


def test_overlap_is_kept_where_a_majority_finds_it():
    ann, bob = turns((0, 5)), turns((4, 8))
    found = fuse_turns([[ann, bob], [ann, bob], [turns((0, 4)), bob]])
    assert as_sets(found) == [[[0, 5]], [[4, 8]]]


def test_a_system_without_speakers_votes_for_silence():
    ann = turns((0, 4))
    assert fuse_turns([[], [], [ann]]) == []
    assert as_sets(fuse_turns([[], [ann], [ann]])) == [[[0, 4]]]
    assert fuse_turns([[], []]) == []


def test_weights_decide():
    ann, bob = turns((0, 4)), turns((2, 6))
    assert as_sets(fuse_turns([[ann], [bob], [bob]], [3, 1, 1])) == [[[0, 4]]]
    assert as_sets(fuse_turns([[ann], [bob], [bob]], [1, 1, 1])) == [[[2, 6]]]


def test_one_system_stays_as_it_is():
    system = systems(0)[0]
    assert as_sets(fuse_turns([system])) == as_sets(system)


def test_the_system_that_agrees_most_weighs_most():
    overlaps = {(0, 1): np.array([[0.2]]), (0, 2): np.array([[0.1]])}
    weights = rank_weights({**overlaps, (1, 2): np.array([[0.9]])}, 3)
    assert weights.argmax() == 1
    assert weights.argmin() == 0
    assert weights.sum() == pytest.approx(1)


def test_speakers_that_are_left_get_labels_of_their_own():
    overlaps = {(0, 1): np.array([[0.9], [0.1], [0.0]])}
    assert map_labels(overlaps, [3, 1]) == [[0, 1, 2], [0]]


def test_equal_votes_go_to_the_lower_label():
    votes = np.array([[0.5, 0.2], [0.5, 0.8], [0.0, 0.0]])
    assert elect(votes).tolist() == [[True, False], [False, True], [False, False]]


@pytest.mark.parametrize("weights", [[1.0], [1.0, -1.0], [0.0, 0.0], [1.0, np.nan]])
def test_wrong_weights_are_errors(weights):
    with pytest.raises(ValueError, match="should be 2 numbers, one per system"):
        fuse_turns([[turns((0, 1))], [turns((0, 1))]], weights)


def test_too_many_combinations_are_an_error(monkeypatch):
    monkeypatch.setattr(dover_lap, "MAX_TUPLES", 3)
    with pytest.raises(ValueError, match="2, 2 speakers have 4 combinations"):
        fuse_turns([[turns((0, 1)), turns((1, 2))]] * 2)


def annotation(speakers: list) -> Annotation:
    result = Annotation()
    for label, each in enumerate(speakers):
        for track, turn in enumerate(each):
            result[Segment(*turn), (label, track)] = label
    return result


def test_fusion_is_better_than_its_best_system():
    """Four meetings of five minutes, systems of different quality."""
    scores = {name: DiarizationScore() for name in ("fused", 0.1, 0.15, 0.2)}
    for seed in range(4):
        reference = conversation(seed, 4, duration=300)
        found = {
            noise: corrupted(reference, 100 + 10 * seed + index, noise, 4)
            for index, noise in enumerate((0.1, 0.15, 0.2))
        }
        found["fused"] = fuse_turns(list(found.values()))
        for name, speakers in found.items():
            scores[name] += score_diarization(
                annotation(reference),
                annotation(speakers),
                Timeline([Segment(0, 310)]),
            )
    rates = {name: score.error_rate for name, score in scores.items()}
    assert rates[0.1] < rates[0.15] < rates[0.2]
    assert rates["fused"] < 0.9 * rates[0.1], rates
