# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Commands run on a pipeline that needs no weights, in an empty folder."""

import sys
from collections.abc import Callable
from pathlib import Path

import numpy as np
import pytest
import soundfile
from typer.testing import CliRunner, Result

sys.path.append(str(Path(__file__).parents[1] / "pipelines"))

from addresses import memory  # noqa: F401 - a fixture
from tone_pipeline import write_tone_pipeline

from pyannote_diarizen.cli.main import app

CONFIG = "pipeline:\n  name: loud_pipeline.LoudPipeline\n"


@pytest.fixture
def pipeline(tmp_path, monkeypatch) -> str:
    """Folder of the pipeline of `loud_pipeline.py`."""
    monkeypatch.syspath_prepend(Path(__file__).parent)
    folder = tmp_path / "loud"
    folder.mkdir()
    (folder / "config.yaml").write_text(CONFIG)
    return str(folder)


@pytest.fixture(scope="session")
def tone_folder(tmp_path_factory) -> Path:
    """Folder of a pipeline whose speakers are tones."""
    return write_tone_pipeline(tmp_path_factory.mktemp("tones"))


@pytest.fixture
def here(tmp_path, monkeypatch) -> Path:
    """Empty current folder."""
    folder = tmp_path / "here"
    folder.mkdir()
    monkeypatch.chdir(folder)
    return folder


@pytest.fixture
def write_audio(here) -> Callable[..., Path]:
    """Write a file that is loud from 0.5 s to `end`, silent in other channels."""

    def write(name: str, end: float = 1.0, num_channels: int = 1) -> Path:
        path = here / name
        path.parent.mkdir(parents=True, exist_ok=True)
        samples = np.zeros((32000, num_channels), dtype=np.float32)
        samples[8000 : int(end * 16000), -1] = 0.5
        soundfile.write(path, samples, 16000)
        return path

    return write


@pytest.fixture
def run() -> Callable[..., Result]:
    """Run a command."""

    def invoke(*arguments: str) -> Result:
        return CliRunner().invoke(app, list(arguments))

    return invoke
