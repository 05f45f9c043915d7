# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Segments detected by energy."""

import numpy as np
import numpy.testing as npt
import pytest

from pyannote_diarizen.simulation.energy_vad import MIN_PAUSE, detect_speech

RATE = 16000


def tones(*seconds: float) -> np.ndarray:
    """Silence and tone in turn, beginning with silence."""
    parts = [
        np.sin(0.3 * np.arange(round(duration * RATE))) * (index % 2)
        for index, duration in enumerate(seconds)
    ]
    return (8000 * np.concatenate(parts)).astype(np.int16)


def test_edges_are_trimmed_to_ten_milliseconds():
    segments = detect_speech(tones(0.5, 1.0, 0.7))
    npt.assert_allclose(segments / RATE, [[0.5, 1.5]], atol=0.0101)


def test_a_pause_ends_a_segment_if_it_is_long_enough():
    shorter, longer = MIN_PAUSE - 0.05, MIN_PAUSE + 0.1
    assert len(detect_speech(tones(0.2, 1.0, shorter, 1.0, 0.2))) == 1
    assert len(detect_speech(tones(0.2, 1.0, longer, 1.0, 0.2))) == 2


def test_clicks_and_short_noises_are_not_segments():
    speech = tones(0.2, 1.0)
    for sound in (0.01, 0.1):
        segments = detect_speech(np.concatenate([tones(0.3, sound, 0.5), speech]))
        assert len(segments) == 1


def test_background_noise_is_not_speech(rng):
    speech = tones(0.5, 1.0, 0.5)
    level = 10 ** (-25 / 20) * 8000 / np.sqrt(2)
    noisy = speech + level * rng.standard_normal(len(speech))
    segments = detect_speech(noisy)
    npt.assert_allclose(segments / RATE, [[0.5, 1.5]], atol=0.021)


@pytest.mark.parametrize("num_samples", [0, 10, RATE])
def test_silence_has_no_segment(num_samples):
    assert detect_speech(np.zeros(num_samples, dtype=np.int16)).shape == (0, 2)


def test_scale_does_not_matter():
    speech = tones(0.3, 1.0, 0.5, 0.6, 0.3)
    npt.assert_array_equal(detect_speech(speech), detect_speech(speech * 1e-3))
