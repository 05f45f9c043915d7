# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""What a small network hears of voices, frame by frame.

Log-mel spectrogram, residual network, convolutions along time.
"""

from collections.abc import Sequence

import torch
from pyannote.audio.utils.receptive_field import (
    multi_conv_num_frames,
    multi_conv_receptive_field_center,
    multi_conv_receptive_field_size,
)
from torch import Tensor, nn
from torchaudio.functional import melscale_fbanks

from pyannote_diarizen.models.residual import ResidualNetwork
from pyannote_diarizen.models.temporal import TemporalNetwork


class LogMelSpectrogram(nn.Module):
    """Log-mel spectrogram with the mean over the chunk removed, always in float32.

    Parameters
    ----------
    sample_rate : int, optional
        Defaults to 16000.
    num_mel_bins : int, optional
        Defaults to 80.
    """

    window_duration = 0.025
    step_duration = 0.01
    floor = 1e-8
    """Power added before the logarithm: below 16 bit rounding noise."""
    window: Tensor
    filters: Tensor

    def __init__(self, sample_rate: int = 16000, num_mel_bins: int = 80) -> None:
        super().__init__()
        self.window_size = round(self.window_duration * sample_rate)
        self.step = round(self.step_duration * sample_rate)
        self.fft_size = 1 << (self.window_size - 1).bit_length()
        window = torch.hamming_window(self.window_size, periodic=False)
        filters = melscale_fbanks(
            self.fft_size // 2 + 1, 20.0, sample_rate / 2, num_mel_bins, sample_rate
        )
        # derived from hyper-parameters: no need to be in checkpoints
        self.register_buffer("window", window, persistent=False)
        self.register_buffer("filters", filters, persistent=False)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Map (batch, num_samples) to (batch, num_mel_bins, num_frames)."""
        with torch.autocast(waveforms.device.type, enabled=False):
            frames = waveforms.float().unfold(-1, self.window_size, self.step)
            windowed = frames * self.window.float()
            spectrum = torch.fft.rfft(windowed, n=self.fft_size)
            power = spectrum.real.square() + spectrum.imag.square()
            log_mel = torch.log(power @ self.filters.float() + self.floor)
            return (log_mel - log_mel.mean(dim=1, keepdim=True)).transpose(1, 2)


class SpeakerFrames(nn.Module):
    """Waveforms to frames, 40 ms apart when the residual network has two stages.

    Parameters
    ----------
    sample_rate : int
    num_mel_bins : int
    channels, blocks : sequence of int
        Of the `ResidualNetwork`.
    temporal_channels, temporal_blocks : int
        Width and number of blocks of a `TemporalNetwork` after the residual one; no
        block, no network.
    """

    def __init__(
        self,
        sample_rate: int,
        num_mel_bins: int,
        channels: Sequence[int],
        blocks: Sequence[int],
        temporal_channels: int,
        temporal_blocks: int,
    ) -> None:
        super().__init__()
        self.spectrogram = LogMelSpectrogram(sample_rate, num_mel_bins)
        self.resnet = ResidualNetwork(channels, blocks)
        self.num_features = self.resnet.num_features(num_mel_bins)
        self.temporal: TemporalNetwork | None = None
        kernels, strides = [3] * len(self.resnet.strides), self.resnet.strides
        if temporal_blocks:
            self.temporal = TemporalNetwork(
                self.num_features, temporal_channels, temporal_blocks
            )
            self.num_features = self.temporal.num_features
            kernels += self.temporal.kernel_sizes
            strides += [1] * temporal_blocks
        # in time, in the words of the host's helpers
        self._geometry = {
            "kernel_size": [self.spectrogram.window_size, *kernels],
            "stride": [self.spectrogram.step, *strides],
            "padding": [0] + [kernel // 2 for kernel in kernels],
            "dilation": [1] * (1 + len(kernels)),
        }

    def num_frames(self, num_samples: int) -> int:
        """Return the number of frames that `num_samples` samples give."""
        return multi_conv_num_frames(num_samples, **self._geometry)

    def receptive_field_size(self, num_frames: int = 1) -> int:
        """Return the number of samples that `num_frames` frames see."""
        return multi_conv_receptive_field_size(num_frames, **self._geometry)

    def receptive_field_center(self, frame: int = 0) -> int:
        """Return the sample at the centre of what `frame` sees."""
        return multi_conv_receptive_field_center(frame, **self._geometry)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Map (batch, num_samples) to (batch, num_features, num_frames).

        Raises
        ------
        ValueError
            If `waveforms` are shorter than 25 ms.
        """
        if waveforms.shape[-1] < self.spectrogram.window_size:
            raise ValueError(
                f"`waveforms` should have at least {self.spectrogram.window_size} "
                f"samples (25 ms), got shape {tuple(waveforms.shape)}."
            )
        features = self.spectrogram(waveforms).to(self.resnet[0].weight.dtype)
        frames = self.resnet(features.unsqueeze(1)).flatten(1, 2)
        return frames if self.temporal is None else self.temporal(frames)
