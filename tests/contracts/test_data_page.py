# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The commands of docs/data.md print what the page shows."""

import re
import shlex
import shutil
import subprocess
from pathlib import Path

import pytest
from pyannote.database import registry
from pyannote.database.util import load_lst
from typer.main import get_command
from typer.testing import CliRunner

from pyannote_diarizen.cli.main import app

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "data.md").read_text(encoding="utf-8")
BLOCKS = re.findall(r"```console\n(.*?)```", PAGE, flags=re.DOTALL)
COMMANDS = get_command(app).commands
NAMES = {"train": "train", "dev": "development"}


def steps(block: str) -> list[tuple[str, str]]:
    """Commands and what they print."""
    return re.findall(r"^\$ (.*)\n((?:(?!\$ ).*\n)*)", block, flags=re.MULTILINE)


ALL = [step for block in BLOCKS for step in steps(block)]


@pytest.fixture
def kaldi(tmp_path, shared, monkeypatch) -> Path:
    """Excerpts of AMI, listed as DiariZen does."""
    monkeypatch.chdir(tmp_path)
    audio = shared / "audio" / "ami"
    for folder, name in NAMES.items():
        subset = tmp_path / "ami" / folder
        subset.mkdir(parents=True)
        shutil.copy(audio / f"{name}.rttm", subset / "rttm")
        shutil.copy(audio / f"{name}.uem", subset / "all.uem")
        lines = [
            f"{uri} {audio / uri}.flac\n" for uri in load_lst(audio / f"{name}.lst")
        ]
        (subset / "wav.scp").write_text("".join(lines))
    return tmp_path


def test_data_is_imported_and_checked_as_shown(kaldi):
    ran = 0
    for typed, printed in steps(BLOCKS[0]) + steps(BLOCKS[1]):
        name, *arguments = shlex.split(typed)
        if name == "pyannote-diarizen":
            assert CliRunner().invoke(app, arguments).stdout == printed
            ran += 1
        else:
            subprocess.run(typed, shell=True, check=True)
    assert ran == 3


@pytest.mark.parametrize(
    "typed", [typed for typed, _ in ALL if typed.startswith("pyannote-diarizen")]
)
def test_commands_and_their_options_exist(typed):
    name, *arguments = shlex.split(typed.split("|")[0])[1:]
    known = {option for parameter in COMMANDS[name].params for option in parameter.opts}
    assert {word for word in arguments if word.startswith("--")} <= known


def test_missing_files_are_listed_as_shown(monkeypatch):
    monkeypatch.setattr(registry, "configs", {})  # of other tests
    ((typed, printed),) = [step for step in ALL if "--root" in step[0]]
    arguments = shlex.split(typed.split("|")[0])[1:]
    lines = CliRunner().invoke(app, arguments).stdout.splitlines()
    assert lines[:3] == printed.replace("...", str(ROOT), 1).splitlines()
