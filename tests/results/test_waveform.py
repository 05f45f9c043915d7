# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Peaks and compressed sound of a recording."""

import io

import numpy as np
import pytest
import torch

from pyannote_diarizen.audio.reader import read_audio
from pyannote_diarizen.results import waveform
from pyannote_diarizen.results.waveform import MAX_PEAK_RATE, read_waveform


def recording(samples: np.ndarray) -> dict:
    tensor = torch.from_numpy(samples.astype(np.float32))[None]
    return {"waveform": tensor, "sample_rate": 16000}


def test_peaks_are_relative_to_the_loudest_sample():
    samples = np.zeros(16000)
    samples[8000] = -0.5
    samples[8001] = 0.25
    found = read_waveform(recording(samples))
    assert found.duration == 1.0
    assert found.peak_rate == MAX_PEAK_RATE
    assert found.peaks.dtype == np.int8
    assert found.peaks[100].tolist() == [-127, 64]
    assert np.count_nonzero(found.peaks) == 2


def test_silence_is_flat():
    assert not read_waveform(recording(np.zeros(1000))).peaks.any()


@pytest.mark.parametrize("limit", [10, 17, 600_000])
def test_long_recordings_have_few_peaks_in_any_blocks(rng, monkeypatch, limit):
    monkeypatch.setattr(waveform, "MAX_NUM_PEAKS", limit)
    samples = rng.uniform(-1, 1, 50_000)
    whole = read_waveform(recording(samples))
    assert len(whole.peaks) <= limit
    monkeypatch.setattr(waveform, "_BLOCK_DURATION", 1)
    np.testing.assert_array_equal(read_waveform(recording(samples)).peaks, whole.peaks)


def test_sound_keeps_its_time(monkeypatch):
    monkeypatch.setattr(waveform, "_BLOCK_DURATION", 1)
    time = np.arange(48_000) / 16_000
    samples = 0.5 * np.sin(2 * np.pi * 300 * time) * (np.sin(2 * np.pi * time) > 0)
    sound = read_waveform(recording(samples), with_sound=True).sound
    assert len(sound) < 4 * waveform.BIT_RATE / 8  # three seconds, and a header
    decoded = read_audio(io.BytesIO(sound))[0][0].numpy()
    assert abs(len(decoded) - len(samples)) < 320
    num_samples = min(len(decoded), len(samples))
    correlation = np.corrcoef(decoded[:num_samples], samples[:num_samples])[0, 1]
    assert correlation > 0.95


def test_a_channel_can_be_chosen():
    tensor = torch.zeros(2, 1000)
    tensor[1, 500] = 1.0
    file = {"waveform": tensor, "sample_rate": 16000}
    assert not read_waveform(file, channel=0).peaks.any()
    assert read_waveform(file, channel=1).peaks.any()
