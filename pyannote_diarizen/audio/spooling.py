# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Waveforms that live in a temporary file, as hours of audio may not fit in memory."""

import math
import tempfile
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from contextvars import ContextVar

import numpy as np
import torch
from torch import Tensor

from pyannote_diarizen.errors import AudioFileError

_MAX_RATE = 2 * 48000
"""Samples per second of stereo, which limits rate and channels together."""

_MAX_DURATION: ContextVar[float] = ContextVar("max_duration", default=math.inf)


class TooLongError(AudioFileError):
    """Decoded audio exceeds the limit."""


@contextmanager
def limited_spooling(max_duration: float) -> Iterator[None]:
    """Raise a `TooLongError` as soon as decoded audio exceeds a duration.

    A compressed file of a megabyte may hold days of silence. The limit holds in the
    current thread; audio of more than 96 000 samples per second reaches it earlier.

    Parameters
    ----------
    max_duration : float
        In seconds.
    """
    token = _MAX_DURATION.set(max_duration)
    try:
        yield
    finally:
        _MAX_DURATION.reset(token)


def spool(blocks: Iterable[np.ndarray], num_channels: int, sample_rate: int) -> Tensor:
    """Write `blocks` to a temporary file and map it into memory.

    Parameters
    ----------
    blocks : iterable of (num_samples, num_channels) np.ndarray
        float32, one after the other.
    num_channels : int
        Number of channels of each block.
    sample_rate : int
        In hertz.

    Returns
    -------
    waveform : (num_channels, num_samples) Tensor
        float32. The file disappears with it.

    Raises
    ------
    TooLongError
        If a limit of `limited_spooling` is exceeded.
    """
    with tempfile.TemporaryFile() as file:
        max_duration, num_samples = _MAX_DURATION.get(), 0
        for block in blocks:
            num_samples += len(block)
            duration = num_samples / min(sample_rate, _MAX_RATE / num_channels)
            if duration > max_duration:
                raise TooLongError(f"at most {max_duration:g} s are accepted.")
            file.write(block.tobytes())
        file.flush()
        if file.tell() == 0:
            return torch.empty(num_channels, 0)
        # the mapping outlives the file that it maps
        samples = np.memmap(file, dtype=np.float32, mode="r+")
    return torch.from_numpy(samples.reshape(-1, num_channels).T)
