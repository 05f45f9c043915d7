# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Headers that claim less sound than their file holds.

Recorders write the size of the sound last, or from time to time. If they are stopped,
the header of WAV, RF64, AIFF or AU claims nothing, or the sound until the last time.
Readers then leave out the rest. Here the size is computed from the file, unless other
chunks follow the sound. A FLAC file may be followed by others, as `cat` joins them.
"""

import io
import re
import struct
import warnings
from collections.abc import Iterator
from typing import Any, NamedTuple

BLOCK_SIZE = 1 << 20
"""Bytes that are searched at once."""

MIN_UNCLAIMED = 1 << 12
"""Bytes after the sound, from which they are sound too, and not a tag or padding."""

_TAGS = (b"TAG", b"ID3", b"APETAGEX")
_PRINTABLE = range(0x20, 0x7F)
# the name of the format, then the size of the first block of metadata
_FLAC_HEADER = re.compile(b"fLaC[\0\x80]\0\0\x22")


class _Chunk(NamedTuple):
    name: bytes
    start: int
    size: int


class _Sound(NamedTuple):
    """Position and claimed size of the sound, and fields of sizes.

    A field is an offset, a format of `struct`, and the first byte that it counts.
    """

    start: int
    size: int
    fields: tuple[tuple[int, str, int], ...]


class CompletedFile:
    """Binary file, of which some bytes of the header are replaced.

    Parameters
    ----------
    stream : binary file object
        Seekable.
    header : bytes
        First bytes of the file, as they should be.
    """

    def __init__(self, stream: Any, header: bytes) -> None:
        self.seek, self.tell = stream.seek, stream.tell
        self._stream = stream
        self._header = header

    def read(self, size: int = -1) -> bytes:
        """Read `size` bytes, or the rest."""
        start = self._stream.tell()
        content = self._stream.read(size)
        header = self._header[start : start + len(content)]
        return header + content[len(header) :]


def complete_header(stream: Any, name: str) -> CompletedFile | None:
    """Complete the header of `stream` if it claims less sound than there is.

    Parameters
    ----------
    stream : binary file object
        Seekable.
    name : str
        Name of the file in messages.

    Returns
    -------
    completed : CompletedFile or None
        None if the header is complete, or of another format. There is a warning
        otherwise.
    """
    end = stream.seek(0, io.SEEK_END)
    sound = _find_sound(stream, end)
    if sound is None or not _is_unclaimed(stream, sound, end):
        return None
    warnings.warn(
        f"{name} has an unfinished header: it claims {sound.size} bytes of sound, all "
        f"{end - sound.start} bytes to the end of the file are read.",
        stacklevel=2,
    )
    stream.seek(0)
    header = bytearray(stream.read(sound.start))
    for offset, code, first in sound.fields:
        largest = 256 ** struct.calcsize(code) - 1
        struct.pack_into(code, header, offset, min(end - first, largest))
    return CompletedFile(stream, bytes(header))


def flac_starts(stream: Any) -> list[int]:
    """Find where FLAC files start in `stream`, which is empty for other formats.

    libsndfile reads the first one only, or finds samples in another one, as frames of
    each are numbered from zero.
    """
    stream.seek(0)
    before = stream.read(4)
    if before != b"fLaC":
        return []
    starts = []
    while block := stream.read(BLOCK_SIZE):
        searched = before + block
        origin = stream.tell() - len(searched)
        starts += [origin + each.start() for each in _FLAC_HEADER.finditer(searched)]
        before = searched[-7:]  # headers are 8 bytes long
    return starts


def _find_sound(stream: Any, end: int) -> _Sound | None:
    stream.seek(0)
    magic = stream.read(24)
    kind, form = magic[:4], magic[8:12]
    if kind in (b".snd", b"dns.") and len(magic) == 24:
        code = ">I" if kind == b".snd" else "<I"
        (start,), (size,) = (struct.unpack_from(code, magic, at) for at in (4, 8))
        fields = ((8, code, start),)
        return _Sound(start, size, fields) if 24 <= start <= end else None
    if form == b"WAVE" and kind in (b"RIFF", b"RIFX", b"RF64", b"BW64"):
        return _find_wave(stream, end, ">I" if kind == b"RIFX" else "<I")
    if kind == b"FORM" and form in (b"AIFF", b"AIFC"):
        return _find_aiff(stream, end)
    return None


def _chunks(stream: Any, end: int, code: str) -> Iterator[_Chunk]:
    position = 12
    while position + 8 <= end:
        stream.seek(position)
        name = stream.read(4)
        (size,) = struct.unpack(code, stream.read(4))
        yield _Chunk(name, position + 8, size)
        position += 8 + size + size % 2  # chunks start at even positions


def _find_wave(stream: Any, end: int, code: str) -> _Sound | None:
    large: _Sound | None = None
    for chunk in _chunks(stream, end, code):
        if chunk.name == b"ds64" and chunk.size >= 24:
            stream.seek(chunk.start)
            _, size = struct.unpack("<2Q", stream.read(16))
            large = _Sound(chunk.start, size, ())
        if chunk.name == b"data" and large:
            fields = ((large.start, "<Q", 8), (large.start + 8, "<Q", chunk.start))
            return _Sound(chunk.start, large.size, fields)
        if chunk.name == b"data":
            return _Sound(chunk.start, chunk.size, _fields(chunk, code))
    return None


def _find_aiff(stream: Any, end: int) -> _Sound | None:
    for chunk in _chunks(stream, end, ">I"):
        if chunk.name == b"SSND":
            return _Sound(chunk.start, chunk.size, _fields(chunk, ">I"))
    return None


def _fields(chunk: _Chunk, code: str) -> tuple[tuple[int, str, int], ...]:
    """Sizes of the file, from its byte 8, and of the chunk of sound."""
    return (4, code, 8), (chunk.start - 4, code, chunk.start)


def _is_unclaimed(stream: Any, sound: _Sound, end: int) -> bool:
    """Whether more sound follows the claimed one, rather than chunks or tags."""
    claimed_end = sound.start + sound.size
    if end - claimed_end < MIN_UNCLAIMED:
        return False
    for position in (claimed_end, claimed_end + sound.size % 2):
        stream.seek(position)
        following = stream.read(8)
        size = int.from_bytes(following[4:], "little")
        swapped = int.from_bytes(following[4:], "big")
        is_name = all(byte in _PRINTABLE for byte in following[:4])
        if following.startswith(_TAGS):
            return False
        if is_name and min(size, swapped) <= end - position:
            return False
    return True
