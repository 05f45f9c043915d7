# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import os
from pathlib import Path

import pytest
import torch
from published import write_embedding, write_original
from pyannote.audio import Pipeline


class Harmful:
    def __reduce__(self):
        return os.mkdir, ("harm",)


@pytest.fixture
def original(here) -> Path:
    return write_original(here / "original")


@pytest.fixture
def embedding(here) -> Path:
    return write_embedding(here / "embedding")


def test_there_and_back(run, here, original, embedding):
    result = run("convert", "original", "there", "--embedding", "embedding")
    assert (result.exit_code, result.stdout) == (0, "Written: there\n")
    assert Pipeline.from_pretrained(here / "there").segmentation_step == 0.25
    result = run("convert", "there", "back", "--to", "diarizen")
    assert (result.exit_code, result.stdout) == (0, "Written: back\n")
    for name in ("config.toml", "pytorch_model.bin", "plda/plda.npz"):
        assert (here / "back" / name).is_file()


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("nowhere", "new"), "'nowhere' is neither a folder with"),
        (("embedding", "new"), "holds no config.yaml or config.toml"),
        (("original", "embedding"), "exists: delete it, or name another folder"),
        (("original", "new", "--revision", "v2"), "`revision` is for"),
        (("original", "new", "--embedding", "original/plda"), "no pytorch_model.bin"),
        (
            ("diarizen-tiny", "new", "--to", "diarizen"),
            "DiariZen cannot run this pipeline",
        ),
    ],
)
def test_errors_take_one_line_and_leave_nothing(
    run, here, original, embedding, arguments, message
):
    result = run("convert", *arguments)
    assert result.exit_code == 2
    (line,) = result.stderr.splitlines()
    assert message in line
    assert {path.name for path in here.iterdir()} == {"original", "embedding"}


def test_code_is_run_on_request_only(run, here, original, embedding):
    path = embedding / "pytorch_model.bin"
    content = torch.load(path, weights_only=False)
    torch.save({**content, "hook": Harmful()}, path)
    arguments = ("convert", "original", "new", "--embedding", "embedding")
    result = run(*arguments)
    assert result.exit_code == 2
    assert "`weights_only=False`" in result.stderr
    assert not (here / "harm").exists()
    assert run(*arguments, "--no-weights-only").exit_code == 0
    assert (here / "harm").exists()
