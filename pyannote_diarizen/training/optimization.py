# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Optimizer, learning rates of backbone and head, and their schedule."""

import inspect
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR, LRScheduler, ReduceLROnPlateau


@dataclass(frozen=True)
class Backbone:
    """Pretrained part of a model.

    Parameters
    ----------
    module : str
        Name of the part, as in "wavlm_model".
    lr : float, optional
        Learning rate of the part. Defaults to that of the rest, the head.
    frozen : bool, optional
        Whether its weights stay as they are. Defaults to False.

    Raises
    ------
    ValueError
        If `frozen` and `lr` are both given.
    """

    module: str
    lr: float | None = None
    frozen: bool = False

    def __post_init__(self) -> None:
        """Check options."""
        if self.frozen and self.lr is not None:
            raise ValueError("`backbone.lr` has no effect on a frozen backbone.")

    @property
    def is_apart(self) -> bool:
        """Whether it is trained differently from the head."""
        return self.frozen or self.lr is not None

    def find(self, model: nn.Module) -> nn.Module:
        """Return the backbone of `model`.

        Raises
        ------
        ValueError
            If `model` has no such part; the message lists its parts.
        """
        children = dict(model.named_children())
        if self.module not in children:
            raise ValueError(
                f"`backbone.module` should name a part of {type(model).__name__} "
                f"({', '.join(children)}), got '{self.module}'."
            )
        return children[self.module]


@dataclass(frozen=True)
class Optimization:
    """Optimizer and schedule of a model, by parameter groups.

    Parameters
    ----------
    optimizer : callable
        Maps parameter groups to an optimizer.
    schedule : callable
        Maps the number of the step and the number of all steps to the factor of the
        learning rates, see `pyannote_diarizen.functional.schedules`; or maps the
        optimizer to a scheduler of torch, which counts steps. `ReduceLROnPlateau`
        monitors "loss/val", once per epoch.
    backbone : Backbone
    """

    optimizer: Callable[[list[dict[str, Any]]], Optimizer]
    schedule: Callable[..., Any]
    backbone: Backbone

    def configure(self, model: LightningModule) -> dict[str, Any]:
        """Return optimizer and schedule, as `configure_optimizers` should."""
        # over all epochs, after accumulation; infinite without trainer.max_epochs
        num_steps = model.trainer.estimated_stepping_batches
        optimizer = self.optimizer(self.parameter_groups(model))
        scheduler = self._scheduler(optimizer, num_steps)
        scheduling: dict[str, Any] = {"scheduler": scheduler, "interval": "step"}
        if isinstance(scheduler, ReduceLROnPlateau):
            scheduling |= {"interval": "epoch", "monitor": "loss/val"}
        return {"optimizer": optimizer, "lr_scheduler": scheduling}

    def _scheduler(self, optimizer: Optimizer, num_steps: float) -> LRScheduler:
        target = getattr(self.schedule, "func", self.schedule)
        if inspect.isclass(target) and issubclass(target, LRScheduler):
            try:
                return self.schedule(optimizer)
            except TypeError as error:  # an option is missing
                raise ValueError(f"scheduler: {error}") from error
        return LambdaLR(optimizer, lambda step: self.schedule(step, num_steps))

    def parameter_groups(self, model: nn.Module) -> list[dict[str, Any]]:
        """Return one group "all", or "backbone" and "head" if their rates differ.

        A task may have groups of its own, by `task.parameter_groups()`: they come last.
        """
        task: Any = getattr(model, "task", None)
        apart = task.parameter_groups() if hasattr(task, "parameter_groups") else []
        theirs = {id(p) for group in apart for p in group["params"]}
        trained = [
            p for p in model.parameters() if p.requires_grad and id(p) not in theirs
        ]
        if self.backbone.lr is None:
            return [{"name": "all", "params": trained}, *apart]
        # by identity: tensors compare by value
        inside = {id(p) for p in self.backbone.find(model).parameters()}
        backbone = [p for p in trained if id(p) in inside]
        head = [p for p in trained if id(p) not in inside]
        return [
            {"name": "backbone", "params": backbone, "lr": self.backbone.lr},
            {"name": "head", "params": head},
            *apart,
        ]


class FrozenBackbone(Callback):
    """Callback that keeps weights and statistics of a backbone.

    Parameters
    ----------
    backbone : Backbone
    """

    def __init__(self, backbone: Backbone) -> None:
        super().__init__()
        self.backbone = backbone

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Exclude weights from training."""
        self.backbone.find(pl_module).requires_grad_(False)

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Restore evaluation mode: the trainer sets training mode."""
        self.backbone.find(pl_module).eval()
