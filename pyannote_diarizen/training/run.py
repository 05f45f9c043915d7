# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""A training run, made of its configuration."""

from dataclasses import dataclass
from pathlib import Path

from lightning.pytorch import Trainer, seed_everything
from lightning.pytorch.loggers import TensorBoardLogger
from omegaconf import DictConfig, OmegaConf
from pyannote.audio.core.model import Model

from pyannote_diarizen.data.protocols import load_protocol
from pyannote_diarizen.training.components import build

CONFIG = "config.yaml"
CHECKPOINTS = "checkpoints"


@dataclass(frozen=True)
class Run:
    """What is trained, and by whom.

    Parameters
    ----------
    model : Model
        With its task.
    trainer : Trainer
    """

    model: Model
    trainer: Trainer

    def fit(self) -> None:
        """Train."""
        self.trainer.fit(self.model)


def assemble(config: DictConfig, folder: Path) -> Run:
    """Make a run of its configuration.

    Parameters
    ----------
    config : DictConfig
        As composed by Hydra of `hparams/`.
    folder : Path
        What the run writes goes there.

    Returns
    -------
    run : Run

    Raises
    ------
    FileNotFoundError
        If something that `config` names does not exist.
    ValueError
        If `config` is wrong.
    """
    seed_everything(config.seed, workers=True)
    protocol = load_protocol(config.protocol, config.get("database"))
    augmentation = build(config.augmentation) if config.augmentation else None
    task = build(config.task, protocol=protocol, augmentation=augmentation)
    model = build(config.model, task=task)
    callbacks = [build(callback) for callback in config.callbacks.values()]
    logger = TensorBoardLogger(folder, name="tensorboard", version="")
    return Run(model, build(config.trainer, callbacks=callbacks, logger=logger))


def write_config(config: DictConfig, folder: Path) -> None:
    """Write `config` as the run uses it, for the record."""
    folder.mkdir(parents=True, exist_ok=True)
    OmegaConf.save(config, folder / CONFIG, resolve=True)
