# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""A training run, made of its configuration."""

from dataclasses import dataclass
from functools import partial
from pathlib import Path

from lightning.pytorch import Callback, Trainer, seed_everything
from lightning.pytorch.loggers import TensorBoardLogger
from omegaconf import DictConfig, OmegaConf
from pyannote.audio.core.model import Model
from pyannote.audio.core.task import Task

from pyannote_diarizen.corpora.protocols import load_protocol
from pyannote_diarizen.training.checkpoints import (
    CONFIG,
    AtomicCheckpoints,
    check_room,
    checkpoint_to_resume,
)
from pyannote_diarizen.training.configuration import PARTS, build
from pyannote_diarizen.training.gradient_checkpointing import recompute_layers
from pyannote_diarizen.training.optimization import (
    Backbone,
    FrozenBackbone,
    Optimization,
)
from pyannote_diarizen.training.preflight import (
    check_callbacks,
    check_files,
    check_lines,
    check_speakers,
)
from pyannote_diarizen.training.pretrained import load_pretrained, match_classes
from pyannote_diarizen.training.seeding import EpochSeeds


@dataclass(frozen=True)
class Run:
    """What is trained, by whom, and from where on.

    Parameters
    ----------
    model : Model
        With its task.
    trainer : Trainer
    checkpoint : Path, optional
        Where training goes on.
    """

    model: Model
    trainer: Trainer
    checkpoint: Path | None = None

    def fit(self) -> None:
        """Train."""
        # the specifications of models are objects; the file is one of our own
        self.trainer.fit(self.model, ckpt_path=self.checkpoint, weights_only=False)


def assemble(config: DictConfig) -> Run:
    """Make a run of its configuration, and check what can be known before it starts.

    Parameters
    ----------
    config : DictConfig
        As composed by Hydra of `hparams/`. What the run writes goes to the folder
        `config.run`.

    Returns
    -------
    run : Run

    Raises
    ------
    OSError
        If something that `config` names does not exist, or the disk is full.
    ValueError
        If `config` is wrong, or the files of its protocol are.
    """
    seed_everything(config.seed, workers=True)
    task = make_task(config)
    check_files(task)
    model = _make_model(config, task)
    check_speakers(task, config.max_crowded)
    optimization = _make_optimization(config, model)
    model.configure_optimizers = partial(optimization.configure, model)
    callbacks = _make_callbacks(config, optimization.backbone)
    check_callbacks(task, callbacks)
    folder = Path(config.run)
    folder.mkdir(parents=True, exist_ok=True)
    check_room(model, folder)
    trainer = _make_trainer(config, folder, callbacks)
    if trainer.world_size > 1:
        # the host logs what each process has seen by itself
        model.log = partial(model.log, sync_dist=True)
    resume = config.get("resume")
    return Run(model, trainer, resume and checkpoint_to_resume(resume, folder))


def make_task(config: DictConfig) -> Task:
    """Make the task of a run, once the lines of its protocol have been checked.

    Parameters
    ----------
    config : DictConfig
        See `assemble`.

    Raises
    ------
    OSError
        If something that `config` names does not exist.
    ValueError
        If `config` is wrong, or a line of its protocol is.
    """
    database = Path(config.database) if "database" in config else None
    protocol = load_protocol(config.protocol, database)
    check_lines(config.protocol, database)
    # only those that are chosen: some tasks do not take them
    given = {name: build(config[name]) for name in PARTS if config.get(name)}
    return build(config.task, protocol=protocol, **given)


def _make_model(config: DictConfig, task: Task) -> Model:
    pretrained = config.get("pretrained")
    if pretrained is None:
        model = build(config.model, task=task)
    else:
        model = load_pretrained(pretrained)
        match_classes(task, model)
        model.task = task
    if config.gradient_checkpointing and not recompute_layers(model):
        raise ValueError(
            f"{type(model).__name__} has no layers for gradient_checkpointing."
        )
    return model


def _make_optimization(config: DictConfig, model: Model) -> Optimization:
    backbone = build(config.backbone)
    if backbone.is_apart:
        backbone.find(model)  # or tell that there is none
    return Optimization(
        build(config.optimizer, _partial_=True),
        build(config.scheduler, _partial_=True),
        backbone,
    )


def _make_callbacks(config: DictConfig, backbone: Backbone) -> list[Callback]:
    callbacks = [build(each) for each in config.callbacks.values() if each]
    if backbone.frozen:
        callbacks.append(FrozenBackbone(backbone))
    return [*callbacks, EpochSeeds(config.seed)]


def _make_trainer(
    config: DictConfig, folder: Path, callbacks: list[Callback]
) -> Trainer:
    # DeepSpeed, which splits checkpoints, writes its own
    splits = "deepspeed" in str(config.trainer.strategy)
    return build(
        config.trainer,
        callbacks=callbacks,
        logger=TensorBoardLogger(folder, name="tensorboard", version=""),
        plugins=None if splits else [AtomicCheckpoints()],
    )


def write_config(config: DictConfig) -> None:
    """Write `config` into the folder of the run, as it is used."""
    OmegaConf.save(config, Path(config.run) / CONFIG, resolve=True)
