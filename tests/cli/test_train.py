# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Output of `pyannote-audio-train` before training starts."""

import re
import sys

import pytest

from pyannote_diarizen.cli.train import _no_useless_folder, main
from pyannote_diarizen.resources import resource_folder


@pytest.fixture
def answer(monkeypatch, tmp_path, capsys):
    """Run the command; return exit code and output."""
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("XDG_CACHE_HOME", str(tmp_path / "cache"))

    def run(*arguments: str) -> tuple:
        monkeypatch.setattr(sys, "argv", ["pyannote-audio-train", *arguments])
        with pytest.raises(SystemExit) as exited:
            main()
        return exited.value.code, *capsys.readouterr()

    return run


def test_help_names_what_can_be_chosen(answer):
    code, text, _ = answer("--help")
    assert not code
    for recipe in resource_folder("hparams").glob("train/*.yaml"):
        assert recipe.stem in text
    for choice in ("WavLMConformer", "PowersetDiarization", "one_cycle", "AdamW"):
        assert choice in text
    assert "batch_size: 32" in text


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("task.duratoin=5",), r"in 'task': duratoin\. Did you mean duration\?"),
        (("model=WavLMConfromer",), "Could not find 'model/WavLMConfromer'"),
        (("+resume=last", "run=nowhere"), "no training to resume in 'nowhere'"),
        ((), r"Value\(s\) are missing: add protocol=\.\.\.$"),
        (("+task.duratoin=5",), r"in 'task': duratoin\. Did you mean duration\?"),
        (("task.loss.focal=5",), r"Did you mean focal_gamma\?.*pos_weight\.$"),
        (("database=d.yml",), r"'database' has no default.*: \+database=d\.yml$"),
        (
            ("optimizer.betas=[0.9,0.95]",),
            r"options of torch\.optim\.AdamW: \+optimizer\.betas=\[0\.9,0\.95\]$",
        ),
        (
            ("callbacks.mine={_target_:a.B}",),
            r"A plus adds other keys: \+callbacks\.mine=\{_target_:a\.B\}$",
        ),
    ],
)
def test_an_error_is_one_line(answer, arguments, message):
    code, _, errors = answer(*arguments)
    assert code == 2
    (line,) = errors.splitlines()
    assert line.startswith("pyannote-audio-train: ")
    assert re.search(message, line)


@pytest.mark.parametrize(("written", "kept"), [("config.yaml", 0), ("0000.ckpt", 1)])
def test_a_refused_training_leaves_no_folder(tmp_path, written, kept):
    folder = tmp_path / "run"
    folder.mkdir()

    def refuse() -> None:
        with _no_useless_folder(folder):
            (folder / written).touch()
            raise ValueError("refused")

    with pytest.raises(ValueError, match="refused"):
        refuse()
    assert folder.exists() == kept
