# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Results that later calls need again, in bounded memory.

Trials of a tuning cluster the same embeddings with other hyper-parameters: what does
not depend on these is computed once per recording.
"""

import hashlib
from collections import OrderedDict
from collections.abc import Callable, Hashable
from threading import Lock
from typing import Any, Generic, TypeVar

import numpy as np

Result = TypeVar("Result")


class BoundedCache(Generic[Result]):
    """Results by key, the last used ones up to a number of bytes; safe in threads.

    Parameters
    ----------
    max_bytes : int
        Maximum of the sum of sizes.
    size : callable
        Maps a key and its result to a number of bytes.
    """

    def __init__(self, max_bytes: int, size: Callable[[Any, Result], int]) -> None:
        self.max_bytes = max_bytes
        self._size = size
        self._num_bytes = 0
        self._results: OrderedDict[Hashable, Result] = OrderedDict()
        self._lock = Lock()

    def get(self, key: Hashable, compute: Callable[[], Result]) -> Result:
        """Look up the result of a key, or compute it. Do not change the result."""
        with self._lock:
            if key in self._results:
                self._results.move_to_end(key)
                return self._results[key]
        result = compute()
        with self._lock:
            if key not in self._results:
                self._results[key] = result
                self._num_bytes += self._size(key, result)
            while self._num_bytes > self.max_bytes:
                self._num_bytes -= self._size(*self._results.popitem(last=False))
        return result


def digest(*arrays: np.ndarray) -> bytes:
    """Digest of the content, shapes and types of arrays."""
    hashed = hashlib.sha256()
    for array in arrays:
        hashed.update(f"{array.shape} {array.dtype}".encode())
        hashed.update(array.tobytes())
    return hashed.digest()
