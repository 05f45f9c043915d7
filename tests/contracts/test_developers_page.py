# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""docs/developers.md shows the package of tests/third_party."""

import re
import sys
from configparser import ConfigParser
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir

from pyannote_diarizen.composition import free_options
from pyannote_diarizen.training.configuration import register_components

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "developers.md").read_text(encoding="utf-8")
PACKAGE = ROOT / "tests" / "third_party"
COMMANDS = re.findall("^pyannote-audio-train (.*)", PAGE, flags=re.MULTILINE)


def blocks(language: str) -> list[str]:
    return re.findall(rf"```{language}\n(.*?)```", PAGE, flags=re.DOTALL)


def test_classes_are_those_of_the_package():
    code = (PACKAGE / "toy_components.py").read_text(encoding="utf-8")
    shown = blocks("python")
    assert len(shown) == 4
    assert [block for block in shown if block not in code] == []


def test_entry_points_are_those_that_the_tests_install():
    text = (PACKAGE / "pyproject.toml").read_text(encoding="utf-8")
    (shown,) = blocks("toml")
    assert shown in text
    installed = ConfigParser()
    installed.optionxform = str
    installed.read(PACKAGE / "toy_components-0.1.dist-info" / "entry_points.txt")
    assert tomllib.loads(text)["project"]["entry-points"] == {
        group: dict(installed[group]) for group in installed.sections()
    }


@pytest.mark.parametrize("command", COMMANDS)
def test_the_commands_compose(third_party, command):
    register_components()
    with initialize_config_dir(str(ROOT / "hparams"), version_base="1.3"):
        config = compose("config", free_options(command.split()))
    assert config.protocol == "Noise.SpeakerDiarization.Tiny"
