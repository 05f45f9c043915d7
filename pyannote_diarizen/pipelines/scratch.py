# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Arrays of long recordings, in temporary files above a limit on memory.

The outputs of both networks and the activity of clusters grow with the recording: 4 GB
for a week with 40 speakers. Above the limit, new ones are mapped from files, whose
pages the system takes back when it needs memory.
"""

import math
import mmap
import os
import re
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from contextvars import ContextVar
from pathlib import Path
from typing import Any

import numpy as np
from numpy.typing import DTypeLike

from pyannote_diarizen.atomic import is_full

HEADROOM = 600 << 20
"""Bytes for what is not mapped: one batch of a network, and the clustering."""
_SMALL = 1 << 20
"""Bytes below which an array is never mapped."""
_UNITS = {"": 0, "k": 1, "m": 2, "g": 3, "t": 4}

_limit: ContextVar[int | None] = ContextVar("limit", default=None)


def parse_size(size: int | str) -> int:
    """Return a number of bytes.

    Examples
    --------
    >>> parse_size("2GB"), parse_size("1.5 GiB"), parse_size(1000)
    (2000000000, 1610612736, 1000)
    """
    found = re.fullmatch(r"([0-9.]+) *([kmgt]?)(i?)b?", str(size).strip().lower())
    try:
        number, unit, binary = found.groups() if found else ("", "", "")
        return int(float(number) * (1024 if binary else 1000) ** _UNITS[unit])
    except ValueError:
        raise ValueError(
            f"`max_memory` should be a size such as '2GB', got {size!r}."
        ) from None


@contextmanager
def limited_memory(max_memory: int | str | None) -> Iterator[None]:
    """Map new arrays from files once the process would take more memory.

    Parameters
    ----------
    max_memory : int, str or None
        Bytes, or a size such as "2GB". None for no limit.

    Raises
    ------
    ValueError
        If the process already takes too much.
    """
    limit = None if max_memory is None else parse_size(max_memory)
    if limit is not None and (least := own_memory() + HEADROOM) > limit:
        raise ValueError(
            f"`max_memory` should be at least {least / 1e9:.1f}GB, got {max_memory}: "
            f"the process takes {(least - HEADROOM) / 1e9:.1f} GB before the file, and "
            f"batches and clustering up to {HEADROOM / 1e9:.1f} GB."
        )
    token = _limit.set(limit)
    try:
        yield
    finally:
        _limit.reset(token)


def own_memory() -> int:
    """Return the bytes of this process in memory that are not those of files.

    Outside of Linux, those of files count, too, and it is the maximum so far.
    """
    statm = Path("/proc/self/statm")
    if statm.exists():
        _, resident, shared, *_ = map(int, statm.read_text().split())
        return (resident - shared) * mmap.PAGESIZE
    import resource

    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss


def new_array(shape: tuple[int, ...], dtype: DTypeLike, fill: float = 0) -> np.ndarray:
    """Return an array of one value, from a temporary file if memory is short.

    Raises
    ------
    OSError
        If there is no space for the file.
    """
    limit, size = _limit.get(), math.prod(shape) * np.dtype(dtype).itemsize
    if limit is None or size < _SMALL or own_memory() + size + HEADROOM < limit:
        return np.full(shape, fill, dtype)
    with tempfile.TemporaryFile() as file:
        _reserve(file, size)
        # the mapping outlives the file that it maps
        array: Any = np.memmap(file, dtype, "r+", shape=shape)
    if fill != 0:
        array[:] = fill
    return np.asarray(array)


def _reserve(file: Any, size: int) -> None:
    """Take space on the disk: without it, the first write would end the process."""
    try:
        if hasattr(os, "posix_fallocate"):
            os.posix_fallocate(file.fileno(), 0, size)
        else:
            file.truncate(size)
    except OSError as error:
        if not is_full(error):
            raise
        raise OSError(
            error.errno,
            f"{error.strerror}, {size / 1e9:.1f} GB of arrays do not fit: make room, "
            "set TMPDIR to another disk, or raise `max_memory`",
            tempfile.gettempdir(),
        ) from error
