# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Every hyper-parameter file says what it is, and fits what it configures."""

import inspect
from dataclasses import asdict
from pathlib import Path

import pytest
import torch
import yaml
from pyannote.core.utils.helper import get_class_by_name

from pyannote_diarizen.hub.bundled import bundled_folder, bundled_names
from pyannote_diarizen.resources import find_hparams, resource_folder
from pyannote_diarizen.tasks.segmentation_distillation import Imitation
from pyannote_diarizen.wavlm import WavLMConfig

RECIPES = sorted(resource_folder("hparams").glob("train/*.yaml"))
TRAININGS = sorted(resource_folder("hparams").glob("powerset_diarization/*.yaml"))
PIPELINES = sorted(resource_folder("hparams").glob("pipeline/*.yaml"))
PRESETS = sorted(bundled_folder().glob("presets/*.yaml"))
FILES = [*RECIPES, *TRAININGS, *PIPELINES]


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
    signature.bind(**pipeline["params"])


@pytest.mark.parametrize("path", TRAININGS, ids=lambda path: path.stem)
def test_a_training_builds_its_model_and_takes_its_task_arguments(path):
    hparams = load(path)
    task, model = hparams["task"], hparams["model"]
    inspect.signature(get_class_by_name(task["name"])).bind(None, **task["params"])
    if "wavlm" in model["params"]:
        wavlm = WavLMConfig.dense(**model["params"]["wavlm"])
        model["params"]["wavlm"] = wavlm.to_dict()
    with torch.device("meta"):
        built = get_class_by_name(model["name"])(**model["params"])
    assert sum(weight.numel() for weight in built.parameters()) < 10e6


@pytest.mark.parametrize("name", bundled_names())
def test_a_bundled_pipeline_has_the_values_of_its_file(name):
    config = load(bundled_folder(name) / "config.yaml")
    assert config == load(find_hparams(f"pipeline/{name}"))


@pytest.mark.parametrize("path", PRESETS, ids=lambda path: path.stem)
def test_a_preset_says_how_good_it_is_and_sets_what_its_pipeline_has(path):
    def names(path: Path) -> dict:
        return {part: set(own) for part, own in load(path)["params"].items()}

    assert names(path) == names(bundled_folder() / "config.yaml")
    for word in ("Command:", "Score:"):
        assert f"\n# {word} " in path.read_text(encoding="utf-8")
    assert [preset.stem for preset in PRESETS] == ["conversation", "meeting", "podcast"]


def test_a_teacher_is_heard_as_the_class_does_by_default():
    config = load(resource_folder("hparams") / "imitation" / "teacher.yaml")
    options = {name: config[name] for name in config if name != "_target_"}
    assert get_class_by_name(config["_target_"]) is Imitation
    plain = {**asdict(Imitation(None)), "layers": []}
    assert options == {**plain, "teacher": config["teacher"]}
