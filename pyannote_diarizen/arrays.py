# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Archives of named arrays (npz), written whole and read without running code."""

import zlib
from collections.abc import Collection, Mapping
from io import BytesIO
from pathlib import Path
from typing import Any
from zipfile import BadZipFile, is_zipfile

import numpy as np

from pyannote_diarizen.atomic import write_file

UNREADABLE = (ValueError, EOFError, TypeError, BadZipFile, zlib.error)
"""Errors of an archive that is damaged, or of another kind."""


def array_bytes(arrays: Mapping[str, Any]) -> bytes:
    """Compress arrays, numbers and texts by name to the content of an archive."""
    archive = BytesIO()
    np.savez_compressed(archive, **arrays)
    return archive.getvalue()


def write_arrays(path: Path | str, arrays: Mapping[str, Any]) -> None:
    """Write an archive, see `array_bytes`, whole or not at all.

    Parameters
    ----------
    path : Path or str
        Replaced if it exists; its folder is created if it does not.
    arrays : Mapping
        Arrays, numbers and texts by name.
    """
    write_file(array_bytes(arrays), Path(path))


def read_arrays(path: Path | str, names: Collection[str]) -> dict[str, np.ndarray]:
    """Read an archive.

    Parameters
    ----------
    path : Path or str
    names : collection of str
        Names of arrays that it must hold.

    Returns
    -------
    arrays : dict of np.ndarray
        All arrays, none of them of Python objects.

    Raises
    ------
    BadZipFile, EOFError, TypeError, ValueError, zlib.error
        Those of `UNREADABLE`, if the archive is damaged or lacks an array.
    """
    if not is_zipfile(path):
        raise ValueError("it is not a complete npz archive")
    with np.load(path, allow_pickle=False) as file:
        if missing := set(names) - set(file):
            raise ValueError(f"it lacks {', '.join(sorted(missing))}")
        return {name: file[name] for name in file}
