# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Preprocessors of a configuration, which pyannote.audio calls for each file."""

from pathlib import Path

import pytest
import yaml

from pyannote_diarizen.hub.bundled import bundled_folder
from pyannote_diarizen.pipelines.batch import diarize_files
from pyannote_diarizen.pipelines.published import pretrained_config


@pytest.fixture
def config() -> dict:
    return yaml.safe_load((bundled_folder() / "config.yaml").read_text())


def test_the_name_of_a_class_is_enough(config):
    name = "pyannote_diarizen.audio.reader.AudioReader"
    config["preprocessors"] = {"a": name, "b": {"name": name}, "c": "database.yml"}
    completed = pretrained_config(config)["preprocessors"]
    assert completed == {"a": {"name": name}, "b": {"name": name}, "c": "database.yml"}


@pytest.mark.parametrize(
    ("preprocessors", "message"),
    [
        (3, "should map keys of a file to classes, got 3"),
        ({"audio": 3}, "the `name` of a class for 'audio', .* got 3"),
        ({"audio": {"params": {}}}, "the `name` of a class for 'audio'"),
        ({"audio": "no.such.Class"}, "there is no class 'no.such.Class' for 'audio'"),
        ({"audio": {"name": "os.mkdir"}}, "'os.mkdir' for 'audio' should be a class"),
        ({"audio": "subprocess.Popen"}, "'subprocess.Popen' for 'audio' should be"),
        ({"audio": "pathlib.Path"}, "'pathlib.Path' for 'audio' should be a class"),
        ({"audio": "torch.load"}, "'torch.load' for 'audio' should be a class"),
        ({"audio": "pyannote.core.Segment"}, "'pyannote.core.Segment' for 'audio'"),
        ({"audio": "{uri}.wav"}, r"there is no class '\{uri\}.wav'"),
    ],
)
def test_what_cannot_be_called_is_refused(config, preprocessors, message):
    config["preprocessors"] = preprocessors
    with pytest.raises(ValueError, match=message):
        pretrained_config(config)


def test_a_fault_of_another_package_does_not_stop_other_files():
    def pipeline(file):
        if file["uri"] == "bad":
            raise KeyError("uri")
        return file["uri"]

    files = {"bad": Path("bad.wav"), "good": Path("good.wav")}
    bad, good = diarize_files(pipeline, files)
    assert bad.error == "'bad.wav' cannot be diarized: KeyError: 'uri'"
    assert good.diarization == "good"
