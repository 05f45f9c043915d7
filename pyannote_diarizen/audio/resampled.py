# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Audio source with another sample rate and other channels than its file."""

import warnings
from typing import Literal

import torch
from torch import Tensor

from pyannote_diarizen.audio.resampling import Resampling
from pyannote_diarizen.audio.sources import AudioInfo, AudioSource
from pyannote_diarizen.errors import AudioFileError

# Other rates come from damaged headers, and need too much memory.
SAMPLE_RATES = range(1_000, 1_000_000)

MIN_DOWNMIX = 1e-3
"""Power of the average of all channels over their own, below which they cancel out.

It is 1 / num_channels for independent channels.
"""

Channel = int | Literal["downmix"] | None


class ResampledSource:
    """Another source, remixed then resampled.

    Parameters
    ----------
    source : AudioSource
        Source to read from.
    sample_rate : int
        Rate of the result, in hertz.
    channel : int, "downmix" or None
        Zero-based channel to keep, average of all channels, or all channels.

    Raises
    ------
    AudioFileError
        If `source` has no sample, lacks `channel`, or has an implausible rate.
    """

    # Seconds that are read at once, so that long files are never in memory at their
    # own rate and with all their channels.
    BLOCK_DURATION = 60

    def __init__(self, source: AudioSource, sample_rate: int, channel: Channel) -> None:
        info = source.info
        if info.num_samples == 0:
            raise AudioFileError(
                f"{source.name} holds no sample: record or export it again."
            )
        if info.sample_rate not in SAMPLE_RATES:
            raise AudioFileError(
                f"{source.name} should have from {SAMPLE_RATES.start} to "
                f"{SAMPLE_RATES.stop} samples per second, got {info.sample_rate}: is "
                "its header damaged?"
            )
        # 0.0 == 0, but is no index
        known = (None, "downmix", *range(info.num_channels))
        if channel not in known or isinstance(channel, float):
            raise AudioFileError(
                f"{source.name} has {info.num_channels} channel(s), numbered from 0: "
                f"there is no channel {channel!r}."
            )
        self.name = source.name
        self.channel = channel
        self._source = source
        self._resampling = Resampling(info.sample_rate, sample_rate)
        self.info = AudioInfo(
            num_samples=self._resampling.length(info.num_samples),
            sample_rate=sample_rate,
            num_channels=info.num_channels if channel is None else 1,
        )

    def read(self, start: int, stop: int) -> Tensor:
        """Read samples `start` to `stop`, within the file, block by block.

        Raises
        ------
        AudioFileError
            If the file is damaged or holds NaN or infinite samples there.
        """
        waveform = torch.empty(self.info.num_channels, stop - start)
        block = self.BLOCK_DURATION * self.info.sample_rate
        self._energy = self._energy_of_downmix = 0.0
        for first in range(start, stop, block):
            last = min(first + block, stop)
            waveform[:, first - start : last - start] = self._read_block(first, last)
        if self._energy_of_downmix < MIN_DOWNMIX * self._energy:
            warnings.warn(
                f"The channels of {self.name} cancel out: their average is silent. "
                "Choose one of them, by `channel` in Python or --channel.",
                stacklevel=2,
            )
        return waveform

    def _read_block(self, start: int, stop: int) -> Tensor:
        first, last = self._resampling.inputs(start, stop)
        samples = self._source.read(first, min(last, self._source.info.num_samples))
        self._check_finite(samples, first)
        offset = self._resampling.length(first)
        return self._resampling(self._remix(samples))[:, start - offset : stop - offset]

    def _remix(self, samples: Tensor) -> Tensor:
        if self.channel is None:
            return samples
        if self.channel == "downmix":
            downmix = samples.mean(dim=0, keepdim=True)
            self._energy += float(samples.square().mean()) * samples.shape[1]
            self._energy_of_downmix += float(downmix.square().sum())
            return downmix
        return samples[self.channel : self.channel + 1]

    def _check_finite(self, samples: Tensor, start: int) -> None:
        # one pass, which NaN and infinity survive; huge numbers may overflow, though
        if samples.sum().isfinite():
            return
        wrong = (~samples.isfinite().all(dim=0)).nonzero()
        if len(wrong):
            instant = (start + int(wrong[0])) / self._source.info.sample_rate
            raise AudioFileError(
                f"{self.name} holds NaN or infinite samples, the first one at "
                f"{instant:.3f} s: export it again or replace them by zeros."
            )
