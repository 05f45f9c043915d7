# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Batches of chunks: several at once on a CPU, smaller ones when memory is full.

PyTorch splits each operation over all threads, which wait for each other after each
layer. With layers of a few milliseconds, and other programs on the machine, most of the
time is spent waiting. Here a thread computes whole batches by itself, while the caller
reads the audio of the next ones.
"""

import warnings
from collections import deque
from collections.abc import Callable, Iterator
from concurrent.futures import Executor, Future, ThreadPoolExecutor, wait
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock
from typing import Any, TypeVar

import torch
from lightning.pytorch.utilities.memory import is_oom_error

from pyannote_diarizen.export.network import ExportedModel

Input = TypeVar("Input")
Result = TypeVar("Result")

CPU_BATCH = 8
"""Chunks in one pass of a network on a CPU; larger batches are no faster there."""


@dataclass(frozen=True)
class Passes:
    """Size of batches, and number of threads that compute them.

    Parameters
    ----------
    batch_size : int
        Maximum number of items in a batch.
    name : str
        Name of the option that sets it, for a warning.
    num_workers : int, optional
        Number of threads. Defaults to 0: the thread of the caller computes.
    """

    batch_size: int
    name: str
    num_workers: int = 0

    @classmethod
    def of(
        cls,
        model: Any,
        device: torch.device,
        batch_size: int,
        name: str,
        cpu_batch: int,
    ) -> "Passes":
        """Choose for a model and its device.

        Parameters
        ----------
        model : Model
            Network. Those that leave results in attributes, and those of other
            runtimes, which have threads of their own, run in the thread of the caller.
        device : torch.device
        batch_size, name : int, str
            Option of the user: maximum number of items in all batches at once.
        cpu_batch : int
            Maximum number of items in a batch on a CPU.
        """
        if hasattr(model, "channel_weights") or isinstance(model, ExportedModel):
            return cls(batch_size, name)
        if device.type != "cpu":
            return cls(batch_size, name, num_workers=1)
        size = min(batch_size, cpu_batch)
        num_workers = min(torch.get_num_threads(), batch_size // size)
        return cls(size, name, num_workers if num_workers > 1 else 0)


def shrinking_batches(
    read: Callable[[range], Input],
    process: Callable[[Input], Result],
    num_items: int,
    passes: Passes,
) -> Iterator[tuple[range, Result]]:
    """Process items in batches; halve a batch that does not fit in memory.

    Parameters
    ----------
    read : callable
        Maps a range of items to the input of `process`, in the thread of the caller.
    process : callable
        Processes a batch, maybe in another thread.
    num_items : int
    passes : Passes

    Yields
    ------
    items, result : range, Any
        Each batch and its result, in order.

    Raises
    ------
    RuntimeError, MemoryError
        If a single item does not fit.
    """
    batch_size, done, submitted = passes.batch_size, 0, 0
    with _workers(passes.num_workers) as executor:
        pending: deque[tuple[range, Future[Result]]] = deque()
        while done < num_items:
            while submitted < num_items and len(pending) <= passes.num_workers:
                items = range(submitted, min(submitted + batch_size, num_items))
                pending.append((items, executor.submit(process, read(items))))
                submitted = items.stop
            items, future = pending.popleft()
            try:
                result = future.result()
            except (RuntimeError, MemoryError) as error:
                if not _out_of_memory(error) or len(items) == 1:
                    raise
                batch_size = len(items) // 2
                warnings.warn(
                    f"Memory is full with {len(items)} chunks in a batch: going on "
                    f"with {batch_size}. Set `{passes.name}` to {batch_size} to avoid "
                    "this.",
                    stacklevel=2,
                )
            else:
                yield items, result
                done = items.stop
                continue
            # outside of the handler: the error keeps the tensors of its frames
            del future
            wait([other for _, other in pending])
            pending.clear()
            submitted = done
            if torch.cuda.is_available():
                torch.cuda.empty_cache()


class _Caller(Executor):
    """Executor that computes in the thread of the caller, at once."""

    def submit(  # type: ignore[override]
        self, function: Callable[..., Result], *args: Any
    ) -> "Future[Result]":
        """Return the finished result of a call."""
        future: Future[Result] = Future()
        try:
            future.set_result(function(*args))
        except (RuntimeError, MemoryError) as error:
            future.set_exception(error)
        return future


class _Threads:
    """Threads of PyTorch, which concurrent calls share.

    The number of each operation is the one that the first of concurrent calls found:
    later calls find what the first one has set.
    """

    def __init__(self) -> None:
        self._lock = Lock()
        self._num_calls = 0
        self._num_threads = 1

    @contextmanager
    def shared_by(self, num_workers: int) -> Iterator[None]:
        """Divide the number of threads by the number of workers."""
        with self._lock:
            if not self._num_calls:
                self._num_threads = torch.get_num_threads()
            self._num_calls += 1
        # of this thread and those that it starts; MKL has one number for all
        torch.set_num_threads(max(1, self._num_threads // num_workers))
        try:
            yield
        finally:
            torch.set_num_threads(self._num_threads)
            with self._lock:
                self._num_calls -= 1


_threads = _Threads()


def _state_of_caller() -> Callable[[], None]:
    """Return a function that gives a thread the GPU and the autocast of this one.

    PyTorch has both for each thread: "cuda" would be another GPU there.
    """
    gpu = torch.cuda.current_device() if torch.cuda.is_initialized() else None
    autocast = [
        (device, torch.is_autocast_enabled(device), torch.get_autocast_dtype(device))
        for device in ("cpu", "cuda")
    ]

    def adopt() -> None:
        if gpu is not None:
            torch.cuda.set_device(gpu)
        for device, is_enabled, dtype in autocast:
            torch.set_autocast_enabled(device, is_enabled)
            torch.set_autocast_dtype(device, dtype)

    return adopt


@contextmanager
def _workers(num_workers: int) -> Iterator[Executor]:
    """Yield an executor, whose threads share those of PyTorch."""
    if not num_workers:
        yield _Caller()
        return
    with _threads.shared_by(num_workers):
        executor = ThreadPoolExecutor(num_workers, initializer=_state_of_caller())
        try:
            yield executor
        finally:
            executor.shutdown(cancel_futures=True)


def _out_of_memory(error: BaseException) -> bool:
    # pyannote.audio turns the error of a device into a MemoryError
    return isinstance(error, MemoryError) or is_oom_error(error)
