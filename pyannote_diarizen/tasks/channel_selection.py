# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Training chunks with the number of channels of the model."""

from typing import Any, Literal

import torch
from pyannote.core import Segment
from torch import Tensor, nn

from pyannote_diarizen.audio.reader import AudioReader


class ChunkReader(AudioReader):
    """Reader whose chunks all have the same shape.

    Parameters
    ----------
    sample_rate : int
        In hertz.
    num_channels : int, optional
        1 (default) averages the channels of a file. A larger number keeps the first
        channels, and adds channels of zeros if the file has fewer.
    channel : int, optional
        Zero-based channel to keep, in place of the average.

    Raises
    ------
    ValueError
        If `channel` is not a channel, or `num_channels` is above 1.
    """

    def __init__(
        self, sample_rate: int, num_channels: int = 1, channel: int | None = None
    ) -> None:
        if channel is not None and (channel < 0 or num_channels > 1):
            raise ValueError(
                "`channel` should be a number from 0, for models of one channel, got "
                f"{channel} for a model of {num_channels}."
            )
        mono: Literal["downmix"] | None = "downmix" if num_channels == 1 else None
        super().__init__(sample_rate, mono=mono, channel=channel)
        self.num_channels = num_channels

    def crop(
        self, file: Any, segment: Segment, mode: Literal["raise", "pad"] = "pad"
    ) -> tuple[Tensor, int]:
        """Read a chunk, padded by zeros at the end of the file."""
        waveform, sample_rate = super().crop(file, segment, mode=mode)
        return fit_channels(waveform, self.num_channels), sample_rate


def fit_channels(waveform: Tensor, num_channels: int) -> Tensor:
    """Waveform (num_channels, sample): first channels, or channels of zeros added."""
    missing = max(0, num_channels - len(waveform))
    return torch.nn.functional.pad(waveform[:num_channels], (0, 0, 0, missing))


class SameTargets(nn.Module):
    """Augmentation of chunks whose channels share their targets.

    torch-audiomentations expects targets per channel; pyannote.audio has one for all.
    """

    def __init__(self, augmentation: nn.Module) -> None:
        super().__init__()
        self.augmentation = augmentation

    def forward(self, samples: Tensor, sample_rate: int, targets: Tensor) -> Any:
        """Augment (batch, channel, sample) with (batch, 1, frame, class) targets."""
        targets = targets.expand(-1, samples.shape[1], -1, -1)
        augmented = self.augmentation(
            samples=samples, sample_rate=sample_rate, targets=targets
        )
        augmented.targets = augmented.targets[:, :1]
        return augmented
