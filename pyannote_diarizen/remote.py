# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Files at addresses, such as s3://bucket/call.wav, by fsspec.

fsspec knows more than twenty protocols, some of which need a package of their own. A
recording is copied to a temporary folder while it is diarized. A result is written
whole or not at all, as far as the protocol can: in a transaction of fsspec.
"""

import re
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path, PurePosixPath
from tempfile import TemporaryDirectory
from typing import Any
from uuid import uuid4

from pyannote_diarizen.errors import (
    AudioFileError,
    MissingAudioFileError,
    MissingPackagesError,
)

# two letters or more: C:/ is a disk
_ADDRESS = re.compile(r"[A-Za-z][A-Za-z0-9+.:-]+://")
_LOCAL = "file://"


@dataclass(frozen=True)
class RemotePath:
    """File or folder at an address, with methods like those of `Path`.

    Parameters
    ----------
    url : str
        Address, as in "s3://bucket/calls" or "https://host/call.wav".

    Raises
    ------
    MissingPackagesError
        If fsspec, or the package of a protocol, is not installed; by all methods that
        read or write.
    ValueError
        If there is no such protocol, likewise.
    """

    url: str

    def __str__(self) -> str:
        """Return the address."""
        return self.url

    def __truediv__(self, name: str) -> "RemotePath":
        """Return the address of a file in this folder."""
        return RemotePath(f"{self.url.rstrip('/')}/{name}")

    @property
    def plain(self) -> PurePosixPath:
        """Path with the host, without protocol and query."""
        protocol, _, path = self.url.split("::")[-1].partition("://")
        if protocol.lower() in ("http", "https"):  # elsewhere, names may have both
            path = re.split("[?#]", path, maxsplit=1)[0]
        return PurePosixPath(f"/{path}")

    @property
    def suffix(self) -> str:
        """Suffix of the name."""
        return self.plain.suffix

    def absolute(self) -> "RemotePath":
        """Return this address: it is the same in all folders and on all machines."""
        return self

    def list_audio(self, suffixes: Collection[str]) -> list["RemotePath"]:
        """Return this file, or the audio files in this folder, sorted.

        Raises
        ------
        AudioFileError
            If there is none.
        """
        with self._filesystem("read") as (files, path):
            # HTTP would search its content for links
            if self.suffix.lower() in suffixes:
                return [self]
            found = files.find(path)
            if found == [path]:
                return [self]
            listed = [RemotePath(files.unstrip_protocol(each)) for each in found]
        audio = [
            each
            for each in listed
            if each.suffix.lower() in suffixes and not each.plain.name.startswith(".")
        ]
        if not audio:
            raise AudioFileError(
                f"'{self}' does not exist, or holds no audio file; the suffixes looked "
                f"for are {' '.join(suffixes)}."
            )
        return audio

    def fetch(self, folder: Path) -> Path:
        """Copy an audio file to a folder of this machine.

        Raises
        ------
        AudioFileError
            If that fails; `MissingAudioFileError` if there is no such file.
        """
        local = folder / (self.plain.name or "recording")
        try:
            with self._filesystem("read") as (files, path):
                files.get_file(path, str(local))
        except FileNotFoundError as error:
            raise MissingAudioFileError(str(error)) from error
        except OSError as error:
            raise AudioFileError(str(error)) from error
        return local

    def read_bytes(self) -> bytes:
        """Return the content."""
        with self._filesystem("read") as (files, path):
            content: bytes = files.cat_file(path)
            return content

    def read_folder(self) -> list[bytes]:
        """Return the contents of all files in this folder, none if it is missing."""
        with self._filesystem("read") as (files, path):
            if not files.exists(path):
                return []
            # `cat` would take names with brackets for patterns
            contents: list[bytes] = files.cat_ranges(
                files.find(path), None, None, on_error="raise"
            )
            return contents

    def write_bytes(self, content: bytes) -> None:
        """Write a file, whole or not at all."""
        with self._filesystem("written") as (files, path):
            _write(files, path, content)

    def check_writable(self) -> None:
        """Raise an `OSError` if no file can be written to this folder."""
        with self._filesystem("written") as (files, path):
            probe = f"{path.rstrip('/')}/.{uuid4().hex}"
            _write(files, probe, b"-")
            files.rm_file(probe)

    def checksum(self) -> str:
        """Return a digest of size and version, which changes with the content."""
        with self._filesystem("read") as (files, path):
            return f"{files.checksum(path):x}"

    @contextmanager
    def _filesystem(self, done: str) -> Iterator[tuple[Any, str]]:
        """Yield the file system and the path in it; errors become an `OSError`."""
        try:
            from fsspec.core import url_to_fs

            files, path = url_to_fs(self.url)
        except ImportError as error:
            raise MissingPackagesError(
                f"'{self}' needs packages that are not installed: pip install "
                f"'pyannote-diarizen[remote]' brings HTTP and S3. {error}"
            ) from error
        except ValueError as error:
            raise ValueError(f"'{self}' cannot be {done}: {error}.") from error
        try:
            yield files, path
        except FileNotFoundError as error:
            raise FileNotFoundError(f"'{self}' does not exist: check it.") from error
        except Exception as error:  # each protocol has its own
            reason = f"{type(error).__name__}: {error}".removesuffix(": ")
            raise OSError(f"'{self}' cannot be {done}, {reason}") from error


def _write(files: Any, path: str, content: bytes) -> None:
    files.makedirs(files._parent(path), exist_ok=True)
    with files.transaction, files.open(path, "wb") as file:
        file.write(content)


AnyPath = Path | RemotePath
"""Path on this machine, or address."""


def parse_path(text: str | Path) -> AnyPath:
    """Return a path, or an address if there is a protocol other than file://.

    Examples
    --------
    >>> parse_path("memory://calls/a.wav").suffix, parse_path("file:///a").as_posix()
    ('.wav', '/a')
    """
    text = str(text)
    if text.startswith(_LOCAL):
        return Path(text.removeprefix(_LOCAL))
    return RemotePath(text) if _ADDRESS.match(text) else Path(text)


@contextmanager
def local_copy(path: Any) -> Iterator[Any]:
    """Yield a copy of an audio file at an address; anything else as it is."""
    if not isinstance(path, RemotePath):
        yield path
        return
    with TemporaryDirectory(ignore_cleanup_errors=True) as folder:
        yield path.fetch(Path(folder))
