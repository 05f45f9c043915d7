# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Every hyper-parameter file says what it is, and fits what it configures."""

import inspect
from pathlib import Path

import pytest
import yaml
from pyannote.core.utils.helper import get_class_by_name

from pyannote_diarizen.hub.bundled import bundled_folder, bundled_names
from pyannote_diarizen.resources import find_hparams, resource_folder

RECIPES = sorted(
    path
    for folder in ("train", "prune")
    for path in resource_folder("hparams").glob(f"{folder}/*.yaml")
)
PIPELINES = sorted(resource_folder("hparams").glob("pipeline/*.yaml"))
FILES = [*RECIPES, *PIPELINES]


def load(path: Path) -> dict:
    return yaml.safe_load(path.read_text(encoding="utf-8"))


@pytest.mark.parametrize("path", FILES, ids=lambda path: path.stem)
def test_a_file_opens_with_paper_command_and_score(path):
    lines = path.read_text(encoding="utf-8").splitlines()
    header = "\n".join(line for line in lines if line.startswith("#"))
    assert lines[0].startswith("#")
    for word in ("arXiv", "Command:", "Score:"):
        assert word in header


@pytest.mark.parametrize("path", PIPELINES, ids=lambda path: path.stem)
def test_a_pipeline_takes_its_arguments(path):
    pipeline = load(path)["pipeline"]
    signature = inspect.signature(get_class_by_name(pipeline["name"]))
    bound = signature.bind(**pipeline["params"])
    assert bound.arguments == pipeline["params"]


@pytest.mark.parametrize("name", bundled_names())
def test_a_bundled_pipeline_has_the_values_of_its_file(name):
    config = load(bundled_folder(name) / "config.yaml")
    assert config == load(find_hparams(f"pipeline/{name}"))
