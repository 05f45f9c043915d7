# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""What docs/coming-from-diarizen.md names exists."""

import re
import shlex
from pathlib import Path

import pytest
from hydra import compose, initialize_config_dir
from hydra.errors import ConfigCompositionException
from typer.main import get_command

import pyannote_diarizen.evaluation.metrics as metrics
from pyannote_diarizen.cli.main import app
from pyannote_diarizen.composition import free_options
from pyannote_diarizen.pipelines import DiariZenPipeline
from pyannote_diarizen.training.configuration import describe_components

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs" / "coming-from-diarizen.md").read_text(encoding="utf-8")
ROWS = [line.split("|")[2] for line in PAGE.splitlines() if line.startswith("| ")]
SPANS = [span for row in ROWS for span in re.findall("`([^`]+)`", row)]
GROUPS = "task|trainer|callbacks|optimizer|scheduler|backbone|model|distillation"
OPTIONS = [
    span
    for span in SPANS
    if "(" not in span  # code
    and re.match(
        rf"[+~]?({GROUPS}|augmentation|validate|seed|train|patience)\b"
        "|(gradient_checkpointing|auto_batch_size)=",
        span,
    )
]
COMMANDS = [span for span in SPANS if span.startswith("pyannote-diarizen ")]


@pytest.fixture(scope="module")
def components():
    described = describe_components()
    described.store()
    return described


@pytest.mark.parametrize("option", OPTIONS)
def test_options_of_training_exist(components, option):
    needed = {"scheduler.cycles=3": ["scheduler=cosine"]}
    needed["distillation.temperature=2"] = ["distillation=teacher"]
    needed["distillation=teacher"] = ["distillation.teacher.checkpoint=a"]
    needed["distillation.temperature=2"] += needed["distillation=teacher"]
    typed = [*needed.get(option, ()), option, "protocol=P"]
    with initialize_config_dir(str(ROOT / "hparams"), version_base="1.3"):
        components.check(compose("config", free_options(typed)))


def test_persistent_workers_are_refused(components):
    typed = free_options(["task.persistent_workers=true", "protocol=P"])
    with (
        initialize_config_dir(str(ROOT / "hparams"), version_base="1.3"),
        pytest.raises(ConfigCompositionException, match="persistent_workers"),
    ):
        compose("config", typed)


@pytest.mark.parametrize("command", COMMANDS)
def test_commands_and_their_options_exist(command):
    name, *typed = shlex.split(command)[1:]
    options = [each for each in typed if each.startswith("-")]
    parameters = get_command(app).commands[name].params
    assert set(options) <= {option for each in parameters for option in each.opts}


def test_names_of_python_exist():
    assert hasattr(metrics, "score_diarization")
    assert DiariZenPipeline.from_pretrained


def test_the_page_is_read():
    assert len(OPTIONS) > 40
    assert len(COMMANDS) > 15
