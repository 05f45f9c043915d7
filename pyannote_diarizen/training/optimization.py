# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""What is optimised, at which rates, from start to end."""

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import nn
from torch.optim import Optimizer
from torch.optim.lr_scheduler import LambdaLR


@dataclass(frozen=True)
class Backbone:
    """The part of a model that came with weights of its own.

    Parameters
    ----------
    module : str
        Its name in the model, as in "wavlm_model".
    lr : float, optional
        Its learning rate. Defaults to that of the rest, the head.
    frozen : bool, optional
        Whether to leave it as it is. Defaults to False.

    Raises
    ------
    ValueError
        If it is frozen and has a learning rate.
    """

    module: str
    lr: float | None = None
    frozen: bool = False

    def __post_init__(self) -> None:
        """Check options."""
        if self.frozen and self.lr is not None:
            raise ValueError("`backbone.lr` is of no use to a frozen backbone.")

    @property
    def is_apart(self) -> bool:
        """Whether it is treated otherwise than the head."""
        return self.frozen or self.lr is not None

    def find(self, model: nn.Module) -> nn.Module:
        """Return the backbone of `model`.

        Raises
        ------
        ValueError
            If there is none of that name; the message lists the modules that exist.
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
    """What `configure_optimizers` of a model returns.

    Parameters
    ----------
    optimizer : callable
        Makes an optimizer of groups of parameters.
    schedule : callable
        Factor of learning rates, given the number of steps so far and that of all. See
        `pyannote_diarizen.functional.schedules`.
    backbone : Backbone
    """

    optimizer: Callable[[list[dict[str, Any]]], Optimizer]
    schedule: Callable[[int, float], float]
    backbone: Backbone

    def configure(self, model: LightningModule) -> dict[str, Any]:
        """Make optimizer and schedule of a model that has a trainer."""
        num_steps = model.trainer.estimated_stepping_batches
        optimizer = self.optimizer(self.parameter_groups(model))
        scheduler = LambdaLR(optimizer, lambda step: self.schedule(step, num_steps))
        scheduling = {"scheduler": scheduler, "interval": "step"}
        return {"optimizer": optimizer, "lr_scheduler": scheduling}

    def parameter_groups(self, model: nn.Module) -> list[dict[str, Any]]:
        """Split what is trained, "all", into "backbone" and "head" if rates differ."""
        trained = [p for p in model.parameters() if p.requires_grad]
        if self.backbone.lr is None:
            return [{"name": "all", "params": trained}]
        inside = {id(p) for p in self.backbone.find(model).parameters()}
        backbone = [p for p in trained if id(p) in inside]
        head = [p for p in trained if id(p) not in inside]
        return [
            {"name": "backbone", "params": backbone, "lr": self.backbone.lr},
            {"name": "head", "params": head},
        ]


class FrozenBackbone(Callback):
    """Leave the weights and statistics of a backbone as they are.

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
        """Undo what the trainer does at the start of training."""
        self.backbone.find(pl_module).eval()
