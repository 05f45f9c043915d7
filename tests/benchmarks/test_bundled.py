# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The table of the model card."""

import pytest


@pytest.fixture(scope="module")
def benchmark(load_benchmark):
    return load_benchmark("bundled")


def test_baseline_has_the_known_error_rates(benchmark):
    rows = [
        str(benchmark.rows(data, files, {})[0])
        for data, files in benchmark.conversations().items()
    ]
    assert rows[0].startswith(
        "| sample of pyannote.audio | one speaker everywhere | 79.6%"
    )
    assert rows[1].startswith(
        "| AMI excerpts, development | one speaker everywhere | 67.9%"
    )


def test_a_pipeline_is_measured_over_all_files(benchmark):
    files = [benchmark.sample_file()] * 2

    def oracle(file):
        return files[0]["annotation"]

    _, row = benchmark.rows("data", files, {"oracle": oracle})
    expected = "| data | oracle | 0.0% | 0.0% | 0.0% | 0.0% | 0.00 | +0.00 | 0.0"
    assert str(row).startswith(expected)


def test_the_number_of_speakers_is_compared(benchmark):
    row, *_ = benchmark.rows("data", [benchmark.sample_file()] * 2, {})
    assert "| 1.00 | -1.00 |" in str(row)
