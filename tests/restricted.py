# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Restrictions of this process: a disk that is nearly full, a user without rights."""

import os
from collections.abc import Iterator
from contextlib import contextmanager

UNPRIVILEGED = 65534
"""Id of a user without rights."""


@contextmanager
def full_disk(size: int = 1000) -> Iterator[None]:
    """Limit the size of files to `size` bytes."""
    import resource  # not on Windows

    limits = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (size, limits[1]))
    try:
        yield
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, limits)


@contextmanager
def unprivileged() -> Iterator[None]:
    """Run as another user if this one is root, whom permissions do not stop."""
    is_root = os.geteuid() == 0
    if is_root:
        os.seteuid(UNPRIVILEGED)
    try:
        yield
    finally:
        if is_root:
            os.seteuid(0)
