# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The table of the model card."""

import importlib.util
from pathlib import Path
from types import ModuleType

import pytest

SCRIPT = Path(__file__).parents[2] / "benchmarks" / "bundled.py"


@pytest.fixture(scope="module")
def benchmark() -> ModuleType:
    spec = importlib.util.spec_from_file_location("bundled_benchmark", SCRIPT)
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_baseline_has_the_known_error_rates(benchmark, shared, monkeypatch):
    monkeypatch.setenv("PYANNOTE_DIARIZEN_SHARED", str(shared))
    rows = [benchmark.baseline_row(*item) for item in benchmark.conversations().items()]
    assert rows[0].startswith(
        "| sample of pyannote.audio | one speaker everywhere | 79.6%"
    )
    assert rows[1].startswith(
        "| AMI excerpts, development | one speaker everywhere | 67.9%"
    )


def test_a_pipeline_is_measured_over_all_files(benchmark):
    files = [benchmark.sample_file()] * 2

    def pipeline(file):
        return files[0]["annotation"]

    row = benchmark.pipeline_row("data", files, "oracle", pipeline)
    assert row.startswith("| data | oracle | 0.0% | 0.0% | 0.0% | 0.0% | 0.0")


def test_the_card_changes_between_its_marks_only(benchmark, tmp_path):
    card = tmp_path / "README.md"
    card.write_text(f"before\n{benchmark.BEGIN}old\n{benchmark.END}after\n")
    benchmark.write_card(card, "new\n")
    benchmark.write_card(card, "newer\n")
    assert card.read_text() == f"before\n{benchmark.BEGIN}newer\n{benchmark.END}after\n"


def test_a_card_without_marks_is_left_alone(benchmark, tmp_path):
    card = tmp_path / "README.md"
    card.write_text("no marks\n")
    with pytest.raises(ValueError, match="lacks the lines that say where results go"):
        benchmark.write_card(card, "new\n")
    assert card.read_text() == "no marks\n"
