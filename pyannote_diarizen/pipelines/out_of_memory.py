# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Batches that shrink when the memory of a device is full."""

import warnings
from collections.abc import Callable, Iterator
from typing import TypeVar

import torch
from lightning.pytorch.utilities.memory import is_oom_error

Result = TypeVar("Result")


def shrinking_batches(
    process: Callable[[range], Result], num_items: int, batch_size: int, name: str
) -> Iterator[tuple[range, Result]]:
    """Process items in batches; halve a batch that does not fit in memory.

    Parameters
    ----------
    process : callable
        Processes a range of items.
    num_items : int
    batch_size : int
        Maximum number of items in a batch.
    name : str
        Name of the option that sets `batch_size`, for the warning.

    Yields
    ------
    items, result : range, Any
        Each batch and its result, in order.

    Raises
    ------
    RuntimeError, MemoryError
        If a single item does not fit.
    """
    start = 0
    while start < num_items:
        items = range(start, min(start + batch_size, num_items))
        try:
            result = process(items)
        except (RuntimeError, MemoryError) as error:
            if not _out_of_memory(error) or len(items) == 1:
                raise
            batch_size = len(items) // 2
            warnings.warn(
                f"Memory is full with {len(items)} chunks in a batch: going on with "
                f"{batch_size}. Set `{name}` to {batch_size} to avoid this.",
                stacklevel=2,
            )
        else:
            yield items, result
            start = items.stop
            continue
        # outside of the handler: the error keeps the tensors of its frames
        if torch.cuda.is_available():
            torch.cuda.empty_cache()


def _out_of_memory(error: BaseException) -> bool:
    # pyannote.audio turns the error of a device into a MemoryError
    return isinstance(error, MemoryError) or is_oom_error(error)
