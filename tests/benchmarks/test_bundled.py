# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The table of the model card."""

import pytest
from pyannote.core import Annotation, Segment

from pyannote_diarizen.audio.reader import read_audio


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
        return {"": benchmark.Result(files[0]["annotation"], 0.1)}

    _, row = benchmark.rows("data", files, {"oracle": oracle})
    expected = "| data | oracle | 0.0% | 0.0% | 0.0% | 0.0% | 0.00 | +0.00 | 0.0"
    assert str(row).startswith(expected)


def test_the_number_of_speakers_is_compared(benchmark):
    row, *_ = benchmark.rows("data", [benchmark.sample_file()] * 2, {})
    assert "| 1.00 | -1.00 |" in str(row)


def test_the_reference_helps_under_its_conditions_only(benchmark):
    waveform, sample_rate = read_audio(benchmark.sample_file())
    reference = Annotation(uri="a")
    reference[Segment(5, 8)], reference[Segment(8.5, 10.5)] = "a", "a"
    file = {
        "uri": "a",
        "waveform": waveform[:, 6 * sample_rate : 17 * sample_rate],
        "sample_rate": sample_rate,
        "annotation": reference,
    }
    results = benchmark.Variants("diarizen-tiny", "cpu")(file)
    assert {
        condition: result.diarization.labels() for condition, result in results.items()
    } == {
        "": ["SPEAKER_00", "SPEAKER_01"],
        benchmark.PERFECT: ["a"],
        benchmark.GIVEN: ["SPEAKER_00"],
    }
    times = [result.processing_time > 0 for result in results.values()]
    assert times == [True, False, False]


def test_excerpts_of_training_data_are_kept_apart(benchmark):
    real, others = benchmark.conversations(), benchmark.other_conversations(0)
    uris = [
        {file["uri"] for file in files}
        for files in (real["AMI excerpts, development"], *others.values())
    ]
    assert list(map(len, uris)) == [5, 3]
    assert uris[0].isdisjoint(uris[1])
