# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Local copies of recordings at addresses, which threads fetch ahead."""

import shutil
from collections.abc import Iterator, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from pathlib import Path
from tempfile import TemporaryDirectory, mkdtemp
from types import TracebackType

from pyannote_diarizen.errors import AudioFileError
from pyannote_diarizen.remote import AnyPath, RemotePath

AHEAD = 4
"""Recordings that are fetched while others are diarized."""


class LocalCopies:
    """Recordings by name, those at addresses as copies in a temporary folder.

    Parameters
    ----------
    files : Mapping of Path or RemotePath
        Recordings by name.
    """

    def __init__(self, files: Mapping[str, AnyPath]) -> None:
        self._files = files
        self._folders: dict[str, Path] = {}

    def __enter__(self) -> "LocalCopies":
        """Start threads."""
        self._root = TemporaryDirectory()
        self._threads = ThreadPoolExecutor(AHEAD)
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        traceback: TracebackType | None,
    ) -> None:
        """End threads, and delete all copies."""
        self._threads.shutdown(cancel_futures=True)
        self._root.cleanup()

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
            try:
                yield uri, fetched.pop(uri).result() if uri in fetched else path
            except AudioFileError:  # comes again when the file is diarized
                yield uri, path

    def delete(self, uri: str) -> None:
        """Delete the copy of a recording that is diarized."""
        if folder := self._folders.pop(uri, None):
            shutil.rmtree(folder, ignore_errors=True)

    def _fetch(self, uri: str, path: RemotePath) -> Path:
        # recordings of different folders may have the same name
        folder = self._folders[uri] = Path(mkdtemp(dir=self._root.name))
        return path.fetch(folder)
