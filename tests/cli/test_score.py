# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen score`."""

import json

import pytest

TURN = "SPEAKER {} 1 {} {} <NA> <NA> {} <NA> <NA>\n"


@pytest.fixture
def files(here):
    """Two references in one file; a hypothesis with half of the first one."""
    (here / "all.rttm").write_text(
        TURN.format("a", 0, 4, "ann") + TURN.format("b", 0, 2, "bob")
    )
    (here / "all.uem").write_text("a 1 0 9\n")
    (here / "out").mkdir()
    (here / "out/a.rttm").write_text(TURN.format("a", 0, 2, "x"))
    return here


def test_a_table_and_what_is_missing(run, files):
    result = run("score", "out", "all.rttm")
    assert result.exit_code == 0, result.output
    assert "No hypothesis, all speech counts as missed: b." in result.stderr
    assert "TOTAL │  66.7% │" in result.stdout
    assert result.stdout.splitlines()[-1] == (
        "Condition: no collar, overlap scored. Mean absolute error of the number of "
        "speakers: 0.50."
    )


def test_the_collar_is_the_total_width(run, files):
    result = run("score", "out", "all.rttm", "--collar", "0.5", "--format", "json")
    row, _ = json.loads(result.stdout)["files"]
    assert (row["total"], row["missed_detection"]) == (3.5, 1.75)
    result = run("score", "out", "all.rttm", "--collar", "0.5", "--format", "md")
    assert "collar 0.5 s (md-eval: 0.25), overlap scored." in result.stdout


def test_a_uem_limits_what_is_scored(run, files):
    (files / "a.uem").write_text("a 1 0 3\n")
    result = run("score", "out", "all.rttm", "--uem", "a.uem", "--format", "csv")
    assert "Not in the UEM file, not scored: b." in result.stderr
    header, row = result.stdout.splitlines()
    assert dict(zip(header.split(","), row.split(","), strict=True))["total"] == "3.0"


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("out", "nowhere.rttm"), "There is no file or folder 'nowhere.rttm'"),
        (("nowhere", "all.rttm"), "There is no file or folder 'nowhere'"),
        (("out", "all.uem"), "expected a file that ends in"),
        (("all.rttm", "out", "--collar", "-1"), "greater than or equal to 0"),
    ],
)
def test_errors_take_one_line(run, files, arguments, message):
    result = run("score", *arguments)
    assert result.exit_code == 2
    assert message in result.stderr
