# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Tasks in the processes of data loaders, whatever starts these."""

from copy import copy
from types import SimpleNamespace
from typing import Any

from pyannote.audio.core.model import Model
from pyannote.audio.core.task import Task

PROGRESS = ("current_epoch", "global_step", "world_size", "global_rank", "local_rank")
"""Attributes of a trainer that choose chunks."""


class PicklableTask(Task):
    """Task that reaches processes started by spawn or forkserver.

    These receive a pickled copy, on macOS, Windows and since Python 3.14. Classes of
    protocols are made when a database is loaded, and cannot be pickled; nor can
    trainers. Workers need neither: data were prepared before, and of the trainer they
    need `PROGRESS` only.

    To be named after the task of pyannote.audio.
    """

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
