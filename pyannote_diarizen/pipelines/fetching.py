# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Local copies of recordings at addresses, which threads fetch ahead."""

from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from contextlib import ExitStack, suppress
from pathlib import Path

from pyannote_diarizen.remote import AnyPath, RemotePath, local_copy

AHEAD = 4
"""Recordings that are fetched while others are diarized."""


class LocalCopies(ExitStack):
    """Recordings by name, those at addresses as copies in temporary folders.

    Parameters
    ----------
    files : Mapping of Path or RemotePath
        Recordings by name.
    """

    def __init__(self, files: Mapping[str, AnyPath]) -> None:
        super().__init__()
        self._files = files
        self._copies = {uri: self.enter_context(ExitStack()) for uri in files}
        self._threads = ThreadPoolExecutor(AHEAD)
        # called first: threads make copies until they end
        self.callback(self._threads.shutdown, cancel_futures=True)

    def items(self) -> Iterator[tuple[str, AnyPath]]:
        """Yield names and copies; the address itself if it cannot be fetched."""
        fetched: dict[str, Future[Path]] = {}
        ahead = iter(
            (uri, path)
            for uri, path in self._files.items()
            if isinstance(path, RemotePath)
        )
        for uri, path in self._files.items():
            while len(fetched) <= AHEAD and (item := next(ahead, None)):
                fetched[item[0]] = self._threads.submit(self._fetch, *item)
            copy = path
            if uri in fetched:
                with suppress(Exception):  # comes again when the file is diarized
                    copy = fetched.pop(uri).result()
            yield uri, copy

    def delete(self, uri: str) -> None:
        """Delete the copy of a recording that is diarized."""
        self._copies[uri].close()

    def _fetch(self, uri: str, path: RemotePath) -> Path:
        copy: Path = self._copies[uri].enter_context(local_copy(path))
        return copy
