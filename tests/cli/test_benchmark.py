# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen benchmark`, on a pipeline that needs no weights."""

import json
from pathlib import Path

import pytest
import soundfile

from pyannote_diarizen.results.scores import SystemScores

NAME = "Loud.SpeakerDiarization.Talk"
YML = """
Databases:
  Loud: ./{uri}.wav
Protocols:
  Loud:
    SpeakerDiarization:
      Talk:
        scope: database
        test: {uri: test.lst, annotation: all.rttm, annotated: all.uem}
"""
TURN = "SPEAKER {} 1 0.5 1.0 <NA> <NA> someone <NA> <NA>\n"

pytestmark = pytest.mark.filterwarnings("ignore:Replacing existing")


@pytest.fixture
def folder(here, write_audio) -> Path:
    """Two recordings with a second of speech, of which half is loud; one without."""
    for uri in ("one", "two", "unknown"):
        write_audio(f"{uri}.wav")
    (here / "all.rttm").write_text(TURN.format("one") + TURN.format("two"))
    (here / "all.uem").write_text("one 1 0 2\ntwo 1 0 2\nunknown 1 0 2\n")
    (here / "test.lst").write_text("one\ntwo\nunknown\n")
    (here / "database.yml").write_text(YML)
    return here


@pytest.fixture
def benchmark(run, folder, pipeline):
    def benchmark(*options: str):
        fixed = ("--database", "database.yml", "--into", "out", *options)
        return run("benchmark", pipeline, NAME, *fixed)

    return benchmark


def test_results_are_those_of_score(benchmark, run, folder):
    result = benchmark("--pages")
    assert result.exit_code == 0, result.output
    assert "Without reference, not scored: unknown." in result.stdout
    assert "Diarization error rate 50.0% on 2 files" in result.stdout
    out = folder / "out"
    assert {path.name for path in (out / "rttm").iterdir()} == {
        *("one.rttm", "two.rttm", "unknown.rttm", "finished.jsonl"),
    }
    assert len(list((out / "pages").iterdir())) == 3
    scores = SystemScores.read(out)
    assert len(scores.conditions) == 6
    assert scores.about["real_time_factor"] > 0
    assert scores.about["peak_memory"] > 1e6
    for condition in scores.conditions:
        options = ["--collar", str(condition.collar)]
        options += ["--skip-overlap"] * condition.skip_overlap
        options += ["--uem", "all.uem", "--format", "json"]
        again = json.loads(run("score", "out/rttm", "all.rttm", *options).stdout)
        assert again["files"] == [file.to_row() for file in scores.under(condition)]
    assert "[one](pages/one.html)" in (out / "scores.md").read_text()
    assert '<a href="pages/one.html">one</a>' in (out / "scores.html").read_text()


def test_an_interrupted_benchmark_goes_on(benchmark, folder):
    assert benchmark().exit_code == 0
    before = json.loads((folder / "out/scores.json").read_text())
    (folder / "out/rttm/two.rttm").unlink()
    result = benchmark()
    assert "2 of 3 recordings are finished: skipped." in result.stderr
    (folder / "out/scores.md").unlink()
    assert "3 of 3 recordings are finished: skipped." in benchmark().stderr
    after = json.loads((folder / "out/scores.json").read_text())
    assert after["files"] == before["files"]
    assert after["peak_memory"] >= before["peak_memory"]
    assert (folder / "out/scores.md").is_file()


def test_a_recording_that_fails_is_named(benchmark, folder, monkeypatch):
    def fail(*_, **__):
        raise RuntimeError("out of memory")

    monkeypatch.setattr("loud_pipeline.read_audio", fail)
    result = benchmark()
    assert result.exit_code == 1
    assert "one.wav' cannot be diarized: out of memory" in result.stderr
    assert not (folder / "out/scores.json").exists()


def test_an_unknown_protocol_is_an_error_before_anything_runs(run, folder, pipeline):
    into = ("--database", "database.yml", "--into", "out")
    result = run("benchmark", pipeline, "Loud.SpeakerDiarization.No", *into)
    assert result.exit_code == 2
    assert not (folder / "out").exists()


def test_changed_audio_is_diarized_again(benchmark, folder):
    assert benchmark().exit_code == 0
    samples, rate = soundfile.read(folder / "one.wav")
    soundfile.write(folder / "one.wav", samples / 100, rate)
    assert "2 of 3 recordings are finished" in benchmark().stderr
    (first, *_) = SystemScores.read(folder / "out").files
    assert first.num_found == 0
