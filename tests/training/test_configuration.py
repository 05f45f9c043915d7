# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Components by name, and their options; unknown options are refused."""

from dataclasses import asdict
from pathlib import Path

import pytest
from omegaconf import OmegaConf

from pyannote_diarizen.tasks import PowersetDiarization
from pyannote_diarizen.tasks.segmentation_loss import SegmentationLoss
from pyannote_diarizen.training.configuration import build, component_config, parameters
from pyannote_diarizen.training.run import assemble


class Parent:
    def __init__(self, width: int = 4, *, path: Path = Path(), names: tuple = ("a",)):
        self.width = width
        self.names = names


class Child(Parent):
    def __init__(self, task: object = None, depth: int = 2, **host: object) -> None:
        super().__init__(**host)
        self.task = task
        self.depth = depth


def test_options_are_those_of_the_constructor_and_of_its_parents():
    assert component_config(Child) == {
        "_target_": f"{__name__}.Child",
        "depth": 2,
        "width": 4,
        "names": ["a"],
    }


def test_options_of_the_host_are_known_too():
    assert {"duration", "simulated", "batch_size"} <= set(
        parameters(PowersetDiarization)
    )


def test_options_of_the_loss_are_known_one_by_one():
    config = component_config(PowersetDiarization)
    assert config["loss"] == asdict(SegmentationLoss())


def test_options_of_callbacks_are_those_of_their_constructors(configure):
    callbacks = configure(
        callbacks__clipping__history=7, callbacks__chunks=None
    ).callbacks
    clipping = "pyannote_diarizen.training.clipping.PercentileClipping"
    expected = {"_target_": clipping, "percentile": 90.0, "history": 7}
    assert callbacks.clipping == expected
    assert callbacks.chunks.num_chunks == 6
    assert callbacks.checkpoints.keep == 5
    # a training that diverges ends before its epoch is written
    assert list(callbacks)[:3] == ["finite_loss", "memory", "steps"]


def test_model_and_task_of_another_package_train(third_party, configure, tiny):
    absent = dict.fromkeys(name for name in tiny if name.startswith("model."))
    toys = {"model": "ToyModel", "model.width": 8, "task": "ToyTask"}
    run = assemble(
        configure(**(absent | toys), task__hint="some", trainer__max_steps=1)
    )
    run.fit()
    assert run.trainer.global_step == 1
    assert type(run.model).__name__ == "ToyModel"
    assert run.model.classifier.in_features == 8
    assert run.model.task.hint == "some"


def test_what_is_built_holds_plain_values():
    config = OmegaConf.create(
        {"_target_": "collections.OrderedDict", "_args_": [{"a": [1]}]}
    )
    built = build(config)
    assert type(built["a"]) is list


def test_a_misspelled_option_is_refused_with_the_known_ones():
    config = OmegaConf.create({"_target_": "torch.nn.Linear", "in_feature": 2})
    with pytest.raises(
        ValueError, match=r"in_feature\. Did you mean in_features\? Known keys are in_f"
    ):
        build(config)
