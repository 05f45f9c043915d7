# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Epochs that draw the same random numbers whenever they begin."""

import random
import zlib

import numpy as np
import torch
from lightning.pytorch import Callback, LightningModule, Trainer


class EpochSeeds(Callback):
    """Give each epoch of each process a seed of its own.

    An epoch does not depend on the numbers that those before have drawn: it is the same
    when training has gone on from a checkpoint.

    Parameters
    ----------
    seed : int
        Of the run.
    """

    def __init__(self, seed: int) -> None:
        super().__init__()
        self.seed = seed
        self._seeded: int | None = None

    def setup(self, trainer: Trainer, pl_module: LightningModule, stage: str) -> None:
        """Seed the layers that the task adds: alike for any number of processes."""
        torch.manual_seed(self.seed)

    def on_train_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Read data of the epoch at which training goes on.

        Lightning 2.6 starts the workers that read it before it knows that epoch.
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
        # libraries draw from it
        np.random.seed(seed)  # noqa: NPY002
        torch.manual_seed(seed)
