# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Progress of a training on the terminal, and messages of Lightning without use."""

import logging
from typing import Any

from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.callbacks import RichProgressBar

from pyannote_diarizen.training.figures import VALIDATION_LOSS

_USELESS = (
    "💡",  # advertisement
    "TPU available",
    "Loading `train_dataloader`",
    "Restoring states",  # "Restored all states" follows
    "`Trainer.fit` stopped",  # as does the reason, see `ending`
)
"""Start of messages that no user of the command can use."""


class EpochProgress(RichProgressBar):
    """Bar of the batches of an epoch, then one line with its metrics.

    Lightning writes metrics beside the bar, where names are cut to the width of the
    terminal.
    """

    def get_metrics(self, trainer: Trainer, pl_module: LightningModule) -> dict:
        """Metrics beside the bar: those of steps, without those of the epoch."""
        epoch = trainer.callback_metrics
        metrics = super().get_metrics(trainer, pl_module)
        return {k: v for k, v in metrics.items() if k not in epoch and k != "v_num"}

    def on_train_epoch_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Print the losses, and the metrics that tasks show."""
        super().on_train_epoch_end(trainer, pl_module)
        metrics: dict[str, Any] = trainer.callback_metrics
        shown = ("loss/train", VALIDATION_LOSS, *trainer.progress_bar_metrics)
        texts = []
        for name in dict.fromkeys(shown):
            if name in metrics:
                whole, _, part = name.rpartition("/")
                # parts follow the rate that they belong to
                text = part if whole in shown else name
                texts.append(f"{text} {metrics[name]:.3g}")
        if trainer.is_global_zero and self._console is not None:
            line = f"Epoch {trainer.current_epoch}: {', '.join(texts)}"
            self._console.print(line, soft_wrap=True, highlight=False)


def silence_useless_messages() -> None:
    """Leave out messages of Lightning that no user of the command can use."""
    for name in ("lightning.pytorch.utilities.rank_zero", "lightning.pytorch"):
        logging.getLogger(name).addFilter(_is_useful)


def _is_useful(record: logging.LogRecord) -> bool:
    return not record.getMessage().startswith(_USELESS)
