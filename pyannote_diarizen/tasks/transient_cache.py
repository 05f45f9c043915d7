# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Prepared data on disk until all processes of a training have read them."""

import os
from pathlib import Path
from tempfile import mkstemp

from pyannote.audio.core.task import Task


class TransientCache(Task):
    """Task that removes its cache once it is read, unless the user asked for one.

    `Task` of pyannote.audio 4.0.7 hands prepared data from one process to the others
    through the file `cache`. If not given, that is a temporary file which is never
    closed nor removed. To be deleted with `test_pyannote_leaves_its_cache`.

    To be named after the task of the host, so that its `setup` calls this one.
    """

    cache: Path | None
    _temporary: Path | None = None

    def prepare_data(self) -> None:
        """Write `cache`, unless it has been read already."""
        if hasattr(self, "prepared_data"):
            return
        if not self.cache:
            descriptor, name = mkstemp(prefix="pyannote-diarizen-", suffix=".npz")
            os.close(descriptor)
            self.cache = self._temporary = Path(name)
        try:
            super().prepare_data()
        except BaseException:
            self._remove_temporary()
            raise

    def setup(self, stage: str | None = None) -> None:
        """Read `cache` once in each process, then remove it if it is temporary."""
        if hasattr(self, "prepared_data"):
            return  # a run that is resumed sets up twice
        try:
            super().setup(stage)
            if stage == "fit":
                self.trainer.strategy.barrier("all have read prepared data")
        finally:
            self._remove_temporary()

    def _remove_temporary(self) -> None:
        if self._temporary is not None:
            self._temporary.unlink(missing_ok=True)
            self.cache = self._temporary = None
