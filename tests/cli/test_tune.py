# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen tune`, on a pipeline that needs no weights."""

import re
from pathlib import Path
from typing import get_args, get_type_hints

import pytest
import yaml
from pyannote.audio import Pipeline
from pyannote.database import registry

from pyannote_diarizen.cli.tune import tune as command
from pyannote_diarizen.evaluation.study import PRUNERS, SAMPLERS
from pyannote_diarizen.evaluation.tuning import Tuning

NAME = "Loud.SpeakerDiarization.Talk"
YML = """
Databases:
  Loud: ./{uri}.wav
Protocols:
  Loud:
    SpeakerDiarization:
      Talk:
        scope: database
        development: {uri: development.lst, annotation: all.rttm, annotated: all.uem}
        test: {uri: test.lst, annotated: all.uem}
"""
CONFIG = """
pipeline:
  name: tunable_pipeline.TunablePipeline
  params: {model: $model/part}
params: {threshold: 0.9}
"""

# the registry, which all tests share, warns of databases that replace others
pytestmark = pytest.mark.filterwarnings("ignore:Replacing existing")


@pytest.fixture
def folder(tmp_path, monkeypatch) -> Path:
    """Pipeline whose threshold is above all samples."""
    monkeypatch.syspath_prepend(Path(__file__).parent)
    folder = tmp_path / "tunable"
    folder.mkdir()
    (folder / "config.yaml").write_text(CONFIG)
    return folder


@pytest.fixture
def tune(run, folder, here, write_audio):
    """Run the command on two files."""
    for uri in ("one", "two"):
        write_audio(f"{uri}.wav")
        with (here / "all.rttm").open("a") as rttm:
            rttm.write(f"SPEAKER {uri} 1 0.5 0.5 <NA> <NA> someone <NA> <NA>\n")
        with (here / "all.uem").open("a") as uem:
            uem.write(f"{uri} 1 0 2\n")
        with (here / "development.lst").open("a") as uris:
            uris.write(f"{uri}\n")
    (here / "test.lst").write_text("one\n")
    (here / "database.yml").write_text(YML)

    def tune(*options: str):
        fixed = ("--database", "database.yml", "--seed", "1")
        return run("tune", str(folder), NAME, *fixed, *options)

    return tune


def test_tuned_then_resumed(tune, here, folder, monkeypatch):
    result = tune("--into", "out/tuned.yaml", "--trials", "6", "--count")
    assert result.exit_code == 0, result.output
    before, after, trials, written = result.stdout.splitlines()
    assert before == (
        "Before: diarization error rate 100.00%, speaker count error 1.00."
    )
    assert re.match(
        r"Tuned: diarization error rate 0\.0\d%, speaker count error 0\.00, ", after
    )
    assert re.fullmatch(r"6 trials on 2 files, \d+\.\d\d s each\.", trials)
    assert written == "Written: out/tuned.yaml and out/tuned.png."
    assert sorted(path.name for path in (here / "out").iterdir()) == [
        "tuned.journal",
        "tuned.png",
        "tuned.yaml",
    ]
    config = yaml.safe_load((here / "out/tuned.yaml").read_text())
    assert config["params"]["threshold"] < 0.5
    assert config["pipeline"]["params"]["model"] == {
        "checkpoint": str(folder),
        "subfolder": "part",
    }
    assert config["optimization"]["subset"] == "development"
    assert config["optimization"]["speaker count error"] == 0
    tuned = Pipeline.from_pretrained(here / "out/tuned.yaml")
    assert tuned({"audio": here / "one.wav"}).labels() == ["SPEAKER_00"]
    other = Pipeline.from_pretrained(folder, hparams_file=here / "out/tuned.yaml")
    assert other.threshold == tuned.threshold

    (here / "out/tuned.yaml").unlink()
    with monkeypatch.context() as without_networks:
        without_networks.delattr(Tuning, "run_networks")  # no trial is left
        result = tune("--into", "out/tuned.yaml", "--trials", "6", "--count")
    assert result.stdout.splitlines()[:2] == [before, after]
    assert yaml.safe_load((here / "out/tuned.yaml").read_text()) == config
    result = tune("--into", "out/tuned.yaml", "--trials", "7", "--count")
    assert result.stdout.splitlines()[2].startswith("7 trials on 2 files")
    result = tune("--into", "out/tuned.yaml", "--trials", "8")
    assert result.exit_code == 2
    assert f"Study '{NAME}.development' exists already, with other" in result.stderr


@pytest.mark.parametrize("content", ["params: {}\n", "no: [yaml", "optimization: 1"])
def test_a_file_of_another_origin_is_kept(tune, here, content):
    into = here / "mine.yaml"
    into.write_text(content)
    result = tune("--into", str(into), "--trials", "1")
    assert result.exit_code == 2
    assert "replace it by --overwrite" in " ".join(result.stderr.split())
    assert into.read_text() == content
    assert not into.with_suffix(".journal").exists()


def test_a_result_of_another_study_is_replaced_on_demand(tune, here):
    options = ("--into", "tuned.yaml", "--trials", "1")
    assert tune(*options).exit_code == 0
    (here / "tuned.journal").unlink()
    assert tune(*options).exit_code == 2
    assert tune(*options, "--overwrite").exit_code == 0


def test_inside_the_folder_of_the_pipeline(tune, folder):
    into = folder / "mine.yaml"
    result = tune("--into", str(into), "--trials", "4", "--storage", "trials.sqlite")
    assert result.exit_code == 0, result.output
    config = yaml.safe_load(into.read_text())
    assert config["pipeline"]["params"]["model"] == "$model/part"
    assert Path("trials.sqlite").is_file()
    moved = folder.rename(folder.with_name("moved"))
    assert Pipeline.from_pretrained(moved / "mine.yaml").threshold < 0.5


def test_a_shipped_protocol_lacks_its_files_only(run, folder, monkeypatch):
    for content in ("configs", "databases"):  # of other tests
        monkeypatch.setattr(registry, content, {})
    name = "AMI-SDM.SpeakerDiarization.only_words"
    result = run("tune", str(folder), name, "--into", "tuned.yaml")
    assert result.exit_code == 2
    message = " ".join(result.stderr.replace("│", " ").split())
    assert "AMI.yml': `uri` of development: missing" in message
    assert "lists/dev.meetings.txt" in message


@pytest.mark.parametrize(
    ("options", "message"),
    [
        (["--into", "tuned"], "--into should end with .yaml, got tuned"),
        (["--subset", "test"], "line 10: test of 'Loud.SpeakerDiarization.Talk' lacks"),
        (["--subset", "train"], "has no train subset"),
        (["--storage", "trials"], "*.journal or *.sqlite"),
        (["--seed", "-1"], "should be greater than or equal to 0"),
        (["--count", "--pruner", "median"], "`pruner` should be 'none'"),
        (["--database", "nowhere.yml"], "nowhere.yml"),
    ],
)
def test_mistakes_are_errors_in_one_line(tune, here, options: list[str], message: str):
    result = tune("--into", "tuned.yaml", *options)
    assert result.exit_code == 2
    # boxes of usage errors break lines
    assert message in " ".join(result.stderr.replace("│", " ").split())
    assert not list(here.glob("*.yaml"))


def test_audio_that_cannot_be_read_is_named_before_the_first_trial(tune, here):
    (here / "two.wav").write_bytes(b"no audio")
    result = tune("--into", "tuned.yaml")
    assert result.exit_code == 2
    assert "two.wav" in result.stderr
    assert not (here / "tuned.yaml").exists()


def test_a_grid_with_folds(tune):
    options = ("--sampler", "grid", "--trials", "4", "--folds")
    result = tune("--into", "tuned.yaml", *options, "2")
    assert result.exit_code == 0, result.output
    held_out = r"Held out: diarization error rate \d+\.\d\d%, 2 folds of files\."
    assert re.search(held_out, result.stdout)
    result = tune("--into", "tuned.yaml", *options, "3")
    assert result.exit_code == 2
    assert "at most 2, the number of" in result.stderr


def test_choices_are_those_that_exist():
    choices = get_type_hints(command)
    assert get_args(choices["sampler"]) == (*SAMPLERS,)
    assert get_args(choices["pruner"]) == (*PRUNERS,)
