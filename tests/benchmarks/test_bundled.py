# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The table of the model card."""

import pytest


@pytest.fixture(scope="module")
def benchmark(load_benchmark):
    return load_benchmark("bundled")


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
