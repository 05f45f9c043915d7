# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Atomic writing: files and folders are written aside, then moved into place.

`recording_path` makes the path of a result from the name of a recording, `expand_home`
the path that a user means by `~`.
"""

import errno
import os
import shutil
import uuid
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path
from typing import Any

from pyannote_diarizen.remote import AnyPath, RemotePath

_FULL = (errno.ENOSPC, errno.EDQUOT, errno.EFBIG)

_MAX_NAME_SIZE = 255
"""Maximum number of bytes in the name of a file, on all common file systems."""


def recording_path(folder: AnyPath | str, uri: str, suffix: str) -> Any:
    """Compose the path of a file about a recording, always inside `folder`.

    Different recordings have different paths. A name may contain subfolders.

    Parameters
    ----------
    folder : Path, RemotePath or str
        Folder of results.
    uri : str
        Name of the recording.
    suffix : str
        Suffix of the file, with its dot.

    Returns
    -------
    path : Path or RemotePath
        As `folder`.

    Raises
    ------
    ValueError
        If the name leads out of `folder`, is too long, or has a shorter form, as
        "./monday" has.

    Examples
    --------
    >>> recording_path("rttm", "monday", ".rttm").as_posix()
    'rttm/monday.rttm'
    """
    plain = Path(os.path.normpath(uri)).as_posix()
    outside = Path(plain).anchor or plain.split("/")[0] in (".", "..")
    if outside or "\0" in uri:
        raise ValueError(
            f"Recording '{uri}' names no file inside '{folder}': rename it."
        )
    if plain != uri:
        raise ValueError(f"Recording '{uri}' should be called '{plain}': rename it.")
    size = max(len(os.fsencode(part)) for part in f"{uri}{suffix}".split("/"))
    if size > _MAX_NAME_SIZE:
        raise ValueError(
            f"Recording '{uri:.40}...' has too long a name for a file: {size} bytes "
            f"with {suffix}, at most {_MAX_NAME_SIZE} are possible. Rename it."
        )
    if isinstance(folder, RemotePath):
        return folder / f"{uri}{suffix}"
    path = Path(folder, f"{uri}{suffix}")
    if path.is_dir():
        raise ValueError(f"'{path}' is a folder: rename recording '{uri}'.")
    return path


def expand_home(path: Path | str) -> Path:
    """Replace `~` and `~user` at the start; a path with an unknown user is kept.

    `Path.expanduser` raises a `RuntimeError` for files that are called so.

    Examples
    --------
    >>> expand_home("~no user/a.wav").as_posix()
    '~no user/a.wav'
    """
    return Path(os.path.expanduser(path))  # noqa: PTH111


def is_full(error: OSError) -> bool:
    """Whether a disk, a quota or the largest size of a file is the reason."""
    return error.errno in _FULL


@contextmanager
def _naming_path(path: Path) -> Iterator[None]:
    """Add the path to the error of a full disk, which the system leaves out."""
    try:
        yield
    except OSError as error:
        if not is_full(error) or error.filename is not None:
            raise
        reason = f"{error.strerror}, make room or write to another disk"
        raise OSError(error.errno, reason, str(path)) from error


@contextmanager
def replacing(path: Path) -> Iterator[Path]:
    """Path to write to, moved to `path` when the block ends without an error.

    It lies in the same folder, since only a move within one file system is atomic, and
    keeps the suffix, from which many writers deduce the format. After an error, `path`
    is unchanged.

    Parameters
    ----------
    path : Path
        File to create or replace; its folder is created if needed.

    Yields
    ------
    temporary : Path
        File to write instead of `path`.

    Examples
    --------
    >>> import tempfile
    >>> with tempfile.TemporaryDirectory() as folder:
    ...     with replacing(Path(folder) / "a.txt") as temporary:
    ...         _ = temporary.write_text("whole")
    ...     (Path(folder) / "a.txt").read_text()
    'whole'
    """
    # short, since the name of `path` may be as long as the system permits
    temporary = path.with_name(f".{uuid.uuid4().hex}{path.suffix}")
    with _parents_of(path):
        try:
            with _naming_path(path):
                yield temporary
            temporary.replace(path)
        finally:
            temporary.unlink(missing_ok=True)


def write_file(content: str | bytes, path: AnyPath) -> None:
    """Write a file, whole or not at all; text in UTF-8, with its line breaks."""
    data = content.encode("utf-8") if isinstance(content, str) else content
    if isinstance(path, RemotePath):
        path.write_bytes(data)
        return
    with replacing(path) as temporary:
        temporary.write_bytes(data)


@contextmanager
def new_folder(path: Path) -> Iterator[Path]:
    """Folder to write to, moved to `path` when the block ends without an error.

    Parameters
    ----------
    path : Path
        Folder to create; its parents are created if needed.

    Yields
    ------
    temporary : Path
        Folder to write to, beside `path`. It is deleted after an error.

    Raises
    ------
    FileExistsError
        If `path` is a file, or a folder that is not empty.
    NotADirectoryError
        If a parent of `path` is a file.
    """
    path = expand_home(path).resolve()
    if path.exists() and not (path.is_dir() and not any(path.iterdir())):
        raise FileExistsError(f"'{path}' exists: delete it, or name another folder.")
    temporary = path.with_name(f".{path.name}-{os.getpid()}")
    with _parents_of(path):
        try:
            temporary.mkdir()
            with _naming_path(path):
                yield temporary
            if path.exists():  # empty; some systems cannot replace it
                path.rmdir()
            temporary.rename(path)
        finally:
            shutil.rmtree(temporary, ignore_errors=True)


@contextmanager
def _parents_of(path: Path) -> Iterator[None]:
    """Create the parents of a path, and remove those that stay empty."""
    made = [folder for folder in path.parents if not folder.exists()]
    around = next((folder for folder in path.parents if folder.exists()), None)
    if around is not None and not around.is_dir():
        raise NotADirectoryError(
            f"'{path}' cannot be created, '{around}' is a file: choose another path."
        )
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        yield
    finally:
        for folder in made:
            with suppress(OSError):  # not empty, unless there was an error
                folder.rmdir()
