# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Components by name, and their options; unknown options are refused."""

from dataclasses import asdict
from pathlib import Path

import pytest
import torch
from omegaconf import OmegaConf
from pyannote.audio.utils.permutation import permutate
from torch import nn

from pyannote_diarizen.models.checkpoint import load_model
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
    target = "pyannote_diarizen.tasks.segmentation_loss.SegmentationLoss"
    assert config["loss"] == {"_target_": target, **asdict(SegmentationLoss())}


class BrierLoss(nn.Module):
    """Squared error of the probability of each speaker."""

    def __init__(self, scale: float = 1.0, sigma: float = 9.0) -> None:
        super().__init__()
        self.scale, self.sigma = scale, sigma
        self.exponent = nn.Parameter(torch.tensor(2.0))

    def forward(self, scores, active, powerset):
        error = powerset.to_multilabel(scores, soft=True) - active
        return self.scale * error.abs().pow(self.exponent).mean()


def brier_loss(scores, active, powerset, scale=1.0):
    error = powerset.to_multilabel(scores, soft=True) - active
    return scale * error.square().mean()


@pytest.mark.parametrize("name", ["BrierLoss", "brier_loss"])
def test_a_loss_of_ones_own(configure, name, tmp_path):
    options = {
        "task.loss._target_": f"{__name__}.{name}",
        "+task.loss.scale": 3.0,
        "trainer.max_steps": 1,
    }
    run = assemble(configure(**options))
    run.fit()
    run.trainer.save_checkpoint(tmp_path / "own.ckpt")
    assert load_model(tmp_path / "own.ckpt").hparams.num_layer == 1
    task = run.model.task
    batch = next(iter(task.train_dataloader()))
    run.model.eval()
    run.model.log = lambda *_, **__: None
    with torch.no_grad():
        loss = task.training_step(batch, 0)["loss"]
        scores = run.model(batch["X"])
        active, _ = permutate(run.model.powerset.to_multilabel(scores), batch["y"])
    probabilities = run.model.powerset.to_multilabel(scores, soft=True)
    exponent = getattr(run.model, "loss_func", None)
    exponent = 2.0 if exponent is None else exponent.exponent.item()
    expected = 3.0 * (probabilities - active).abs().pow(exponent).mean()
    torch.testing.assert_close(loss, expected)
    if name == "BrierLoss":
        assert exponent != 2.0  # trained
        assert task.loss.function.sigma == 3.0  # has the name of one of ours


def test_options_of_our_loss_are_refused_by_ones_own(configure):
    options = {
        "task.loss._target_": f"{__name__}.BrierLoss",
        "task.loss.focal_gamma": 2,
    }
    with pytest.raises(ValueError, match="focal_gamma"):
        assemble(configure(**options))


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


def test_classes_of_torch_and_of_the_host_train(configure, tiny):
    absent = dict.fromkeys(name for name in tiny if name.startswith("model."))
    schedule = "torch.optim.lr_scheduler"
    options = {
        "model": "own",
        "++model._target_": "pyannote.audio.models.segmentation.PyanNet",
        "++model.lstm.num_layers": 1,
        "scheduler": "own",
        "++scheduler._target_": f"{schedule}.StepLR",
        "++scheduler.step_size": 1,
        "++augmentation._target_": "torch_audiomentations.PolarityInversion",
        "trainer.max_steps": 2,
        "optimizer.lr": 0.5,
    }
    run = assemble(configure(**(absent | options)))
    run.fit()
    assert run.model.lstm.num_layers == 1
    assert run.trainer.optimizers[0].param_groups[0]["lr"] == pytest.approx(0.005)


def test_a_scheduler_without_its_options_is_refused(configure):
    target = "torch.optim.lr_scheduler.StepLR"
    options = {"scheduler": "own", "++scheduler._target_": target}
    run = assemble(configure(**options))
    with pytest.raises(ValueError, match=r"scheduler: .*'step_size'"):
        run.fit()


def test_a_plateau_looks_at_the_validation_loss(configure):
    target = "torch.optim.lr_scheduler.ReduceLROnPlateau"
    options = {"scheduler": "own", "++scheduler._target_": target}
    run = assemble(configure(**options, trainer__max_epochs=1))
    run.fit()
    (used,) = run.trainer.lr_scheduler_configs
    assert (used.interval, used.monitor) == ("epoch", "loss/val")
    assert used.scheduler.best == run.trainer.callback_metrics["loss/val"]


def test_a_class_that_does_not_exist_is_refused():
    with pytest.raises(ValueError, match=r"=nowhere\.Model cannot be imported"):
        build(OmegaConf.create({"_target_": "nowhere.Model"}))


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
