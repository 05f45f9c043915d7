# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Log-mel front ends: `FBank` of DiariZen, `LogMelSpectrogram` of speaker embeddings.

Both compute in single precision, also under autocast. Windows and filters follow from
hyper-parameters, so that checkpoints do not hold them.
"""

import math

import torch
from torch import Tensor, nn
from torchaudio.functional import melscale_fbanks

from pyannote_diarizen.errors import check_at_least


def triangular_filters(num_bands: int, num_bins: int, max_frequency: float) -> Tensor:
    """Mel filters of SpeechBrain: both flanks have the width of the left one.

    Parameters
    ----------
    num_bands, num_bins : int
        Number of mel bands, and of frequencies from zero to `max_frequency`.
    max_frequency : float
        Highest frequency, in hertz.

    Returns
    -------
    filters : (num_bins, num_bands) Tensor
    """
    # m = 2595 log10(1 + f / 700), with edges at equal distances on the mel scale
    top = 2595 * math.log10(1 + max_frequency / 700)
    mel = torch.linspace(0, top, num_bands + 2)
    hertz = 700 * (10 ** (mel / 2595) - 1)
    center, width = hertz[1:-1], hertz.diff()[:-1]  # (num_bands,)
    frequencies = torch.linspace(0, max_frequency, num_bins)
    return (1 - ((frequencies[:, None] - center) / width).abs()).clamp(min=0)


class _Deltas(nn.Module):
    """Kernel of deltas, which checkpoints of DiariZen hold and no model uses."""

    def __init__(self, num_bands: int) -> None:
        super().__init__()
        self.register_buffer("kernel", torch.arange(-2.0, 3.0).repeat(num_bands, 1, 1))


class FBank(nn.Module):
    """Log-mel spectrogram of SpeechBrain, in decibels, at most 80 dB below its maximum.

    Parameters
    ----------
    sample_rate : int, optional
        Defaults to 16000.
    n_fft : int, optional
        Size of the Fourier transform, in samples. Defaults to 400.
    n_mels : int, optional
        Number of mel bands. Defaults to 80.
    win_length_ms, hop_length_ms : float, optional
        Window and hop. Default to 25 and 10.
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
        check_at_least(1, n_fft=n_fft, n_mels=n_mels)
        durations = {"win_length_ms": win_length_ms, "hop_length_ms": hop_length_ms}
        check_at_least(1000 / sample_rate, **durations)  # one sample
        self.n_fft = n_fft
        self.win_length = round(sample_rate * win_length_ms / 1000)
        self.hop_length = round(sample_rate * hop_length_ms / 1000)
        filters = triangular_filters(n_mels, n_fft // 2 + 1, sample_rate / 2)
        self.register_buffer(
            "window", torch.hamming_window(self.win_length), persistent=False
        )
        self.register_buffer("filters", filters, persistent=False)
        self.compute_deltas = _Deltas(n_mels)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Map (batch, num_samples) to (batch, num_frames, n_mels)."""
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
            ).transpose(1, 2)  # (batch, num_frames, n_fft // 2 + 1)
            power = spectrum.real.square() + spectrum.imag.square()
            mel = power @ self.filters.float()  # (batch, num_frames, n_mels)
            decibels = 10 * mel.clamp(min=self.min_power).log10()
            loudest = decibels.amax(dim=(1, 2), keepdim=True)
            return torch.maximum(decibels, loudest - self.top_db)


class LogMelSpectrogram(nn.Module):
    """Log-mel spectrogram, minus the mean of each band over the chunk.

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
    """Power added before the logarithm, below the rounding noise of 16 bits."""
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
        self.register_buffer("window", window, persistent=False)
        self.register_buffer("filters", filters, persistent=False)

    def log_mel(self, waveforms: Tensor) -> Tensor:
        """Map (batch, num_samples) to (batch, num_frames, num_mel_bins), as it is."""
        with torch.autocast(waveforms.device.type, enabled=False):
            # frames: (batch, num_frames, window_size), without padding
            frames = waveforms.float().unfold(-1, self.window_size, self.step)
            windowed = frames * self.window.float()
            spectrum = torch.fft.rfft(windowed, n=self.fft_size)
            power = spectrum.real.square() + spectrum.imag.square()
            return torch.log(power @ self.filters.float() + self.floor)

    @staticmethod
    def centred(log_mel: Tensor) -> Tensor:
        """Map the output of `log_mel` to (batch, num_mel_bins, num_frames)."""
        return (log_mel - log_mel.mean(dim=1, keepdim=True)).transpose(1, 2)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Map (batch, num_samples) to (batch, num_mel_bins, num_frames)."""
        return self.centred(self.log_mel(waveforms))
