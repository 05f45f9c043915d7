# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Resampling by range."""

import numpy as np
import pytest
import soundfile
import torch
import torchaudio

from pyannote_diarizen.audio.resampled import ResampledSource
from pyannote_diarizen.audio.resampling import Resampling
from pyannote_diarizen.audio.sources import open_audio

RATES = [8000, 11025, 16000, 22050, 32000, 44100, 48000, 96000, 15999]


@pytest.mark.parametrize("rate", RATES)
def test_a_tone_stays_the_same_tone(rate):
    tone = torch.sin(2 * torch.pi * 440 * torch.arange(rate) / rate)[None]
    resampled = Resampling(rate, 16000)(tone)
    assert resampled.shape == (1, 16000)
    expected = torch.sin(2 * torch.pi * 440 * torch.arange(16000) / 16000)
    inside = slice(100, -100)
    torch.testing.assert_close(
        resampled[0, inside], expected[inside], atol=0.01, rtol=0
    )


@pytest.mark.parametrize("rate", RATES)
def test_length_is_that_of_what_comes_out(rate):
    resampling = Resampling(rate, 16000)
    for num_samples in (0, 1, 2, 440, 441, 442, 12345):
        out = resampling(torch.zeros(1, num_samples))
        assert out.shape[1] == resampling.length(num_samples)
        assert out.shape[1] == int(np.ceil(num_samples * 16000 / rate - 1e-9))


def test_no_sample_is_lost_to_single_precision():
    """The last of 960119.002 samples, which torchaudio alone rounds to 960119."""
    silence = torch.zeros(1, 2646328)
    assert torchaudio.functional.resample(silence, 44100, 16000).shape[1] == 960119
    assert Resampling(44100, 16000)(silence).shape[1] == 960120


@pytest.mark.parametrize("rate", RATES)
def test_part_of_a_file_equals_the_same_part_of_the_whole(tmp_path, rng, rate):
    path = tmp_path / "audio.wav"
    noise = rng.uniform(-0.5, 0.5, 3 * rate + 7).astype(np.float32)
    soundfile.write(path, noise, rate, subtype="FLOAT")
    whole = Resampling(rate, 16000)(torch.from_numpy(noise)[None])
    with open_audio(path) as original:
        source = ResampledSource(original, 16000, None)
        total = source.info.num_samples
        assert total == whole.shape[1]
        for start, stop in ((0, total), (19752, 27752), (0, 1), (total - 5, total)):
            part = source.read(start, stop)
            torch.testing.assert_close(part, whole[:, start:stop], atol=1e-5, rtol=0)


def test_blocks_join_without_seams(tmp_path, rng, monkeypatch):
    path = tmp_path / "audio.wav"
    noise = rng.uniform(-0.5, 0.5, 5 * 44100 + 123).astype(np.float32)
    soundfile.write(path, noise, 44100, subtype="FLOAT")
    monkeypatch.setattr(ResampledSource, "BLOCK_DURATION", 1)
    with open_audio(path) as original:
        source = ResampledSource(original, 16000, 0)
        waveform = source.read(0, source.info.num_samples)
    expected = torchaudio.functional.resample(torch.from_numpy(noise), 44100, 16000)
    torch.testing.assert_close(waveform[0], expected, atol=1e-5, rtol=0)


@pytest.mark.parametrize("rate", [0, -8000])
def test_rates_should_be_positive(rate):
    with pytest.raises(ValueError, match="should be positive"):
        Resampling(16000, rate)
