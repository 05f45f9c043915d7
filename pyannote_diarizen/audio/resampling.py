# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Resampling by range: part of a file, on the grid of the whole file.

Sample `n` of the result always stands for time `n / new_rate`, wherever reading
starts, so that a chunk equals the same chunk of the whole file resampled. The filter
is that of `pyannote.audio`, hence so are the samples.
"""

import math
from dataclasses import dataclass

import torch
import torchaudio
from scipy.signal import resample_poly
from torch import Tensor

# torchaudio tabulates its filter for each output phase: past this many entries
# (256 MB), that is for rates that hardly share a divisor, scipy does not.
MAX_TABLE_SIZE = 32_000_000


@dataclass(frozen=True)
class Resampling:
    """Polyphase resampling from `rate` to `new_rate`, in hertz.

    Raises
    ------
    ValueError
        If a rate is not positive.
    """

    rate: int
    new_rate: int

    def __post_init__(self) -> None:
        """Check both rates."""
        if min(self.rate, self.new_rate) <= 0:
            raise ValueError(
                "Sample rates should be positive, in hertz, got "
                f"{self.rate} and {self.new_rate}."
            )

    @property
    def up(self) -> int:
        """Output samples per period of the grid."""
        return self.new_rate // math.gcd(self.rate, self.new_rate)

    @property
    def down(self) -> int:
        """Input samples per period of the grid."""
        return self.rate // math.gcd(self.rate, self.new_rate)

    @property
    def margin(self) -> int:
        """Input samples that the filter sees on each side.

        The windowed sinc of torchaudio has 6 zero crossings a side, that of scipy 10.
        """
        if self.rate == self.new_rate:
            return 0
        return math.ceil(12 * max(1.0, self.rate / self.new_rate))

    def length(self, num_samples: int) -> int:
        """Return the number of output samples of `num_samples` input samples."""
        return -(-num_samples * self.up // self.down)

    def inputs(self, start: int, stop: int) -> tuple[int, int]:
        """Return the input range that output samples `start` to `stop` depend on.

        Its start is a multiple of `down`, hence on the grid of the whole file.
        """
        first = (start * self.down // self.up - self.margin) // self.down * self.down
        last = -(-stop * self.down // self.up) + self.margin
        return max(0, first), last

    def __call__(self, waveform: Tensor) -> Tensor:
        """Resample (..., num_samples) into (..., length(num_samples))."""
        if self.rate == self.new_rate or waveform.shape[-1] == 0:
            return waveform
        if self.up * (2 * self.margin + self.down) > MAX_TABLE_SIZE:
            resampled = resample_poly(waveform.numpy(), self.up, self.down, axis=-1)
            return torch.from_numpy(resampled)
        # torchaudio rounds the length in single precision, which may lose a sample
        padded = torch.nn.functional.pad(waveform, (0, self.down))
        resampled = torchaudio.functional.resample(padded, self.rate, self.new_rate)
        return resampled[..., : self.length(waveform.shape[-1])]
