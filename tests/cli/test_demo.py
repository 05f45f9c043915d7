# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen demo`."""

from pyannote.database.util import load_rttm
from pyannote.metrics.diarization import DiarizationErrorRate

from pyannote_diarizen.audio.sample import sample_file


def test_demo_prints_and_writes_the_diarization(run, pipeline, here):
    result = run("demo", "--pipeline", pipeline)
    assert result.exit_code == 0, result.output
    assert "Who spoke when" in result.stdout
    assert "SPEAKER_00" in result.stdout
    assert "Real-time factor: " in result.stdout
    assert sorted(path.name for path in here.iterdir()) == ["sample.png", "sample.rttm"]


def test_the_error_rate_is_that_of_the_file_written(run, pipeline, here):
    result = run("demo", "--pipeline", pipeline)
    hypothesis = load_rttm(here / "sample.rttm")["sample"]
    file = sample_file()
    rate = DiarizationErrorRate()(file["annotation"], hypothesis, uem=file["annotated"])
    assert f"Diarization error rate: {rate:.1%} (missed" in result.stdout
