# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Learning rate, optimizers and checkpoints of the trainings of the bundled model."""

import math
from datetime import timedelta
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import Timer
from pyannote.audio.core.model import Model
from torch import Tensor

from pyannote_diarizen.atomic import replacing

LARGE = 4096
"""Elements from which on weights are saved in half precision."""


class TimedCosine(Timer):
    """Learning rate that warms up, then follows a cosine, by the time spent.

    The number of steps an hour allows is not known in advance on a shared machine.
    Time spent before an interruption counts. A group of parameters whose "share" is
    set has that share of the rate.
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
        rate = self.peak * warm_up_cosine(progress, self.warm_up)
        for group in trainer.optimizers[0].param_groups:
            group["lr"] = max(rate * group.get("share", 1.0), 1e-6)


def warm_up_cosine(progress: float, warm_up: float) -> float:
    """Share of the peak rate: linear up to `warm_up`, times a cosine from 1 to 0."""
    return 0.5 * (1 + math.cos(math.pi * progress)) * min(progress / warm_up, 1.0)


def adam(
    model: Model, betas: tuple[float, float] = (0.9, 0.999)
) -> torch.optim.Optimizer:
    """AdamW, weight decay on matrices only; the schedule sets the rate."""
    matrices, rest = split_parameters(model)
    groups = [{"params": matrices, "weight_decay": 0.02}, {"params": rest}]
    return torch.optim.AdamW(groups, lr=1e-6, betas=betas, weight_decay=0.0)


def muon(model: Model) -> torch.optim.Optimizer:
    """Muon [1]_ for matrices, Adam for the rest; `TimedCosine` sets the rates.

    What a layer should say is nearly a regression, on inputs that are far stronger in
    some directions than in others. Adam hardly moves along the weak ones.

    References
    ----------
    .. [1] J. Liu et al., "Muon is Scalable for LLM Training", 2025.
    """
    matrices, rest = split_parameters(model)
    return Chained(
        torch.optim.Muon(
            matrices, lr=1e-6, weight_decay=0.0, adjust_lr_fn="match_rms_adamw"
        ),
        torch.optim.Adam([{"params": rest, "share": 0.3}], lr=1e-6),
    )


def split_parameters(model: Model) -> tuple[list[Tensor], list[Tensor]]:
    """Return those that are trained: matrices (and kernels), all others."""
    trained = [p for p in model.parameters() if p.requires_grad]
    matrices = [p for p in trained if p.ndim > 1]
    return matrices, [p for p in trained if p.ndim <= 1]


class Chained(torch.optim.Optimizer):
    """Several optimizers as one, as Lightning takes no more by itself."""

    def __init__(self, *optimizers: torch.optim.Optimizer) -> None:
        self.optimizers = optimizers
        super().__init__([p for o in optimizers for p in o.param_groups], {})
        self._share_groups()

    def step(self, closure: Any = None) -> Any:
        """Step all."""
        loss = None
        if closure is not None:
            with torch.enable_grad():
                loss = closure()
        for optimizer in self.optimizers:
            optimizer.step()
        return loss

    def state_dict(self) -> dict[str, Any]:
        """Return the states of all."""
        return {"optimizers": [o.state_dict() for o in self.optimizers]}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Set the states of all."""
        states = state_dict["optimizers"]
        for optimizer, state in zip(self.optimizers, states, strict=True):
            optimizer.load_state_dict(state)
        self._share_groups()

    def _share_groups(self) -> None:
        """Let whoever sets a rate here set it there."""
        self.param_groups = [g for o in self.optimizers for g in o.param_groups]


def release(trainer: Trainer, path: Path) -> None:
    """Save what inference needs, most in half precision (it loads as float32)."""
    with replacing(path) as temporary:
        trainer.save_checkpoint(temporary, weights_only=True)
        checkpoint = torch.load(temporary, weights_only=False)
        checkpoint["state_dict"] = {
            name: halve_large(tensor)
            for name, tensor in checkpoint["state_dict"].items()
            if "loss" not in name and not name.startswith("validation_metric.")
        }
        torch.save(checkpoint, temporary)


def halve_large(tensor: Tensor) -> Tensor:
    """Convert large weights to half precision."""
    return tensor.half() if tensor.numel() >= LARGE else tensor


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
