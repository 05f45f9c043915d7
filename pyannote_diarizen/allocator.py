# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Settings of the memory allocator of the process.

glibc returns each large block to the kernel when it is freed and asks for it again at
the next layer of a network. The kernel then clears every page: a fifth of the CPU time
of a diarization. Our commands keep freed blocks; the library never changes the process
by itself.
"""

import ctypes
import sys

# parameters of `mallopt`, from malloc.h
_TRIM_THRESHOLD, _TOP_PAD, _MMAP_THRESHOLD = -1, -2, -3

MAX_HEAP_BLOCK = 32 << 20
"""Bytes; the largest threshold that glibc accepts. Larger blocks go to the kernel."""

MAX_FREE = 512 << 20
"""Maximum number of free bytes at the end of the heap."""


def keep_freed_memory() -> bool:
    """Keep freed memory in the process for the next allocation.

    Returns
    -------
    kept : bool
        False where the C library is not glibc: nothing changes there.
    """
    if not sys.platform.startswith("linux"):
        return False
    mallopt = getattr(ctypes.CDLL(None), "mallopt", None)
    if mallopt is None:
        return False
    settings = {
        _MMAP_THRESHOLD: MAX_HEAP_BLOCK,
        _TRIM_THRESHOLD: MAX_FREE,
        _TOP_PAD: 2 * MAX_HEAP_BLOCK,
    }
    # glibc returns 1 for success; musl has the function and returns 0
    return all(mallopt(name, value) == 1 for name, value in settings.items())
