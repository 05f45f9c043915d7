# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import pytest
import torch
from pyannote.audio.models.embedding import WeSpeakerResNet34
from torch.testing import assert_close

from pyannote_diarizen.export.spectra import (
    ConvolutionalFBank,
    ConvolutionalKaldiFBank,
    ConvolutionalLogMel,
    fourier_kernels,
)
from pyannote_diarizen.models.log_mel import FBank, LogMelSpectrogram


@pytest.fixture
def waveforms() -> torch.Tensor:
    generator = torch.Generator().manual_seed(3)
    return 0.1 * torch.randn(2, 8000, generator=generator)


def test_kernels_are_those_of_the_fourier_transform():
    window = torch.hamming_window(10, dtype=torch.float64)
    frame = torch.arange(10.0, dtype=torch.float64)
    real, imaginary = (fourier_kernels(window, 16) @ frame).chunk(2)
    assert_close(torch.complex(real, imaginary), torch.fft.rfft(frame * window, n=16))


def test_log_mel_equals_that_of_the_fourier_transform(waveforms):
    spectrogram = LogMelSpectrogram(num_mel_bins=20)
    convolutional = ConvolutionalLogMel(spectrogram)
    assert_close(convolutional(waveforms), spectrogram(waveforms), atol=1e-4, rtol=1e-4)


@pytest.mark.parametrize("n_fft", [400, 512])
def test_fbank_equals_that_of_the_fourier_transform(waveforms, n_fft):
    fbank = FBank(n_fft=n_fft, n_mels=20)
    assert_close(
        ConvolutionalFBank(fbank)(waveforms), fbank(waveforms), atol=1e-3, rtol=1e-4
    )


@pytest.mark.parametrize("window_type", ["hamming", "povey"])
def test_kaldi_features_equal_those_of_torchaudio(waveforms, window_type):
    model = WeSpeakerResNet34(num_mel_bins=20, window_type=window_type)
    expected = model.compute_fbank(waveforms[:, None])
    computed = ConvolutionalKaldiFBank(model)(waveforms[:, None])
    assert_close(computed, expected, atol=1e-3, rtol=1e-3)


def test_other_kaldi_features_are_an_error():
    with pytest.raises(ValueError, match="Only WeSpeaker models with Hamming"):
        ConvolutionalKaldiFBank(WeSpeakerResNet34(window_type="hanning"))
