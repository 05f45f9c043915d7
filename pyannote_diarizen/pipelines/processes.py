# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Files on several devices of one machine, one process per device.

Each process holds its own pipeline. A process that is killed costs the file that it
works on: that file is tried once more, in a new process.
"""

import os
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import (
    ProcessPoolExecutor,
    ThreadPoolExecutor,
    as_completed,
)
from concurrent.futures.process import BrokenProcessPool
from dataclasses import replace
from multiprocessing import get_context
from queue import SimpleQueue
from typing import Any

import torch

from pyannote_diarizen.allocator import keep_freed_memory
from pyannote_diarizen.pipelines.batch import (
    ERRORS,
    Outcome,
    diarize_file,
    make_folders,
)
from pyannote_diarizen.remote import AnyPath
from pyannote_diarizen.terminal import show_warnings_as_sentences

Loader = Callable[[str], Callable[..., Any]]
"""Maps a device to a pipeline; functions of modules, and `partial` of them."""


class Worker:
    """Pipeline in a process of its own, with `diarize_file`.

    Parameters
    ----------
    load : callable
        Maps `device` to a pipeline.
    device : str
    num_processes : int
        Number of processes on the CPUs of this machine, which share its threads.
    **options
        See `diarize_file`.
    """

    def __init__(
        self, load: Loader, device: str, num_processes: int, **options: Any
    ) -> None:
        keep_freed_memory()
        show_warnings_as_sentences()
        if device == "cpu":
            num_threads = torch.get_num_threads() // num_processes
            torch.set_num_threads(max(1, num_threads))
        self.pipeline = load(device)
        self.options = options

    def __call__(self, uri: str, path: AnyPath) -> Outcome:
        """Diarize a file; features stay in this process."""
        outcome = diarize_file(self.pipeline, uri, path, **self.options)
        return replace(outcome, output=None)


def diarize_on_devices(
    load: Loader,
    devices: Sequence[str],
    files: Mapping[str, AnyPath],
    into: AnyPath | None = None,
    folders: Mapping[str, AnyPath] | None = None,
    **options: Any,
) -> Iterator[Outcome]:
    """Diarize files on several devices.

    Parameters
    ----------
    load : callable
        Maps a device to a pipeline, in the process of the device.
    devices : sequence of str
        One process each, as in ("cuda:0", "cuda:1") or ("cpu", "cpu").
    files, into, folders, **options
        See `diarize_files`.

    Yields
    ------
    outcome : Outcome
        Result, without `output`, or error, as soon as it is there.
    """
    make_folders(into, folders)
    options |= {"into": into, "folders": folders}
    idle: SimpleQueue[_Process] = SimpleQueue()
    for device in devices[: len(files)]:
        idle.put(_Process(load, device, devices.count("cpu"), **options))

    def diarize(uri: str, path: AnyPath) -> Outcome:
        process = idle.get()
        try:
            return process.diarize(uri, path)
        finally:
            idle.put(process)

    threads = ThreadPoolExecutor(len(devices))
    try:
        futures = [threads.submit(diarize, *item) for item in files.items()]
        for future in as_completed(futures):
            yield future.result()
    finally:  # also if the caller takes no more outcomes
        threads.shutdown(cancel_futures=True)
        while not idle.empty():
            idle.get().stop()


class _Process:
    """Process that is started again after it was killed."""

    def __init__(self, *arguments: Any, **options: Any) -> None:
        self._arguments, self._options = arguments, options
        self._executor: ProcessPoolExecutor | None = None

    def diarize(self, uri: str, path: AnyPath) -> Outcome:
        """Diarize a file, in a second process if the first one is killed."""
        for _ in range(2):
            if self._executor is None:
                self._executor = ProcessPoolExecutor(
                    max_workers=1, mp_context=get_context("spawn")
                )
            try:
                return self._executor.submit(
                    _diarize, self._arguments, self._options, uri, path
                ).result()
            except BrokenProcessPool:
                self.stop()
            except ERRORS as error:  # of loading the pipeline
                return Outcome(path, error=f"'{path}' is not diarized: {error}")
        return Outcome(
            path,
            error=f"'{path}' is not diarized: its process was killed twice. Is there "
            "enough memory for all processes?",
        )

    def stop(self) -> None:
        """End the process."""
        if self._executor is not None:
            self._executor.shutdown()
        self._executor = None


_workers: dict[int, Worker] = {}
"""Worker of this process, by the number of the process."""


def _diarize(
    arguments: tuple[Any, ...], options: Mapping[str, Any], uri: str, path: AnyPath
) -> Outcome:
    if os.getpid() not in _workers:
        _workers[os.getpid()] = Worker(*arguments, **options)
    return _workers[os.getpid()](uri, path)
