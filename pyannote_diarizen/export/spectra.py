# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Spectrograms as convolutions, for exported graphs.

Formats such as ONNX have no Fourier transform of real signals that all runtimes
compute. The transform of a windowed frame is linear, so that it is a convolution whose
kernels are the products of window and complex exponentials: with window w, transform
size N and frequency k, real part w[n] cos(2 pi k n / N), imaginary part
-w[n] sin(2 pi k n / N).

No constant as small as 1e-8 is added: optimisers of graphs take it for 0.
"""

import math
from typing import ClassVar

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from pyannote.audio.models.embedding.wespeaker import BaseWeSpeakerResNet
from torch import Tensor, nn
from torchaudio.compliance.kaldi import get_mel_banks

from pyannote_diarizen.models.log_mel import FBank, LogMelSpectrogram


def fourier_kernels(window: Tensor, fft_size: int) -> Tensor:
    """Kernels of the Fourier transform of a windowed frame.

    Parameters
    ----------
    window : (window_size,) Tensor
    fft_size : int
        Size of the transform, in samples, at least that of the window.

    Returns
    -------
    kernels : (2 x num_bins, window_size) Tensor
        Real parts of frequencies 0 to `fft_size` / 2, then imaginary parts, in float64.

    Examples
    --------
    >>> fourier_kernels(torch.ones(4), fft_size=4).round().abs().int()[:3].tolist()
    [[1, 1, 1, 1], [1, 0, 1, 0], [1, 1, 1, 1]]
    """
    bins = torch.arange(fft_size // 2 + 1, dtype=torch.float64)
    samples = torch.arange(len(window), dtype=torch.float64)
    angles = 2 * math.pi / fft_size * bins[:, None] * samples
    return torch.cat([angles.cos(), -angles.sin()]) * window.double()


class MelSpectrum(nn.Module):
    """Power of mel bands, by a convolution.

    Parameters
    ----------
    kernels : (2 x num_bins, window_size) Tensor
        Output of `fourier_kernels`.
    filters : (num_bins, num_bands) Tensor
        Weight of each frequency in each band.
    step : int
        Step between frames, in samples.
    padding : int, optional
        Number of zeros on each side of the waveform. Defaults to 0.
    """

    kernels: Tensor
    filters: Tensor

    def __init__(
        self, kernels: Tensor, filters: Tensor, step: int, padding: int = 0
    ) -> None:
        super().__init__()
        self.register_buffer("kernels", kernels.float().unsqueeze(1))
        self.register_buffer("filters", filters.float())
        self.step, self.padding = step, padding

    def forward(self, waveforms: Tensor) -> Tensor:
        """Map (batch, num_samples) to (batch, num_frames, num_bands)."""
        spectrum = F.conv1d(
            waveforms.unsqueeze(1), self.kernels, None, self.step, self.padding
        )
        num_bins = len(self.filters)
        real, imaginary = spectrum[:, :num_bins], spectrum[:, num_bins:]
        power = real.square() + imaginary.square()
        return power.transpose(1, 2) @ self.filters


class ConvolutionalLogMel(nn.Module):
    """`LogMelSpectrogram` without a Fourier transform."""

    def __init__(self, spectrogram: LogMelSpectrogram) -> None:
        super().__init__()
        kernels = fourier_kernels(spectrogram.window, spectrogram.fft_size)
        self.mel = MelSpectrum(kernels, spectrogram.filters, spectrogram.step)
        self.floor, self.window_size = spectrogram.floor, spectrogram.window_size

    def forward(self, waveforms: Tensor) -> Tensor:
        """Map (batch, num_samples) to (batch, num_mel_bins, num_frames)."""
        # log(p + floor) minus log(floor), which the mean cancels
        log_mel = torch.log(self.mel(waveforms) / self.floor + 1)
        return (log_mel - log_mel.mean(dim=1, keepdim=True)).transpose(1, 2)


class ConvolutionalFBank(nn.Module):
    """`FBank` without a Fourier transform."""

    def __init__(self, fbank: FBank) -> None:
        super().__init__()
        # `torch.stft` centres a window that is shorter than the transform
        margin = fbank.n_fft - fbank.win_length
        window = F.pad(fbank.window, (margin // 2, margin - margin // 2))
        self.mel = MelSpectrum(
            fourier_kernels(window, fbank.n_fft),
            fbank.filters,
            fbank.hop_length,
            padding=fbank.n_fft // 2,
        )
        self.min_power, self.top_db = fbank.min_power, fbank.top_db

    def forward(self, waveforms: Tensor) -> Tensor:
        """Map (batch, num_samples) to (batch, num_frames, n_mels)."""
        decibels = 10 * self.mel(waveforms).clamp(min=self.min_power).log10()
        loudest = decibels.amax(dim=(1, 2), keepdim=True)
        return torch.maximum(decibels, loudest - self.top_db)


class ConvolutionalKaldiFBank(nn.Module):
    """Features of the WeSpeaker models of pyannote.audio, without a Fourier transform.

    Each frame loses its mean, then passes the filter x[n] - 0.97 x[n - 1] and the
    window. All three are linear and become part of the kernels.

    Parameters
    ----------
    model : BaseWeSpeakerResNet

    Raises
    ------
    ValueError
        If the model has other settings than those of its published checkpoints.
    """

    preemphasis = 0.97
    scale = 1 << 15
    """Samples between -1 and 1 to those of 16 bits."""
    windows: ClassVar = {
        "hamming": (torch.hamming_window, 1.0),
        "povey": (torch.hann_window, 0.85),
    }

    def __init__(self, model: BaseWeSpeakerResNet) -> None:
        super().__init__()
        options = model.hparams
        known = (0.0, False, True, True, None)
        settings = (
            *(options.dither, options.use_energy),
            *(options.snip_edges, options.round_to_power_of_two),
            options.fbank_centering_span,
        )
        if settings != known or options.window_type not in self.windows:
            raise ValueError(
                "Only WeSpeaker models with Hamming or Povey windows, without dither, "
                "energy, running average and padding can be exported, got "
                f"{(options.window_type, *settings)}."
            )
        window_size = int(options.sample_rate * options.frame_length * 0.001)
        fft_size = 1 << (window_size - 1).bit_length()
        window_function, power = self.windows[options.window_type]
        window = window_function(window_size, periodic=False, dtype=torch.float64)
        window = window**power
        kernels = fourier_kernels(window, fft_size)
        # sum_n K[n] (x[n] - a x[n - 1]) = sum_n (K[n] - a K[n + 1]) x[n], where the
        # sample before the first one is a copy of it
        filtered = kernels - self.preemphasis * F.pad(kernels[:, 1:], (0, 1))
        filtered[:, 0] -= self.preemphasis * kernels[:, 0]
        # sum_n K[n] (x[n] - mean(x)) = sum_n (K[n] - mean(K)) x[n]
        centred = self.scale * (filtered - filtered.mean(dim=1, keepdim=True))
        rate = float(options.sample_rate)
        banks, _ = get_mel_banks(
            options.num_mel_bins, fft_size, rate, 20.0, 0.0, 100.0, -500.0, 1.0
        )  # (num_mel_bins, num_bins - 1): no band has the highest frequency
        step = int(options.sample_rate * options.frame_shift * 0.001)
        self.mel = MelSpectrum(centred, F.pad(banks, (0, 1)).T, step)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Map (batch, 1, num_samples) to (batch, num_frames, num_mel_bins)."""
        mel = self.mel(waveforms.squeeze(1))
        log_mel = mel.clamp(min=torch.finfo(torch.float32).eps).log()
        return log_mel - log_mel.mean(dim=1, keepdim=True)
