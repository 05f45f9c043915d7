# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Waveforms that live in a temporary file, as hours of audio may not fit in memory."""

import tempfile
from collections.abc import Iterable

import numpy as np
import torch
from torch import Tensor


def spool(blocks: Iterable[np.ndarray], num_channels: int) -> Tensor:
    """Write `blocks` to a temporary file and map it into memory.

    Parameters
    ----------
    blocks : iterable of (num_samples, num_channels) np.ndarray
        float32, one after the other.
    num_channels : int
        Number of channels of each block.

    Returns
    -------
    waveform : (num_channels, num_samples) Tensor
        float32. The file disappears with it.
    """
    with tempfile.TemporaryFile() as file:
        for block in blocks:
            file.write(block.tobytes())
        file.flush()
        if file.tell() == 0:
            return torch.empty(num_channels, 0)
        # the mapping outlives the file that it maps
        samples = np.memmap(file, dtype=np.float32, mode="r+")
    return torch.from_numpy(samples.reshape(-1, num_channels).T)
