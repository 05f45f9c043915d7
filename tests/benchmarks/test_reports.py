# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Where benchmarks put their tables."""

import pytest


@pytest.fixture
def reports(load_benchmark):
    return load_benchmark("reports")


def test_a_table_is_markdown(reports):
    assert reports.table(["a", "b"], [["x", "1"]]) == (
        "| a | b |\n| --- | ---: |\n| x | 1 |\n"
    )


def test_a_document_changes_between_its_marks_only(reports, tmp_path):
    document = tmp_path / "README.md"
    (begin, end), (other, _) = reports.marks("speed"), reports.marks("quality")
    document.write_text(f"before\n{other}kept\n{begin}old\n{end}after\n")
    reports.write_results(document, "speed", "new\n")
    reports.write_results(document, "speed", "newer\n")
    assert document.read_text() == (f"before\n{other}kept\n{begin}newer\n{end}after\n")


def test_a_document_without_marks_is_left_alone(reports, tmp_path):
    document = tmp_path / "README.md"
    document.write_text("no marks\n")
    with pytest.raises(ValueError, match="lacks the lines that mark the place"):
        reports.write_results(document, "speed", "new\n")
    assert document.read_text() == "no marks\n"
