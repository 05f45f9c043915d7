# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The commands of pyannote.audio, on a pipeline of DiariZen that was converted."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
import yaml
from click.testing import Result
from published import write_embedding, write_original
from pyannote.audio import Pipeline
from pyannote.audio import __main__ as commands
from pyannote.database import registry
from typer.testing import CliRunner

from pyannote_diarizen.audio.reader import AudioReader
from pyannote_diarizen.hub.conversion import convert
from pyannote_diarizen.pipelines import DiariZen

PROTOCOL = "Noise.SpeakerDiarization.One"
REGISTRY = """
Databases:
  Noise: "{uri}.wav"
Protocols:
  Noise:
    SpeakerDiarization:
      One:
        scope: database
        development: {uri: list, annotation: noise.rttm, annotated: noise.uem}
        test: {uri: list, annotation: noise.rttm, annotated: noise.uem}
"""
RTTM = "SPEAKER noise 1 {} 2 <NA> <NA> {} <NA> <NA>\n"


@pytest.fixture(scope="module")
def folder(tmp_path_factory) -> Path:
    """Folder with a pipeline in both layouts, and a database of one recording."""
    folder = tmp_path_factory.mktemp("commands")
    write_embedding(write_original(folder / "original") / "embedding")
    convert(folder / "original", folder / "converted")
    noise = 0.1 * np.random.default_rng(0).standard_normal(80000)
    soundfile.write(folder / "noise.wav", noise, 16000)
    (folder / "noise.rttm").write_text(RTTM.format(0, "A") + RTTM.format(2, "B"))
    (folder / "noise.uem").write_text("noise 1 0.000 5.000\n")
    (folder / "list").write_text("noise\n")
    (folder / "database.yml").write_text(REGISTRY)
    registry.load_database(folder / "database.yml")
    return folder


@pytest.fixture(scope="module")
def expected(folder) -> list[list[str]]:
    """Printed by the converted pipeline."""
    pipeline = DiariZen.from_pretrained(folder / "original")
    output = pipeline(folder / "noise.wav")
    turns = times(output.speaker_diarization.to_rttm())
    assert len(turns) > 5
    return turns


def times(rttm: str) -> list[list[str]]:
    """Starts and durations: names of speakers are taken from the reference, if any."""
    return sorted(line.split()[3:5] for line in rttm.splitlines())


def run(*arguments: object) -> Result:
    result = CliRunner().invoke(commands.app, [str(value) for value in arguments])
    assert result.exit_code == 0, result.output
    return result


def test_apply(folder, expected):
    result = run("apply", folder / "converted", folder / "noise.wav")
    assert times(result.stdout) == expected


def test_benchmark(folder, tmp_path, expected, monkeypatch):
    # that of pyannote.audio needs FFmpeg to measure how long a recording is
    monkeypatch.setattr(commands, "Audio", AudioReader)
    run("benchmark", folder / "converted", PROTOCOL, tmp_path)
    stem = tmp_path / f"{PROTOCOL}.test"
    assert times(Path(f"{stem}.rttm").read_text()) == expected
    assert "diarization error rate" in Path(f"{stem}.txt").read_text()


def test_optimize(folder):
    config = folder / "converted" / "config.yaml"
    run("optimize", config, PROTOCOL, "--max-iterations", 1)
    tuned = config.with_suffix(f".{PROTOCOL}.development.yaml")
    written = yaml.safe_load(tuned.read_text())
    assert written["optimization"]["protocol"] == PROTOCOL
    pipeline = Pipeline.from_pretrained(tuned)
    assert pipeline.parameters(instantiated=True) == written["params"]
