# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Tasks in the processes of data loaders, whatever starts these."""

from copy import copy
from multiprocessing import get_all_start_methods
from types import SimpleNamespace
from typing import Any

from pyannote.audio.core.model import Model
from pyannote.audio.core.task import Task
from torch.utils.data import DataLoader

from pyannote_diarizen.errors import check_at_least

PROGRESS = ("current_epoch", "global_step", "world_size", "global_rank", "local_rank")
"""Attributes of a trainer that choose chunks."""


class PicklableTask(Task):
    """Task that reaches processes started by spawn or forkserver.

    These receive a pickled copy, on macOS, Windows and since Python 3.14. Classes of
    protocols are made when a database is loaded, and cannot be pickled; nor can
    trainers. Workers need neither: data were prepared before, and of the trainer they
    need `PROGRESS` only.

    To be named after the task of pyannote.audio.

    Workers start again for each epoch: those that stay would draw the chunks of the
    first epoch again.
    """

    prefetch_factor: int | None = None
    start_method: str | None = None

    def set_workers(
        self, prefetch_factor: int | None, start_method: str | None
    ) -> None:
        """Choose how many batches each worker loads in advance, and how it starts.

        Raises
        ------
        ValueError
            If `prefetch_factor` is below 1, or this machine lacks `start_method`.
        """
        check_at_least(1, prefetch_factor=prefetch_factor)
        known = get_all_start_methods()
        if start_method not in (None, *known):
            raise ValueError(
                f"`start_method` should be one of {', '.join(known)}, got "
                f"'{start_method}'."
            )
        self.prefetch_factor = prefetch_factor
        self.start_method = start_method

    def train_dataloader(self) -> DataLoader:
        """Load training batches."""
        return self._with_options(super().train_dataloader())

    def val_dataloader(self) -> DataLoader | None:
        """Load validation batches, if there are any."""
        loader = super().val_dataloader()
        return None if loader is None else self._with_options(loader)

    def _with_options(self, loader: DataLoader) -> DataLoader:
        if loader.num_workers > 0:
            loader.multiprocessing_context = self.start_method
            if self.prefetch_factor is not None:
                loader.prefetch_factor = self.prefetch_factor
        return loader

    def __getstate__(self) -> dict[str, Any]:
        """Attributes without protocol and trainer, and the progress of the latter."""
        state = vars(self).copy()
        for name in ("protocol", "trainer"):
            state.pop(name, None)
        model: Model | None = state.get("model")
        if model is not None:
            state["model"] = copy(model)
            # set by trainings in place of the method
            vars(state["model"]).pop("configure_optimizers", None)
            if model._trainer is not None:
                progress = {name: getattr(model._trainer, name) for name in PROGRESS}
                state["_progress"] = progress
        return state

    def __setstate__(self, state: dict[str, Any]) -> None:
        """Restore attributes; Lightning pickles no trainer of a model."""
        progress = state.pop("_progress", None)
        self.__dict__.update(state)
        if progress is not None:
            self.model.__dict__["_trainer"] = SimpleNamespace(**progress)
