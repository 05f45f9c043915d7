# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Rooms, noises and filters match their parameters."""

import numpy as np
import numpy.testing as npt
import pytest
import scipy.signal
import soundfile

from pyannote_diarizen.simulation.acoustics import (
    Rooms,
    coloured_noise,
    crop_noise,
    equalise,
    read_noises,
    read_rir,
    simulate_rir,
)

RATE = 16000


def octave_levels(waveform: np.ndarray) -> np.ndarray:
    """Level in dB per Hz around 500, 1000, 2000 and 4000 Hz."""
    frequency, power = scipy.signal.welch(waveform, RATE, nperseg=1024)
    centres = (500, 1000, 2000, 4000)
    bands = [(frequency > c / 1.2) & (frequency < c * 1.2) for c in centres]
    return 10 * np.log10([power[band].mean() for band in bands])


@pytest.mark.parametrize("rt60", [0.2, 0.5])
def test_tail_decays_by_60_db_in_rt60(rng, rt60):
    energy = np.mean([simulate_rir(rt60, 0.0, rng) ** 2 for _ in range(50)], axis=0)
    early, late = round(0.06 * RATE), round((0.06 + rt60 / 3) * RATE)
    levels = [10 * np.log10(energy[n : n + 800].mean()) for n in (early, late)]
    assert levels[0] - levels[1] == pytest.approx(20, abs=2.5)


@pytest.mark.parametrize("ratio", [-3.0, 12.0])
def test_direct_path_comes_first_at_the_given_ratio(rng, ratio):
    rir = simulate_rir(0.4, ratio, rng)
    assert rir[0] == 1
    assert -10 * np.log10(np.sum(rir[1:] ** 2)) == pytest.approx(ratio, abs=0.01)


def test_reverberation_is_a_convolution(rng):
    rirs = rng.standard_normal((2, 3, 500)).astype(np.float32)
    dry = rng.standard_normal((2, 500 + 70000)).astype(np.float32)
    dry[1, :40000] = 0
    wet = Rooms(rirs).reverberate(dry, 1, [2, 0])
    expected = sum(
        scipy.signal.fftconvolve(signal, rirs[1, position])[500 : 500 + 70000]
        for signal, position in zip(dry, (2, 0), strict=True)
    )
    npt.assert_allclose(wet, expected, atol=1e-3)


def test_long_rirs_are_refused():
    with pytest.raises(ValueError, match="at most 16384 samples"):
        Rooms(np.zeros((1, 1, 20000), dtype=np.float32))


def test_measured_rirs_begin_with_their_direct_path(tmp_path, rng):
    rir = 0.01 * rng.standard_normal(3000)
    rir[100] = -0.8
    soundfile.write(tmp_path / "room.wav", rir, RATE, subtype="FLOAT")
    read = read_rir(tmp_path / "room.wav", num_samples=8192)
    assert (read.shape, read[0]) == ((8192,), 1)
    npt.assert_allclose(read[1:2900], rir[101:3000] / -0.8, rtol=1e-5)

    both = Rooms.read([tmp_path / "room.wav"]) + Rooms.simulate(2)
    assert (both.num_rooms, len(both.spectra)) == (3, 3)
    with pytest.raises(ValueError, match="as many positions"):
        both + Rooms.simulate(1, num_positions=2)


def test_a_silent_rir_is_refused(tmp_path):
    soundfile.write(tmp_path / "room.wav", np.zeros(1000), RATE)
    with pytest.raises(ValueError, match="silent"):
        read_rir(tmp_path / "room.wav")


@pytest.mark.parametrize("slope", [0.0, 1.0, 2.0])
def test_coloured_noise_falls_by_its_slope(rng, slope):
    levels = octave_levels(coloured_noise(20 * RATE, slope, rng))
    npt.assert_allclose(np.diff(levels), -3.01 * slope, atol=0.5)


def test_noises_are_read_from_folders(tmp_path, rng):
    noise = rng.integers(-1000, 1000, size=800).astype(np.int16)
    noise[:2] = -(2**15), 2**15 - 1
    soundfile.write(tmp_path / "a.wav", noise, RATE)
    (read,) = read_noises([tmp_path])
    assert read.dtype == np.int16
    npt.assert_array_equal(read, noise)


@pytest.mark.parametrize("num_samples", [300, 800, 2500])
def test_crops_have_unit_level(rng, num_samples):
    noise = rng.integers(-1000, 1000, size=800).astype(np.int16)
    crop = crop_noise([noise], num_samples, rng)
    assert crop.shape == (num_samples,)
    assert np.sqrt(np.mean(crop**2)) == pytest.approx(1, rel=1e-4)
    npt.assert_array_equal(crop[: num_samples - 800], crop[800:])


def test_silent_noise_stays_silent(rng):
    assert not crop_noise([np.zeros(100, np.int16)], 50, rng).any()


def test_equaliser_tilts_and_cuts_without_delay(rng):
    noise = coloured_noise(10 * RATE, 0.0, rng)
    flat = octave_levels(noise)
    npt.assert_allclose(equalise(noise), noise, atol=1e-4)
    npt.assert_allclose(
        octave_levels(equalise(noise, 3.0)) - flat, [-3, 0, 3, 6], atol=0.4
    )
    narrow = octave_levels(equalise(noise, band=(300.0, 3000.0))) - flat
    npt.assert_allclose(narrow[:3], 0, atol=0.5)
    assert narrow[3] < -15
    impulse = np.zeros(2001)
    impulse[1000] = 1
    assert np.abs(equalise(impulse, 2.0, (300.0, 3400.0))).argmax() == 1000
