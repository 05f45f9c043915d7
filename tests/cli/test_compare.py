# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen compare`."""

import pytest

TURN = "SPEAKER {} 1 0 {} <NA> <NA> ann <NA> <NA>\n"


@pytest.fixture
def folder(run, here):
    """Scores of two systems on five recordings, as JSON and CSV."""
    for name, end in (("reference", 9), ("good", 8), ("bad", 5)):
        turns = [TURN.format(uri, end + number) for number, uri in enumerate("abcde")]
        (here / f"{name}.rttm").write_text("".join(turns))
    for name, suffix in (("good", "json"), ("bad", "csv")):
        arguments = (f"{name}.rttm", "reference.rttm", "--format", suffix)
        (here / f"{name}.{suffix}").write_text(run("score", *arguments).stdout)
    return here


def test_tables_sentence_and_report(run, folder):
    result = run("compare", "good.json", "bad.csv", "--into", "out")
    assert result.exit_code == 0, result.output
    lines = result.stdout.splitlines()
    assert any("good - bad" in line for line in lines)
    assert lines[-3].startswith("good (9.1%) and bad (36.4%) do not differ")
    assert lines[-2].startswith("Warning: 5 files are few.")
    assert lines[-1] == "Written: out/comparison.html and .md."
    assert {path.name for path in (folder / "out").iterdir()} == {
        *("comparison.html", "comparison.md"),
    }


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("good.json",), "two systems or more"),
        (("good.json", "nowhere"), "'nowhere' does not exist"),
        (("good.json", "good.rttm"), "holds no scores"),
        (("good.json", "bad.csv", "--collar", "0.25"), "has no scores with collar"),
    ],
)
def test_errors_take_one_line(run, folder, arguments, message):
    result = run("compare", *arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", " ").split())


def test_files_with_pages_are_named_without_links(run, folder):
    (folder / "pages").mkdir()
    (folder / "pages/a.html").write_text("")
    result = run("compare", "good.json", "bad.csv")
    assert result.exit_code == 0
    assert "Link" not in result.stdout
