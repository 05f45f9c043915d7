# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Scores under conditions: worked cases, md-eval, sums and groups."""

import json
import shutil

import numpy as np
import pytest
from pyannote.core import Annotation, Segment, Timeline
from worked_cases import (
    CASES,
    STORED,
    ami_cases,
    annotated,
    annotation,
    key,
    md_eval,
)

from pyannote_diarizen.evaluation.metrics import DiarizationScore, JaccardScore
from pyannote_diarizen.evaluation.scoring import (
    CONDITIONS,
    Condition,
    FileScore,
    Pooled,
    group_files,
    score_file,
)

MD_EVAL = json.loads(STORED.read_text(encoding="utf-8"))


# md-eval takes borders of turns inside another turn of the same speaker for borders
SAME_BORDERS = [name for name in CASES if name != "one speaker overlaps itself"]


@pytest.mark.parametrize("name", SAME_BORDERS)
def test_seconds_are_those_of_md_eval(name):
    reference, hypothesis, _ = map(annotation, (*CASES[name][:2], []))
    for file in score_file("file", reference, hypothesis, annotated(CASES[name])):
        *expected, confusion = MD_EVAL[name][key(file.condition)]
        *found, confused = vars(file.score).values()
        np.testing.assert_allclose(found, expected, atol=1e-5, err_msg=str(file))
        # md-eval maps speakers before it leaves out collars and overlap, not optimally
        limit = 0.03 if name == "random" else 1e-5
        assert -limit < confused - confusion < 1e-5


@pytest.mark.parametrize("uri", sorted(MD_EVAL.keys() - CASES.keys()))
def test_seconds_on_excerpts_of_ami_are_those_of_md_eval(shared, uri):
    case = ami_cases(shared)[uri]
    reference, hypothesis, _ = map(annotation, (*case[:2], []))
    for file in score_file(uri, reference, hypothesis, annotated(case)):
        *expected, confusion = MD_EVAL[uri][key(file.condition)] or [None]
        if confusion is not None:
            *found, confused = vars(file.score).values()
            np.testing.assert_allclose(found, expected, atol=1e-5, err_msg=str(file))
            assert confused < confusion + 1e-5


def test_a_speaker_who_overlaps_with_himself_counts_once_in_md_eval_too():
    name = "one speaker overlaps itself"
    reference, hypothesis = map(annotation, CASES[name][:2])
    (file,) = score_file(
        "file", reference, hypothesis, annotated(CASES[name]), [Condition()]
    )
    expected = MD_EVAL[name][key(Condition())]
    np.testing.assert_allclose(list(vars(file.score).values()), expected)


@pytest.mark.skipif(not shutil.which("md-eval-22.pl"), reason="md-eval-22.pl is absent")
@pytest.mark.parametrize("name", CASES)
def test_stored_results_are_those_of_md_eval(name):
    for condition in CONDITIONS:
        assert md_eval(CASES[name], condition) == MD_EVAL[name][key(condition)]


def score(reference: Annotation, hypothesis: Annotation) -> FileScore:
    (found,) = score_file("file", reference, hypothesis, conditions=[Condition()])
    return found


def test_an_empty_hypothesis_misses_everything():
    found = score(annotation([(0, 4, "a"), (2, 4, "b")]), Annotation())
    assert found.score == DiarizationScore(total=6.0, missed_detection=6.0)
    assert found.score.error_rate == found.jaccard.error_rate == 1.0
    assert (found.num_speakers, found.num_found) == (2, 0)
    assert found.overlap == 0.5


def test_an_empty_reference_makes_all_speech_a_false_alarm():
    found = score(Annotation(), annotation([(0, 4, "x")]))
    assert found.score == DiarizationScore(false_alarm=4.0)
    assert found.score.error_rate == 1.0
    assert score(Annotation(), Annotation()).score.error_rate == 0.0


def test_jaccard_errors_weigh_speakers_alike():
    # of ann, 1 s of 10 is missed; nothing is found of bob
    reference = annotation([(0, 10, "ann"), (10, 11, "bob")])
    found = score(reference, annotation([(1, 10, "x")]))
    assert found.jaccard == JaccardScore(pytest.approx(1.1), 2)


@pytest.mark.parametrize("collar", [-0.1, float("inf"), float("nan")])
def test_a_collar_is_finite(collar):
    with pytest.raises(ValueError, match="`collar` should be in seconds"):
        Condition(collar)


def test_conditions_give_the_collar_in_both_conventions():
    assert str(Condition()) == "no collar, overlap scored"
    assert str(Condition(0.25, True)) == (
        "collar 0.25 s (md-eval: 0.125), overlap skipped"
    )


def test_columns_restore_a_score():
    for file in score_file("file", *map(annotation, CASES["overlap"][:2])):
        assert FileScore.from_row(file.to_row()) == file
        text = {name: str(value) for name, value in file.to_row().items()}
        assert FileScore.from_row(text) == file


def made(uri: str, num_speakers: int, num_found: int, overlap: float) -> FileScore:
    errors = DiarizationScore(10.0, num_speakers, 0.0, 0.0)
    jaccard = JaccardScore(0.5, num_speakers)
    return FileScore(
        uri, Condition(), errors, jaccard, num_speakers, num_found, overlap
    )


FILES = [made("a", 4, 2, 0.3), made("b", 2, 3, 0.0), made("c", 2, 2, 0.1)]


def test_files_are_pooled_by_their_seconds():
    total = Pooled.of(FILES)
    assert total.num_files == 3
    assert total.score == DiarizationScore(30.0, 8.0)
    assert total.jaccard == JaccardScore(1.5, 8)
    assert total.count_error == 1.0
    assert Pooled.of([]).score.error_rate == 0.0


def test_groups_are_in_the_order_of_their_values():
    found = {
        by: {name: [file.uri for file in files] for name, files in groups.items()}
        for by in ("num_speakers", "overlap")
        for groups in [group_files(FILES, by)]
    }
    assert found == {
        "num_speakers": {"2": ["b", "c"], "4": ["a"]},
        "overlap": {"0 to 5 %": ["b"], "10 to 20 %": ["c"], "20 to 100 %": ["a"]},
    }


def test_only_annotated_speakers_count():
    reference = annotation([(0, 4, "a"), (6, 9, "b")])
    (found,) = score_file(
        "file", reference, reference, Timeline([Segment(0, 5)]), [Condition()]
    )
    assert (found.num_speakers, found.num_found) == (1, 1)
    assert found.score.total == 4.0
