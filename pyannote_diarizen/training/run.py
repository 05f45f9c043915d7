# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Assembly of a training run from its configuration."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lightning.pytorch import Callback, Trainer, seed_everything
from lightning.pytorch.loggers import TensorBoardLogger
from omegaconf import DictConfig
from pyannote.audio.core.model import Model
from pyannote.audio.core.task import Task

from pyannote_diarizen.findings import require
from pyannote_diarizen.tasks import DistillationPruning
from pyannote_diarizen.training.batch_size import split_batches
from pyannote_diarizen.training.checkpoints import (
    AtomicCheckpoints,
    check_room,
)
from pyannote_diarizen.training.configuration import build, make_task, plain_options
from pyannote_diarizen.training.gradient_checkpointing import (
    enable_gradient_checkpointing,
)
from pyannote_diarizen.training.history import TABLE, History
from pyannote_diarizen.training.messages import EpochProgress
from pyannote_diarizen.training.optimization import (
    Backbone,
    FrozenBackbone,
    Optimization,
)
from pyannote_diarizen.training.option_types import check_settings
from pyannote_diarizen.training.preflight import (
    check_development,
    check_recordings,
    check_speakers,
    list_files,
    require_data,
)
from pyannote_diarizen.training.pretrained import load_pretrained, match_classes
from pyannote_diarizen.training.run_folder import check_weights, checkpoint_to_resume
from pyannote_diarizen.training.seeding import EpochSeeds


@dataclass(frozen=True)
class Run:
    """Model, trainer and starting point of a training.

    Parameters
    ----------
    model : Model
        Its task holds the training data.
    trainer : Trainer
    checkpoint : Path, optional
        Checkpoint to resume from.
    """

    model: Model
    trainer: Trainer
    checkpoint: Path | None = None

    def fit(self) -> None:
        """Train."""
        # the checkpoint is our own, and the specifications of its model are objects
        self.trainer.fit(self.model, ckpt_path=self.checkpoint, weights_only=False)

    def validate(self) -> dict[str, float]:
        """Compute the loss and the error rates on the development subset, by name."""
        (scores,) = self.trainer.validate(
            self.model, ckpt_path=self.checkpoint, verbose=False, weights_only=False
        )
        return dict(scores)


def assemble(config: DictConfig) -> Run:
    """Build a run from its configuration, after the checks of `preflight`.

    Parameters
    ----------
    config : DictConfig
        Composed by Hydra from `hparams/`. `config.run` is the output folder.

    Returns
    -------
    run : Run

    Raises
    ------
    OSError
        If a file that `config` names does not exist, the disk is full, or the folder
        holds another training.
    ValueError
        If `config` or a file of its protocol is wrong.
    """
    check_settings(config)
    plain_options(config.trainer)  # which is built last
    checkpoint = checkpoint_to_resume(config)
    if checkpoint is not None and (Path(config.run) / TABLE).is_file():
        History.read(config.run)  # an error before anything runs
    if config.validate and checkpoint is None and "pretrained" not in config:
        raise ValueError(
            "`validate` needs a checkpoint: add run=FOLDER +resume=last, or "
            "+pretrained=CHECKPOINT."
        )
    config = split_batches(config)
    seed_everything(config.seed, workers=True)
    require_data(config)
    task = make_task(config)
    files = list_files(task)
    require(check_recordings(task, files))
    require([check_development(config, task)])
    model = _make_model(config, task)
    if checkpoint is not None:
        check_weights(model, checkpoint, config)
    # the number of speakers may be that of a pretrained model
    require(check_speakers(task, files["train"], config.max_crowded))
    optimization = _make_optimization(config, model)
    model.configure_optimizers = partial(optimization.configure, model)
    folder = Path(config.run)
    if config.validate:
        trainer = build(config.trainer, logger=False, enable_checkpointing=False)
        return Run(model, trainer, checkpoint)
    callbacks = _make_callbacks(config, optimization.backbone)
    folder.mkdir(parents=True, exist_ok=True)
    check_room(model, folder, _num_checkpoints(config))
    trainer = _make_trainer(config, folder, callbacks)
    if trainer.world_size > 1:
        if config.auto_batch_size:
            raise ValueError(
                f"`auto_batch_size` needs one process, got {trainer.world_size}: use "
                "trainer.devices=1, or set task.batch_size and "
                "trainer.accumulate_grad_batches."
            )
        # pyannote.audio logs the values of each process without averaging them
        model.log = partial(model.log, sync_dist=True)
    return Run(model, trainer, checkpoint)


def _num_checkpoints(config: DictConfig) -> int:
    """Maximum number of epochs whose checkpoints stay."""
    num_epochs = config.trainer.get("max_epochs") or 1
    keep = (config.callbacks.get("checkpoints") or {}).get("keep")
    # the best and the last epochs
    return num_epochs if keep is None else min(2 * keep, num_epochs)


def _make_model(config: DictConfig, task: Task) -> Model:
    pretrained = config.get("pretrained")
    if pretrained is None:
        model = build(config.model, task=task)
    else:
        model = load_pretrained(pretrained)
        match_classes(task, model)
        model.task = task
    if isinstance(task, DistillationPruning):
        task.add_gates(model)  # before the weights of a checkpoint are checked
    if config.gradient_checkpointing and not enable_gradient_checkpointing(model):
        raise ValueError(
            f"{type(model).__name__} has no layers for gradient_checkpointing."
        )
    return model


def _make_optimization(config: DictConfig, model: Model) -> Optimization:
    backbone = build(config.backbone)
    if backbone.is_apart:
        backbone.find(model)  # raises an error if there is none
    optimization = Optimization(
        build(config.optimizer, _partial_=True),
        build(config.scheduler, _partial_=True),
        backbone,
    )
    # checks the options; groups of a task need its data
    optimization.optimizer([{"params": list(model.parameters())}])
    return optimization


def _make_callbacks(config: DictConfig, backbone: Backbone) -> list[Callback]:
    callbacks = [build(each) for each in config.callbacks.values() if each]
    if config.trainer.get("enable_progress_bar", True):
        callbacks.append(EpochProgress())
    if backbone.frozen:
        callbacks.append(FrozenBackbone(backbone))
    return [*callbacks, EpochSeeds(config.seed)]


def _make_trainer(
    config: DictConfig, folder: Path, callbacks: list[Callback]
) -> Trainer:
    # DeepSpeed splits checkpoints and writes them itself
    splits = "deepspeed" in str(config.trainer.strategy)
    return build(
        config.trainer,
        callbacks=callbacks,
        logger=TensorBoardLogger(folder, name="tensorboard", version=""),
        plugins=None if splits else [AtomicCheckpoints()],
    )
