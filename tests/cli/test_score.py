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


def test_a_collar_that_leaves_no_speech_is_warned_about(run, files):
    result = run("score", "out", "all.rttm", "--collar", "250")
    assert "No speech of the references is scored" in result.stderr
    assert "No speech" not in run("score", "out", "all.rttm").stderr


def test_a_uem_limits_what_is_scored(run, files):
    (files / "a.uem").write_text("a 1 0 3\n")
    result = run("score", "out", "all.rttm", "--uem", "a.uem", "--format", "csv")
    assert "Not in the UEM file, not scored: b." in result.stderr
    header, row = result.stdout.splitlines()
    assert dict(zip(header.split(","), row.split(","), strict=True))["total"] == "3.0"


def test_words_are_scored_too(run, files):
    pytest.importorskip("meeteval", reason="pip install 'pyannote-diarizen[wer]'")
    (files / "true.ctm").write_text("a ann 0 1 good\na ann 1 1 day\nb bob 0 1 yes\n")
    (files / "out/a.ctm").write_text("a x 0 1 good\na x 31 1 day\n")
    result = run("score", "out", "true.ctm", "--words", "--format", "md")
    assert result.exit_code == 0, result.output
    rows = [
        line.split("|")[-3:-1] for line in result.stdout.splitlines() if "|" in line
    ]
    assert [[cell.strip() for cell in row] for row in rows[-3:]] == [
        ["0.0%", "100.0%"],
        ["100.0%", "100.0%"],
        ["33.3%", "100.0%"],
    ]
    wide = ("--collar-words", "40", "--format", "json")
    row, _ = json.loads(run("score", "out", "true.ctm", "--words", *wide).stdout)[
        "files"
    ]
    assert (row["num_words"], row["cpwer"], row["tcpwer"]) == (2, 0, 0)
    result = run("score", "out/a.rttm", "true.ctm", "--words")
    assert result.exit_code == 2
    assert "The hypothesis of 'a' has turns and no words" in result.stderr


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
