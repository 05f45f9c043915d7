# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Audio files as people have them, in the forms that pyannote.audio accepts.

pyannote.audio wants file objects that are instances of `io.IOBase`, and mutable
mappings; torch wants arrays in native byte order. Temporary files, memory maps, remote
files and arrays of other programs are often none of these.
"""

import io
from collections.abc import Mapping, MutableMapping
from typing import Any

import numpy as np
import torch


class StreamAdapter(io.RawIOBase):
    """Binary file object around anything that has `read` and `seek`.

    Parameters
    ----------
    stream : file object
        Stays open when the adapter is closed.
    """

    def __init__(self, stream: Any) -> None:
        self.stream = stream
        self.name = getattr(stream, "name", type(stream).__name__)
        self._position = 0

    def readable(self) -> bool:
        """Return True."""
        return True

    def seekable(self) -> bool:
        """Return True."""
        return True

    def readinto(self, buffer: Any) -> int:
        """Read bytes into `buffer`; return their number."""
        content = self.stream.read(len(buffer))
        buffer[: len(content)] = content
        self._position += len(content)
        return len(content)

    def seek(self, offset: int, whence: int = io.SEEK_SET) -> int:
        """Move to another position and return it."""
        position = self.stream.seek(offset, whence)
        # `mmap.seek` returns nothing before Python 3.13
        self._position = self.stream.tell() if position is None else position
        return self._position

    def tell(self) -> int:
        """Return the position."""
        return self._position


def is_stream(audio: Any) -> bool:
    """Whether `audio` has the methods of a file object that can be rewound."""
    return hasattr(audio, "read") and hasattr(audio, "seek")


def adapt_stream(stream: Any) -> Any:
    """Return `stream`, in an adapter unless it is an instance of `io.IOBase`."""
    return stream if isinstance(stream, io.IOBase) else StreamAdapter(stream)


def as_tensor(waveform: Any) -> Any:
    """Convert an array to a tensor, whatever its byte order and strides."""
    if not isinstance(waveform, np.ndarray):
        return waveform
    native = waveform.dtype.newbyteorder("=")
    return torch.from_numpy(np.ascontiguousarray(waveform, dtype=native))


def host_file(file: Any) -> Any:
    """Return `file` in a form that pyannote.audio accepts.

    Parameters
    ----------
    file : str, Path, file object or Mapping
        See `open_audio`.

    Returns
    -------
    file : str, Path, io.IOBase or MutableMapping
        The same object where it is accepted already.
    """
    if is_stream(file):
        return adapt_stream(file)
    if not isinstance(file, Mapping):
        return file
    if is_stream(file.get("audio")):
        adapted = adapt_stream(file["audio"])
        if adapted is not file["audio"]:
            return {**file, "audio": adapted}
    return file if isinstance(file, MutableMapping) else dict(file)
