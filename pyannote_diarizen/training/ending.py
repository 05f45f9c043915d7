# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""End of a training: its reason, its best epoch, and the command that comes next."""

import math
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.callbacks import EarlyStopping
from torch import Tensor

from pyannote_diarizen.models.checkpoint import WEIGHTS
from pyannote_diarizen.tasks import DistillationPruning
from pyannote_diarizen.training.averaging import AVERAGE
from pyannote_diarizen.training.checkpoints import (
    CHECKPOINTS,
    LAST,
    find_checkpoints,
)
from pyannote_diarizen.training.figures import VALIDATION_LOSS
from pyannote_diarizen.training.history import TABLE, History
from pyannote_diarizen.training.report import summarize


class DivergenceError(ValueError):
    """The loss of a training is not a finite number."""


class FiniteLoss(Callback):
    """Stop a training whose loss is not finite, before it writes a checkpoint.

    A single batch with such a loss is no reason: its step is skipped with 16-bit floats
    and with clipping, and the next loss is finite. The training stops after
    `MAX_BATCHES` batches in a row, counted at each multiple of it, after the last two
    batches of an epoch, or after validation. All processes stop together.
    """

    MAX_BATCHES = 20

    def __init__(self) -> None:
        super().__init__()
        self._num_batches = torch.tensor(0)

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Count the batches in a row whose loss is not finite."""
        if outputs:
            finite = outputs["loss"].isfinite()
            self._num_batches = (self._num_batches.to(finite.device) + 1) * ~finite
        # reading the number waits for the device: not at each step
        if batch_idx % self.MAX_BATCHES == 0:
            self._stop_if(self._num_batches >= self.MAX_BATCHES, trainer, "loss/train")

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Check the last two batches and the validation loss."""
        # an epoch may have a single batch
        num = min(2, trainer.num_training_batches)
        self._stop_if(self._num_batches >= num, trainer, "loss/train")
        loss = trainer.callback_metrics.get(VALIDATION_LOSS)
        if isinstance(loss, Tensor):
            self._stop_if(~loss.isfinite(), trainer, VALIDATION_LOSS)

    @staticmethod
    def _stop_if(broken: Tensor, trainer: Trainer, metric: str) -> None:
        """Raise an error in all processes if the loss of one of them is broken."""
        if trainer.strategy.reduce_boolean_decision(bool(broken), all=False):
            raise _diverged(trainer, metric)


def _diverged(trainer: Any, metric: str) -> DivergenceError:
    last = getattr(trainer.checkpoint_callback, "last_model_path", "")
    rate = trainer.optimizers[0].param_groups[-1].get("initial_lr", math.nan)
    # ++ also replaces the model that the training started from
    restart = f"++pretrained={last} instead of model options, " if last else ""
    return DivergenceError(
        f"Stopped in epoch {trainer.current_epoch}: {metric} is not a finite number. "
        f"Usual causes: a learning rate that is too high, precision 16-mixed (now "
        f"{trainer.precision}), no clipping of gradients, damaged audio. "
        f"Last good checkpoint: {last or 'none, this is the first epoch'}. Next: the "
        f"same command with {restart}optimizer.lr={rate / 3:.1g} and another run=."
    )


class ResumableEarlyStopping(EarlyStopping):
    """Early stopping whose patience can change when a training resumes.

    A training that ended for this reason ends at once if it is resumed with the same
    patience.
    """

    def load_state_dict(self, state_dict: dict[str, Any]) -> None:
        """Load all but the patience."""
        super().load_state_dict(state_dict | {"patience": self.patience})

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Stop if no patience is left."""
        trainer.should_stop = trainer.should_stop or self.wait_count >= self.patience


def describe_end(run: Path, trainer: Trainer, reason: str | None = None) -> list[str]:
    """Describe the end of a training.

    Parameters
    ----------
    run : Path
        Folder of the run.
    trainer : Trainer
        Trainer after `fit`.
    reason : str, optional
        Reason of a failure.

    Returns
    -------
    lines : list of str
        Reason, best epoch, checkpoint, and the next command unless it failed.
    """
    lines = [f"Ended: {reason or _reason(run, trainer)}."]
    if not (run / TABLE).is_file():
        return lines
    history = History.read(run)
    best = history.best(VALIDATION_LOSS)
    path = run / (LAST if best is None else Path(CHECKPOINTS) / f"{best:04d}.ckpt")
    lines.append(summarize(history))
    if not (run / LAST).exists():  # as with trainer.fast_dev_run
        return [*lines, "No checkpoint was written."]
    lines.append(f"Checkpoint: {path if path.exists() else run / LAST}")
    if reason:  # the error has another command to type
        return lines
    num = len(find_checkpoints(run / CHECKPOINTS).keys() & set(history.epochs))
    rule = f"{'last' if best is None else 'best'} {min(num, 5)}"
    then = f"pyannote-diarizen package {run} PIPELINE"
    task = getattr(trainer.lightning_module, "task", None)
    if isinstance(task, DistillationPruning):
        rule, stage = ("prune", "distil") if task.prunes else (rule, "train")
        average = run / AVERAGE / WEIGHTS
        then = f"pyannote-audio-train prune=...-{stage} +pretrained={average}"
    return [*lines, f"Next: pyannote-diarizen average {run} --{rule}, then {then}"]


def _reason(run: Path, trainer: Any) -> str:
    resume = f"pyannote-audio-train run={run} +resume=last"
    if trainer.interrupted:
        return f"interrupted in epoch {trainer.current_epoch}; {resume} goes on"
    if 0 < trainer.max_steps <= trainer.global_step:
        return f"all {trainer.max_steps} steps are done (trainer.max_steps)"
    if trainer.max_epochs and 0 < trainer.max_epochs <= trainer.current_epoch:
        return f"all {trainer.max_epochs} epochs are done (trainer.max_epochs)"
    for stopping in trainer.early_stopping_callbacks:
        if stopping.wait_count >= stopping.patience:
            return (
                f"no lower {stopping.monitor} for {stopping.patience} epochs "
                f"(patience={stopping.patience}); {resume} "
                f"patience={2 * stopping.patience} goes on"
            )
    return "a callback stopped the training"
