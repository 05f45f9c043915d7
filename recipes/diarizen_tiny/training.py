# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""What both trainings of the bundled model share."""

import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Timer
from pyannote.audio.core.model import Model

from pyannote_diarizen.atomic import replacing

LARGE = 4096
"""Elements from which on weights are saved in half precision."""


class TimedCosine(Timer):
    """Learning rate that warms up, then follows a cosine, by the time spent.

    The number of steps an hour allows is not known in advance on a shared machine.
    Time spent before an interruption counts.
    """

    def __init__(self, hours: float, peak: float = 3e-3, warm_up: float = 0.03) -> None:
        super().__init__(duration=timedelta(hours=hours))
        self.seconds = 3600 * hours
        self.peak = peak
        self.warm_up = warm_up

    def on_train_batch_start(
        self, trainer: Trainer, module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Set the learning rate."""
        progress = min(self.time_elapsed() / self.seconds, 1.0)
        rate = 0.5 * self.peak * (1 + math.cos(math.pi * progress))
        rate *= min(progress / self.warm_up, 1.0)
        for group in trainer.optimizers[0].param_groups:
            group["lr"] = max(rate, 1e-6)


def adam(model: Model, weight_decay: float = 0.02) -> torch.optim.Optimizer:
    """AdamW, weight decay on matrices only; `TimedCosine` sets the rate."""
    trained = [p for p in model.parameters() if p.requires_grad]
    groups = [
        {"params": [p for p in trained if p.ndim > 1], "weight_decay": weight_decay},
        {"params": [p for p in trained if p.ndim <= 1]},
    ]
    return torch.optim.AdamW(groups, lr=1e-6, weight_decay=0.0)


def release(trainer: Trainer, path: Path) -> None:
    """Save what inference needs, most in half precision (it loads as float32)."""
    with replacing(path) as temporary:
        trainer.save_checkpoint(temporary, weights_only=True)
        checkpoint = torch.load(temporary, weights_only=False)
        checkpoint["state_dict"] = {
            name: tensor.half() if tensor.numel() >= LARGE else tensor
            for name, tensor in checkpoint["state_dict"].items()
            if "loss" not in name and not name.startswith("validation_metric.")
        }
        torch.save(checkpoint, temporary)


def start_from(path: Path, model: Model) -> None:
    """Give a model of a task that is not set up yet the weights of a released one."""
    task = model.task
    task.prepare_data()
    task.setup()
    model.setup()
    weights = Model.from_pretrained(path).state_dict()
    missing, unexpected = model.load_state_dict(weights, strict=False)
    foreign = [name for name in missing if "loss" not in name] + list(unexpected)
    if foreign:
        raise ValueError(f"{path} and the model differ in {foreign}.")
