# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""What README.md and docs/ tell people to type works."""

import json
import re
import shlex
import shutil
from pathlib import Path

import pytest
import soundfile
from hydra import compose, initialize_config_dir
from typer.main import get_command

from pyannote_diarizen.audio.sample import sample_file
from pyannote_diarizen.cli.main import app
from pyannote_diarizen.results.document import DiarizationDocument
from pyannote_diarizen.training.configuration import register_components

ROOT = Path(__file__).parents[2]
README = (ROOT / "README.md").read_text(encoding="utf-8")
_FRAGMENTS = (
    "checkpoints.md",
    "clustering.md",
    "data.md",
    "developers.md",
    "pruning.md",
    "serve.md",
    "training.md",
)
_DOCS = {
    page.name: page.read_text(encoding="utf-8")
    for page in sorted(ROOT.glob("docs/*.md"))
}
PAGES = "".join(_DOCS.values())
RUNNABLE = "".join(text for name, text in _DOCS.items() if name not in _FRAGMENTS)
COMMANDS = get_command(app).commands


def blocks(language: str, text: str = README) -> list[str]:
    """Code blocks in that language."""
    return re.findall(rf"```{language}\n(.*?)```", text, flags=re.DOTALL)


LINES = [line for block in blocks("bash") for line in block.splitlines()]
OURS = [line for line in LINES if line.startswith("pyannote-diarizen ")]
SHOWN = re.findall(r"^(?:\$ )?(pyannote-diarizen .*)", PAGES, flags=re.MULTILINE)
PYTEST = [line for line in LINES if line.startswith("pytest ")]
TRAINING = [line for line in LINES if line.startswith("pyannote-audio-train ")]
FROM_SCRATCH = [line for line in LINES if line.startswith("python3 -m venv ")]


def test_no_line_is_overlooked():
    assert sorted(LINES) == sorted(OURS + PYTEST + TRAINING + FROM_SCRATCH)


def test_both_commands_from_scratch_are_run_by_continuous_integration():
    script = (ROOT / ".ci" / "run").read_text(encoding="utf-8")
    assert len(FROM_SCRATCH) == 2
    for line in FROM_SCRATCH:
        assert f"\n({line})\n" in script


@pytest.mark.parametrize("line", OURS + SHOWN)
def test_commands_and_their_options_exist(line):
    name, *arguments = shlex.split(line.split(">")[0])[1:]
    known = {option for parameter in COMMANDS[name].params for option in parameter.opts}
    assert {word for word in arguments if word.startswith("--")} <= known


@pytest.mark.parametrize("line", TRAINING)
def test_configurations_exist(line):
    register_components()
    with initialize_config_dir(str(ROOT / "hparams"), version_base="1.3"):
        assert compose("config", line.split()[1:]).run


@pytest.mark.parametrize("line", PYTEST)
def test_markers_exist(line, pytestconfig):
    markers = [marker.split(":")[0] for marker in pytestconfig.getini("markers")]
    assert line.removeprefix("pytest -m ") in markers


def test_the_json_of_the_page_about_formats_is_read():
    (text,) = blocks("json", PAGES)
    document = DiarizationDocument.from_json(text)
    assert document.to_dict() == json.loads(text) | {
        "speakers": document.to_dict()["speakers"]
    }


@pytest.mark.parametrize("code", blocks("python") + blocks("python", RUNNABLE))
def test_python_runs(code, tmp_path, monkeypatch, capsys):
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path))  # exported networks
    shutil.copy(sample_file()["audio"], "audio.wav")
    samples, rate = soundfile.read("audio.wav")
    soundfile.write("ann.wav", samples[int(11.1 * rate) : int(14.4 * rate)], rate)
    exec(code, {})
    assert "SPEAKER_00" in capsys.readouterr().out


def test_files_that_it_links_to_exist():
    links = re.findall(r"\]\((?!https?://)([^)]+)\)", README)
    assert [link for link in links if not (ROOT / link).exists()] == []
