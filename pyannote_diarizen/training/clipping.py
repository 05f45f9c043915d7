# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Gradients clipped to a percentile of how large they have been.

References
----------
P. Seetharaman et al., "AutoClip: Adaptive Gradient Clipping for Source Separation
Networks", MLSP 2020.
"""

import math
from collections import deque
from typing import Any

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.strategies import DeepSpeedStrategy, FSDPStrategy
from torch.optim import Optimizer


class PercentileClipping(Callback):
    """Clip the norm of all gradients to a percentile of its own history.

    The history is in the checkpoints. A step whose gradients are not finite is skipped
    and leaves no trace in it.

    Parameters
    ----------
    percentile : float, optional
        Between 0 and 100. Defaults to 90.
    history : int, optional
        Number of norms to remember, that of the present step included. Defaults to
        1000.

    Attributes
    ----------
    norm, limit : float
        Of the last step, before clipping.
    """

    def __init__(self, percentile: float = 90.0, history: int = 1000) -> None:
        super().__init__()
        if not 0 <= percentile <= 100:
            raise ValueError(
                f"`percentile` should be between 0 and 100, got {percentile}."
            )
        if history < 1:
            raise ValueError(f"`history` should be at least 1, got {history}.")
        self.percentile = percentile
        self.norms: deque[float] = deque(maxlen=history)
        self.norm = self.limit = math.nan

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse strategies that leave each process with a part of the gradients."""
        if isinstance(trainer.strategy, (DeepSpeedStrategy, FSDPStrategy)):
            raise ValueError(
                f"{type(trainer.strategy).__name__} splits gradients up: "
                "use ~callbacks.clipping trainer.gradient_clip_val=1 with it."
            )

    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer
    ) -> None:
        """Clip gradients, once mixed precision has scaled them back."""
        parameters = [
            parameter
            for group in optimizer.param_groups
            for parameter in group["params"]
            if parameter.grad is not None
        ]
        total = torch.nn.utils.get_total_norm([each.grad for each in parameters])
        self.norm = total.item()
        if not math.isfinite(self.norm):
            optimizer.zero_grad()
            return
        self.norms.append(self.norm)
        self.limit = float(np.percentile(self.norms, self.percentile))
        torch.nn.utils.clip_grads_with_norm_(parameters, self.limit, total)

    def state_dict(self) -> dict[str, Any]:
        """Return what a checkpoint holds."""
        return {"norms": list(self.norms)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Go on with the history of a checkpoint."""
        self.norms.extend(state_dict["norms"])
