# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""AutoClip: gradients clipped to a percentile of the history of their norm.

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

from pyannote_diarizen.errors import check_at_least


class PercentileClipping(Callback):
    """Callback that clips the gradient norm to a percentile of its own history.

    The history is part of the checkpoints. A step with a gradient that is not finite is
    skipped, and its norm is not added. Parameter groups with `is_clipped=False` do not
    count, and are not clipped.

    Parameters
    ----------
    percentile : float, optional
        Between 0 and 100. Defaults to 90.
    history : int, optional
        Number of norms in the history, including the present one. Defaults to 1000.

    Attributes
    ----------
    norm, limit : float
        Norm before clipping, and its limit, of the last step.
    """

    def __init__(self, percentile: float = 90.0, history: int = 1000) -> None:
        super().__init__()
        if not 0 <= percentile <= 100:
            raise ValueError(
                f"`percentile` should be between 0 and 100, got {percentile}."
            )
        check_at_least(1, history=history)
        self.percentile = percentile
        self.norms: deque[float] = deque(maxlen=history)
        self.norm = self.limit = math.nan

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Refuse strategies in which a process has only a part of the gradients."""
        if isinstance(trainer.strategy, (DeepSpeedStrategy, FSDPStrategy)):
            raise ValueError(
                f"{type(trainer.strategy).__name__} splits gradients between "
                "processes: use ~callbacks.clipping trainer.gradient_clip_val=1."
            )

    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer
    ) -> None:
        """Clip gradients, after mixed precision has unscaled them."""
        parameters = [
            parameter
            for group in optimizer.param_groups
            if group.get("is_clipped", True)
            for parameter in group["params"]
            if parameter.grad is not None
        ]
        # L2 norm over all parameters
        total = torch.nn.utils.get_total_norm([each.grad for each in parameters])
        self.norm = total.item()
        if not math.isfinite(self.norm):
            optimizer.zero_grad()
            return
        # limit at step t: percentile of the norms of steps t - history + 1, ..., t
        self.norms.append(self.norm)
        self.limit = float(np.percentile(self.norms, self.percentile))
        torch.nn.utils.clip_grads_with_norm_(parameters, self.limit, total)

    def state_dict(self) -> dict[str, Any]:
        """Return the history for a checkpoint."""
        return {"norms": list(self.norms)}

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Restore the history of a checkpoint."""
        self.norms.extend(state_dict["norms"])
