# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Log-mel features as SpeechBrain computes them, which DiariZen trained on."""

import math

import torch
from torch import Tensor, nn


def triangular_filters(num_bands: int, num_bins: int, max_frequency: float) -> Tensor:
    """Mel filters of SpeechBrain: both flanks are as wide as the left one.

    Parameters
    ----------
    num_bands, num_bins : int
        Number of mel bands and of frequencies, the last one being `max_frequency`.
    max_frequency : float
        In hertz.

    Returns
    -------
    filters : (num_bins, num_bands) Tensor
    """
    top = 2595 * math.log10(1 + max_frequency / 700)
    mel = torch.linspace(0, top, num_bands + 2)
    hertz = 700 * (10 ** (mel / 2595) - 1)
    center, width = hertz[1:-1], hertz.diff()[:-1]
    frequencies = torch.linspace(0, max_frequency, num_bins)
    return (1 - ((frequencies[:, None] - center) / width).abs()).clamp(min=0)


class _Deltas(nn.Module):
    """Kernel of deltas that DiariZen never computes, but has in its checkpoints."""

    def __init__(self, num_bands: int) -> None:
        super().__init__()
        self.register_buffer("kernel", torch.arange(-2.0, 3.0).repeat(num_bands, 1, 1))


class FBank(nn.Module):
    """Log-mel spectrogram in decibels, at most 80 dB below its maximum.

    Parameters
    ----------
    sample_rate : int, optional
        Defaults to 16000.
    n_fft : int, optional
        Size of the Fourier transform, in samples. Defaults to 400.
    n_mels : int, optional
        Number of mel bands. Defaults to 80.
    win_length_ms, hop_length_ms : float, optional
        Defaults to 25 and 10.
    """

    top_db = 80.0
    min_power = 1e-10
    window: Tensor
    filters: Tensor

    def __init__(
        self,
        sample_rate: int = 16000,
        n_fft: int = 400,
        n_mels: int = 80,
        win_length_ms: float = 25.0,
        hop_length_ms: float = 10.0,
    ) -> None:
        super().__init__()
        self.n_fft = n_fft
        self.win_length = round(sample_rate * win_length_ms / 1000)
        self.hop_length = round(sample_rate * hop_length_ms / 1000)
        filters = triangular_filters(n_mels, n_fft // 2 + 1, sample_rate / 2)
        # derived from hyper-parameters: no need to be in checkpoints
        self.register_buffer(
            "window", torch.hamming_window(self.win_length), persistent=False
        )
        self.register_buffer("filters", filters, persistent=False)
        self.compute_deltas = _Deltas(n_mels)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Map (batch, sample) to (batch, frame, band), computed in single precision."""
        with torch.autocast(waveforms.device.type, enabled=False):
            spectrum = torch.stft(
                waveforms.float(),
                self.n_fft,
                self.hop_length,
                self.win_length,
                self.window.float(),
                center=True,
                pad_mode="constant",
                return_complex=True,
            ).transpose(1, 2)
            power = spectrum.real.square() + spectrum.imag.square()
            mel = power @ self.filters.float()
            decibels = 10 * mel.clamp(min=self.min_power).log10()
            loudest = decibels.amax(dim=(1, 2), keepdim=True)
            return torch.maximum(decibels, loudest - self.top_db)
