# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Random seeds by epoch, so that a resumed run repeats an uninterrupted one."""

import random
import zlib

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer


class EpochSeeds(Callback):
    """Seed each epoch of each process by its number.

    The random numbers of an epoch do not depend on earlier epochs, so that they are the
    same after resuming from a checkpoint.

    Parameters
    ----------
    seed : int
        Seed of the run.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.seed = seed
        self._seeded: int | None = None

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Seed the layers that the task adds: the same in all processes."""
        torch.manual_seed(self.seed)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Restart the data workers of a resumed run, with the seed of its epoch.

        Lightning 2.6 starts them before it restores the number of the epoch.
        """
        if trainer.current_epoch > 0:
            self._draw_seed(trainer)
            iter(trainer.fit_loop._data_fetcher)  # type: ignore[arg-type]

    def on_train_epoch_start(
        self, trainer: Trainer, pl_module: LightningModule
    ) -> None:
        """Seed the epoch."""
        if self._seeded != trainer.current_epoch:
            self._draw_seed(trainer)

    def _draw_seed(self, trainer: Trainer) -> None:
        self._seeded = trainer.current_epoch
        drawn = (self.seed, trainer.global_rank, trainer.current_epoch)
        seed = zlib.crc32(str(drawn).encode())
        random.seed(seed)
        # global generator that libraries use
        np.random.seed(seed)  # noqa: NPY002
        torch.manual_seed(seed)
