# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Callbacks that log and draw the progress of a training.

Tasks log the losses and error rates of epochs; these callbacks add steps and figures.
"""

from pathlib import Path
from typing import Any

import numpy as np
import soundfile
import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.loggers import TensorBoardLogger
from pyannote.audio.core.model import Model
from pyannote.audio.tasks import SpeakerDiarization
from pyannote.audio.torchmetrics.functional.audio.diarization_error_rate import (
    diarization_error_rate,
)
from pyannote.audio.utils.permutation import permutate
from pyannote.audio.utils.signal import Binarize
from pyannote.core import SlidingWindowFeature
from torch import Tensor
from torch.optim import Optimizer
from torch.utils.hooks import RemovableHandle

from pyannote_diarizen.atomic import replacing
from pyannote_diarizen.errors import check_at_least
from pyannote_diarizen.evaluation.plots import save_figure
from pyannote_diarizen.rttm import write_rttm
from pyannote_diarizen.training.figures import (
    NORM,
    RATE,
    Chunk,
    draw_chunks,
    draw_curves,
)
from pyannote_diarizen.training.history import TABLE, History

FIGURES = "figures"
CURVES = "curves.png"
CHUNKS = "chunks"


class StepMonitor(Callback):
    """Log loss, learning rates and gradient norms of steps.

    Names are `loss/step` and, for each parameter group, `learning_rate/NAME` and
    `gradient_norm/NAME` (before clipping), where NAME is the "name" of the group or its
    index. Loggers get each `log_every_n_steps`-th step of the trainer; metrics of an
    epoch include the means of rates and norms.
    """

    def on_before_optimizer_step(
        self, trainer: Trainer, pl_module: LightningModule, optimizer: Optimizer
    ) -> None:
        """Log learning rates and gradient norms."""
        values: dict[str, Any] = {}
        for number, group in enumerate(optimizer.param_groups):
            name = group.get("name", number)
            values[f"{RATE}{name}"] = group["lr"]
            gradients = [p.grad for p in group["params"] if p.grad is not None]
            if gradients:
                values[f"{NORM}{name}"] = torch.nn.utils.get_total_norm(gradients)
        pl_module.log_dict(
            values, on_step=False, on_epoch=True, logger=False, sync_dist=True
        )
        self._log(trainer, values)

    def on_train_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: Any,
        batch_idx: int,
    ) -> None:
        """Log the loss, which the trainer divides by the batches of a step."""
        if outputs:
            loss = outputs["loss"] * trainer.accumulate_grad_batches
            self._log(trainer, {"loss/step": loss})

    def _log(self, trainer: Any, values: dict[str, Any]) -> None:
        if trainer.global_step % trainer.log_every_n_steps == 0:
            floats = {name: float(value) for name, value in values.items()}
            for logger in trainer.loggers:
                logger.log_metrics(floats, step=trainer.global_step)


class Curves(Callback):
    """Draw the history of a run to `figures/` when training ends.

    Parameters
    ----------
    run : Path or str
        Folder of the run.
    """

    def __init__(self, run: Path | str) -> None:
        super().__init__()
        self.run = Path(run)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Draw."""
        if trainer.is_global_zero and (self.run / TABLE).is_file():
            save_figure(
                draw_curves(History.read(self.run)), self.run / FIGURES / CURVES
            )


class TrainingChunks(Callback):
    """Write the first training chunks of a run, to listen to and to look at.

    `chunks/NUMBER.flac` is the audio after augmentation and mixing,
    `chunks/NUMBER.rttm` its turns.

    Parameters
    ----------
    run : Path or str
        Folder of the run.
    num_chunks : int, optional
        Number of chunks, at most the size of a batch. Defaults to 4.
    """

    def __init__(self, run: Path | str, num_chunks: int = 4) -> None:
        super().__init__()
        self.run = Path(run)
        self.num_chunks = num_chunks

    def on_train_batch_start(
        self, trainer: Trainer, pl_module: LightningModule, batch: Any, batch_idx: int
    ) -> None:
        """Write the chunks of the first batch."""
        if (
            trainer.global_step > 0
            or batch_idx > 0
            or not trainer.is_global_zero
            or not isinstance(pl_module.task, SpeakerDiarization)
        ):
            return
        active = Binarize()
        # chunks, channels (FLAC has at most 8), samples
        waveforms = batch["X"][: self.num_chunks, :8].float().cpu().numpy()
        # chunks, frames, speakers
        targets = batch["y"][: self.num_chunks].float().cpu().numpy()
        frames = pl_module.receptive_field
        for number, (waveform, target) in enumerate(
            zip(waveforms, targets, strict=True)
        ):
            path = self.run / CHUNKS / f"{number}.flac"
            # above 1, samples would be clipped
            loudest = max(1.0, float(np.abs(waveform).max()))
            with replacing(path) as temporary:
                soundfile.write(
                    temporary,
                    waveform.T / loudest,
                    pl_module.hparams["sample_rate"],
                    format="FLAC",
                )
            turns = active(SlidingWindowFeature(target, frames))
            turns.uri = str(number)
            write_rttm(
                turns.rename_labels(generator="string"), path.with_suffix(".rttm")
            )


class ValidationFigures(Callback):
    """Draw reference and hypothesis of a few validation chunks.

    Figures are written to `figures/chunks-EPOCH.png` of the run and to TensorBoard.
    Chunks are the same in each epoch, spread over the validation set.

    Parameters
    ----------
    run : Path or str
        Folder of the run.
    num_chunks : int, optional
        Number of chunks. Defaults to 6.
    every_n_epochs : int, optional
        Number of epochs from a figure to the next. Defaults to 1.
    """

    def __init__(
        self, run: Path | str, num_chunks: int = 6, every_n_epochs: int = 1
    ) -> None:
        check_at_least(1, num_chunks=num_chunks, every_n_epochs=every_n_epochs)
        super().__init__()
        self.run = Path(run)
        self.num_chunks = num_chunks
        self.every_n_epochs = every_n_epochs
        self._hook: RemovableHandle | None = None
        self._scores = torch.empty(0)
        self._chunks: list[Chunk] = []

    def on_validation_epoch_start(
        self, trainer: Trainer, pl_module: LightningModule
    ) -> None:
        """Start to record the outputs of the model if this epoch has a figure."""
        self._hook = None
        if (
            trainer.is_global_zero
            and not trainer.sanity_checking
            and trainer.current_epoch % self.every_n_epochs == 0
            and isinstance(pl_module.task, SpeakerDiarization)
        ):
            self._chunks = []
            # a hook: a second forward pass would need all processes of a sharded model
            self._hook = pl_module.register_forward_hook(self._record)

    def _record(self, module: torch.nn.Module, inputs: Any, output: Any) -> None:
        # with several processes, the validation step is a forward call, too: its
        # output is no tensor
        if isinstance(output, Tensor):
            self._scores = output

    def on_validation_batch_end(
        self,
        trainer: Trainer,
        pl_module: LightningModule,
        outputs: Any,
        batch: dict[str, Any],
        batch_idx: int,
        dataloader_idx: int = 0,
    ) -> None:
        """Keep the first chunks of the chosen batches."""
        num_batches = int(trainer.num_val_batches[dataloader_idx])
        num_chosen = min(self.num_chunks, num_batches)
        chosen = np.linspace(0, num_batches - 1, num_chosen).astype(int)
        if self._hook is None or batch_idx not in chosen:
            return
        for item in range(-(-self.num_chunks // num_chosen)):
            if item < len(batch["y"]) and len(self._chunks) < self.num_chunks:
                self._chunks.append(self._chunk(pl_module, batch, item))

    def _chunk(self, model: Model, batch: dict[str, Any], item: int) -> Chunk:
        powerset = model.powerset
        scores = self._scores[item : item + 1].float()  # (1, num_frames, num_classes)
        active = batch["y"][item : item + 1]  # (1, num_frames, num_speakers)
        reference, _ = permutate(powerset.to_multilabel(scores), active)
        error = diarization_error_rate(
            powerset.to_multilabel(scores).transpose(1, 2), active.transpose(1, 2)
        )
        file = batch["meta"]["file"][item]
        path = Path(str(model.task.prepared_data["audio-path"][int(file)]))
        result = f"DER {100 * error.item():.1f} %" if active.any() else "silence"
        return Chunk(
            name=f"{path.stem}, {result}",
            step=model.receptive_field.step,
            reference=reference[0].cpu().numpy(),
            hypothesis=powerset.to_multilabel(scores, soft=True)[0].cpu().numpy(),
        )

    def on_validation_epoch_end(
        self, trainer: Trainer, pl_module: LightningModule
    ) -> None:
        """Draw."""
        if self._hook is None:
            return
        self._hook.remove()
        if not self._chunks:
            return
        epoch = trainer.current_epoch
        figure = draw_chunks(self._chunks, f"validation, epoch {epoch}")
        save_figure(figure, self.run / FIGURES / f"chunks-{epoch:04d}.png")
        for logger in trainer.loggers:
            if isinstance(logger, TensorBoardLogger):
                logger.experiment.add_figure("validation/chunks", figure, epoch)
