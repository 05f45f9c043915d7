# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Callbacks of the stages of pruning: progress, and importance of units."""

from collections.abc import Callable
from typing import Any

from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor

from pyannote_diarizen.tasks.wavlm_distillation import find_wavlm
from pyannote_diarizen.wavlm.ranking import importances

Hook = Callable[[str, int, int], None]
"""Called with the name of a stage, and its completed and total steps."""


class StageProgress(Callback):
    """Report completed steps of a stage.

    Parameters
    ----------
    stage : str
    hook : callable
        See `Hook`.
    """

    def __init__(self, stage: str, hook: Hook) -> None:
        super().__init__()
        self.stage = stage
        self.hook = hook

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Report."""
        num_batches = int(trainer.num_training_batches)
        completed = trainer.current_epoch * num_batches + batch_idx + 1
        total = (trainer.max_epochs or 1) * num_batches
        if trainer.max_steps > 0:
            total = min(total, trainer.max_steps * trainer.accumulate_grad_batches)
        self.hook(self.stage, completed, total)


class ImportanceSum(Callback):
    """Sum the importance of units over steps.

    Attributes
    ----------
    total : dict of str to (num_units,) Tensor
        See `wavlm.ranking.importances`.
    """

    def __init__(self) -> None:
        super().__init__()
        self.total: dict[str, Tensor] = {}

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Request the gradient of the last channels."""
        wavlm = find_wavlm(pl_module, "model")
        wavlm.feature_extractor.dummy_weight.requires_grad_(True)

    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Any
    ) -> None:
        """Add the importance of a step."""
        wavlm = find_wavlm(pl_module, "model")
        for name, score in importances(wavlm).items():
            self.total[name] = score.cpu() + self.total.get(name, 0.0)
        wavlm.feature_extractor.dummy_weight.grad = None
