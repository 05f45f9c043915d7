# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import json

import pytest
from pyannote.audio import Model, Pipeline

from pyannote_diarizen import installation
from pyannote_diarizen.audio.sample import sample_file
from pyannote_diarizen.hub.bundled import bundled_folder

FILES = {"network.json", "report.json", "report.md"}


def test_a_pipeline_gives_the_turns_of_torch(run, here):
    result = run("export", "diarizen-tiny", "--to", "torchscript", "--into", "tiny")
    assert result.exit_code == 0, result.stderr
    same = "Pipeline: the same turns, error rate 0.00% against torch."
    assert result.stdout.endswith(f"{same}\nWritten: tiny\n")
    for role in ("segmentation", "embedding"):
        names = {path.name for path in (here / "tiny" / role).iterdir()}
        assert names == {*FILES, "network.pt"}
    audio = sample_file()["audio"]
    expected, exported = (
        Pipeline.from_pretrained(folder)({"uri": "sample", "audio": audio})
        for folder in (bundled_folder(), here / "tiny")
    )
    assert exported.speaker_diarization.to_rttm() == (
        expected.speaker_diarization.to_rttm()
    )


def test_a_model_alone(run, here):
    source = str(bundled_folder() / "segmentation")
    result = run("export", source, "--to", "safetensors", "--into", "model")
    assert result.exit_code == 0, result.stderr
    report = json.loads((here / "model" / "report.json").read_text())
    assert report["error_rate"] == report["largest_difference"] == 0
    again = run("export", "model", "--to", "safetensors", "--into", "again")
    assert (again.exit_code, (here / "again").exists()) == (2, False)


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere", "--into", "new"), "'nowhere' is neither a folder with"),
        (("diarizen-tiny", "--into", "full"), "exists: delete it, or name another"),
        (("diarizen-tiny", "--into", "new", "--to", "onxx"), "Did you mean onnx?"),
        (
            ("diarizen-tiny", "--into", "new", "--precision", "int4"),
            "should be one of float32, float16, int8, got 'int4'",
        ),
    ],
)
def test_errors_take_one_line_and_leave_nothing(run, here, arguments, message):
    (here / "full").mkdir()
    (here / "full" / "file").touch()
    result = run("export", *arguments)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert message in line
    assert [path.name for path in here.iterdir()] == ["full"]


def test_missing_packages_are_one_line_with_the_pip_line(run, here, monkeypatch):
    monkeypatch.setattr(installation, "find_spec", lambda module: None)
    result = run("export", "diarizen-tiny", "--into", "new")
    assert result.exit_code == 2
    assert result.stderr.endswith("pip install onnx onnxscript onnxruntime\n")
    assert [*here.iterdir()] == []


def test_a_model_that_cannot_leave_is_one_line(run, here, monkeypatch):
    monkeypatch.setattr(Model, "channel_weights", None, raising=False)
    result = run("export", "diarizen-tiny", "--into", "new")
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert "'diarizen-tiny': PyanNet cannot be exported: besides its scores" in line
    assert [*here.iterdir()] == []
