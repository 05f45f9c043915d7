# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Uploads: received in pieces, counted, and refused as soon as a limit is passed."""

import time
from collections.abc import AsyncGenerator
from dataclasses import dataclass
from pathlib import Path, PurePosixPath, PureWindowsPath

import anyio
from fastapi import HTTPException, Request
from starlette.datastructures import UploadFile
from starlette.formparsers import MultiPartException, MultiPartParser

from pyannote_diarizen.atomic import recording_path
from pyannote_diarizen.audio.reader import audio_info
from pyannote_diarizen.audio.spooling import TooLongError, limited_spooling
from pyannote_diarizen.rttm import rttm_name

_IDLE = 30.0
"""Seconds without data after which an upload ends."""

_MIN_RATE = 1000.0
"""Bytes per second, on average, below which an upload ends."""

_NAME = "recording"
"""Name of a recording without one."""


@dataclass(frozen=True)
class Limits:
    """Largest upload.

    Parameters
    ----------
    max_bytes : int
        Size of the body.
    max_duration : float
        Seconds of audio.
    """

    max_bytes: int = 500_000_000
    max_duration: float = 4 * 3600.0


async def receive(request: Request, folder: Path, limits: Limits) -> tuple[Path, str]:
    """Write the recording of a request to a folder.

    The body is the recording itself, with the query parameter `name`, or a form with
    one file.

    Parameters
    ----------
    request : Request
    folder : Path
    limits : Limits

    Returns
    -------
    audio : Path
    uri : str
        Name of the recording: that of the file, without folders and suffix.

    Raises
    ------
    HTTPException
        400, no file or an empty one; 408, too slow; 413, too large.
    """
    length = request.headers.get("content-length", "0")
    if length.isdecimal() and int(length) > limits.max_bytes:
        raise _too_large(limits)
    body = _limited(request, limits)
    kind = request.headers.get("content-type", "")
    if kind.lower().startswith("multipart/form-data"):
        path, uri = await _receive_form(request, body, folder)
    else:
        path, uri = _place(folder, request.query_params.get("name", ""))
        async with await anyio.open_file(path, "wb") as file:
            async for piece in body:
                await file.write(piece)
    if path.stat().st_size == 0:
        raise HTTPException(400, "The recording is empty.")
    return path, uri


async def _receive_form(
    request: Request, body: AsyncGenerator[bytes, None], folder: Path
) -> tuple[Path, str]:
    try:
        form = await MultiPartParser(request.headers, body, max_files=2).parse()
    except (MultiPartException, KeyError) as error:
        raise HTTPException(400, f"The form cannot be read: {error}") from error
    try:
        sent = [each for each in form.values() if isinstance(each, UploadFile)]
        if len(sent) != 1:
            raise HTTPException(400, f"Expected one file, got {len(sent)}.")
        path, uri = _place(folder, sent[0].filename or "")
        async with await anyio.open_file(path, "wb") as file:
            while piece := await sent[0].read(1 << 20):
                await file.write(piece)
    finally:
        await form.close()
    return path, uri


async def _limited(request: Request, limits: Limits) -> AsyncGenerator[bytes, None]:
    """Yield the pieces of the body, as long as they are fast and few enough."""
    pieces = request.stream()
    started, size = time.monotonic(), 0
    while True:
        try:
            with anyio.fail_after(_IDLE):
                piece = await anext(pieces)
        except StopAsyncIteration:
            return
        except TimeoutError:
            raise HTTPException(408, f"No data for {_IDLE:g} s.") from None
        size += len(piece)
        if size > limits.max_bytes:
            raise _too_large(limits)
        if time.monotonic() - started > _IDLE + size / _MIN_RATE:
            raise HTTPException(408, f"Less than {_MIN_RATE:g} bytes per second.")
        yield piece


def _too_large(limits: Limits) -> HTTPException:
    megabytes = limits.max_bytes / 1e6
    return HTTPException(413, f"The upload is larger than {megabytes:g} MB.")


def _place(folder: Path, name: str) -> tuple[Path, str]:
    """Choose the path of an upload, and the name of the recording."""
    plain = PurePosixPath(PureWindowsPath(name).as_posix()).name
    stem, suffix = PurePosixPath(plain).stem, PurePosixPath(plain).suffix
    short = suffix.lower() if suffix[1:].isalnum() and len(suffix) < 8 else ""
    uri = rttm_name(_NAME if stem in ("", "..") else stem)
    try:
        recording_path(folder, uri, ".seglst.json")
    except ValueError as error:
        raise HTTPException(400, f"Name '{uri[:40]}' is too long.") from error
    return folder / f"audio{short}", uri


def check_audio(path: Path, uri: str, limits: Limits) -> float:
    """Return the duration of a recording in seconds.

    Raises
    ------
    HTTPException
        413, too long; 415, no audio.
    OSError
        If the disk is full.
    """
    try:
        with limited_spooling(limits.max_duration):
            duration = audio_info(path).duration
    except TooLongError as error:
        raise HTTPException(413, f"'{uri}' is too long: {error}") from error
    except ValueError as error:
        text = str(error).replace(str(path), uri)
        raise HTTPException(415, text) from error
    if duration == 0:
        raise HTTPException(415, f"'{uri}' holds no sample.")
    if duration > limits.max_duration:
        longest = f"{limits.max_duration:.0f} s"
        raise HTTPException(
            413, f"'{uri}' lasts {duration:.0f} s, more than {longest}."
        )
    return duration
