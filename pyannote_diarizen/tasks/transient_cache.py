# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Prepared data on disk for no longer than their task."""

import os
from pathlib import Path
from tempfile import mkstemp
from weakref import finalize

from pyannote.audio.core.task import Task


class TransientCache(Task):
    """Task that removes its cache in the end, unless the user asked for one.

    `Task` of pyannote.audio 4.0.7 hands prepared data from one process to the others
    through the file `cache`, and reads it again when a training is resumed. If not
    given, `cache` is a temporary file that is never closed nor removed. To be deleted
    with `test_pyannote_leaves_its_cache`.
    """

    cache: Path | None

    def prepare_data(self) -> None:
        """Write `cache`.

        A temporary one is removed with the task, or when the process exits that made
        it, even if something failed.
        """
        if not self.cache:
            descriptor, name = mkstemp(prefix="pyannote-diarizen-", suffix=".npz")
            os.close(descriptor)
            self.cache = Path(name)
            finalize(self, self.cache.unlink, missing_ok=True)
        super().prepare_data()
