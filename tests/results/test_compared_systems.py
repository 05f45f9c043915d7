# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Comparison of systems: files, sentences, links."""

import numpy as np
import pytest

from pyannote_diarizen.evaluation.metrics import DiarizationScore, JaccardScore
from pyannote_diarizen.evaluation.scoring import Condition, FileScore
from pyannote_diarizen.functional import significance
from pyannote_diarizen.results.compared_systems import (
    compare_systems,
    comparison_report,
    file_table,
    pair_table,
    system_table,
)
from pyannote_diarizen.results.report_page import Link
from pyannote_diarizen.results.scores import SystemScores


@pytest.fixture(autouse=True)
def few_resamples(monkeypatch):
    monkeypatch.setattr(significance, "NUM_RESAMPLES", 199)


def system(name: str, missed: list[float], total: float = 100.0) -> SystemScores:
    """Scores of files a, b, ..., by their seconds of missed speech."""
    files = [
        FileScore(
            chr(ord("a") + index),
            Condition(),
            DiarizationScore(total, seconds),
            JaccardScore(),
            2,
            2,
            0.1,
        )
        for index, seconds in enumerate(missed)
    ]
    return SystemScores(name, files)


GOOD = system("good", [10.0] * 12)
BAD = system("bad", [*np.arange(20.0, 31.0), 90.0])


def test_a_difference_on_all_files_is_significant():
    (sentence,) = compare_systems([GOOD, BAD]).sentences()
    assert sentence.startswith(
        "good (10.0%) makes significantly fewer errors than bad (30.4%): a difference "
        "of -20.4 points, 95 % interval -"
    )
    (sentence,) = compare_systems([BAD, GOOD]).sentences()
    assert "bad (30.4%) makes significantly more errors than good (10.0%)" in sentence


def test_no_difference_and_few_files_are_said():
    first, second = system("x", [10.0, 20.0, 30.0]), system("y", [20.0, 10.0, 30.5])
    sentence, warning = compare_systems([first, second]).sentences()
    assert "x (20.0%) and y (20.2%) do not differ significantly" in sentence
    assert warning.startswith(
        "Warning: 3 files are few. The p-value of the permutation"
    )
    assert "cannot be below 0.25" in warning


def test_several_systems_are_adjusted():
    comparison = compare_systems([GOOD, BAD, system("other", [11.0] * 12)])
    assert [(pair.first, pair.second) for pair in comparison.pairs] == [
        (0, 1),
        (0, 2),
        (1, 2),
    ]
    for pair in comparison.pairs:
        assert pair.p_wilcoxon > pair.test.p_wilcoxon
    assert len(pair_table(comparison)[1]) == len(comparison.sentences()) == 3


def test_only_shared_files_are_compared():
    comparison = compare_systems([GOOD, system("x", [20.0] * 11)])
    assert comparison.left_out == ["l"]
    assert comparison.errors.shape == (2, 11)
    header, rows = system_table(comparison)
    assert header == ["system", "DER", "95 % interval"]
    assert rows == [
        ["good", "10.0%", "10.0% to 10.0%"],
        ["x", "20.0%", "20.0% to 20.0%"],
    ]


def test_files_that_differ_most_link_to_their_pages(tmp_path):
    (tmp_path / "bad/pages").mkdir(parents=True)
    (tmp_path / "bad/pages/l.html").write_text("")
    comparison = compare_systems([GOOD, BAD])
    folders = [tmp_path / "good", tmp_path / "bad"]
    _, rows = file_table(comparison, tmp_path / "report", folders)
    assert rows[0] == ["l", "10.0%", Link("90.0%", "../bad/pages/l.html"), "80.0"]
    assert len(rows) == 10
    report = comparison_report(comparison, tmp_path / "report", folders)
    assert report.to_html().count("<img") == 2
    assert "| l | 10.0% | [90.0%](../bad/pages/l.html) | 80.0 |" in report.to_markdown()


def test_systems_of_the_same_name_are_numbered():
    assert compare_systems([GOOD, GOOD]).names == ["good 1", "good 2"]


@pytest.mark.parametrize(
    ("other", "condition", "message"),
    [
        (system("x", [1.0] * 12), Condition(0.25), "'good' has no scores with collar"),
        (system("x", [1.0] * 12, total=90.0), None, "reference of 'a' differs"),
        (system("x", [1.0]), None, "The systems share 1 files"),
    ],
)
def test_what_cannot_be_compared_is_an_error(other, condition, message):
    with pytest.raises(ValueError, match=message):
        compare_systems([GOOD, other], condition)
