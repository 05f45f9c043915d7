# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Recording conditions follow the distributions of `Mixing`."""

from dataclasses import replace

import numpy as np
import numpy.testing as npt
import pytest

from pyannote_diarizen.simulation.acoustics import Rooms
from pyannote_diarizen.simulation.recording import Mixing, Recorder

RATE = 16000
CLEAN = Mixing(
    level=(-20.0, -20.0),
    speaker_spread=0.0,
    room=0.0,
    snr=(200.0, 200.0),
    tilt=0.0,
    telephone=0.0,
    events=0.0,
)


def hum(recorder: Recorder, seconds: float = 2.0) -> np.ndarray:
    """One speaker at unit level, silent in the second half."""
    time = np.arange(round(seconds * RATE)) / RATE
    tone = np.sqrt(2) * np.sin(2 * np.pi * 1000 * time) * (time < seconds / 2)
    return np.pad(tone, (recorder.lead, 0))[None].astype(np.float32)


def level(waveform: np.ndarray) -> float:
    return float(10 * np.log10(np.mean(waveform**2)))


def test_clean_speech_only_changes_level(rng):
    recorder = Recorder(mixing=CLEAN)
    speech = hum(recorder)
    npt.assert_allclose(recorder.record(speech, rng), 0.1 * speech[0], atol=1e-5)


@pytest.mark.parametrize("recorded", [0.0, 1.0])
def test_noise_has_the_drawn_level(rng, recorded):
    noise = rng.integers(-99, 99, size=5 * RATE).astype(np.int16)
    mixing = replace(CLEAN, snr=(12.0, 12.0), noise=recorded)
    recorder = Recorder(noises=[noise], mixing=mixing)
    for _ in range(5):
        waveform = recorder.record(hum(recorder), rng)
        # slow noises vary from one second to the next
        assert level(waveform[RATE:]) == pytest.approx(-20 - 12, abs=3.0)
        assert level(waveform[:RATE]) == pytest.approx(-20, abs=0.6)


def test_a_room_keeps_speech_aligned(rng):
    rooms = Rooms.simulate(3, rt60=(0.2, 0.2), direct_to_reverberant=(10.0, 10.0))
    recorder = Recorder(rooms, mixing=replace(CLEAN, room=1.0))
    clicks = np.zeros((1, recorder.lead + RATE), dtype=np.float32)
    clicks[0, recorder.lead + 4000] = 1
    waveform = recorder.record(clicks, rng)
    assert np.abs(waveform).argmax() == 4000
    assert np.abs(waveform[:4000]).max() < 1e-6
    assert np.abs(waveform[4001:6000]).max() > 1e-3


def test_earlier_speech_leaves_its_reverberation(rng):
    recorder = Recorder(Rooms.simulate(1), mixing=replace(CLEAN, room=1.0))
    speech = np.zeros((1, recorder.lead + RATE), dtype=np.float32)
    speech[0, recorder.lead - 800 : recorder.lead] = 1
    waveform = recorder.record(speech, rng)
    assert level(waveform[:1600]) > level(waveform[6400:8000]) + 6
    assert np.abs(waveform[recorder.lead :]).max() < 1e-6


def test_speakers_differ_in_level(rng):
    recorder = Recorder(mixing=replace(CLEAN, speaker_spread=6.0))
    levels = [level(recorder.record(hum(recorder), rng)[:RATE]) for _ in range(200)]
    assert np.mean(levels) == pytest.approx(-20, abs=1.5)
    assert np.std(levels) == pytest.approx(6, rel=0.25)


def test_babble_adds_to_noise(rng):
    voices = [(8000 * np.sin(0.2 * np.arange(RATE))).astype(np.int16)]
    mixing = replace(CLEAN, snr=(20.0, 20.0), babble=1.0)
    alone, among = Recorder(mixing=mixing), Recorder(babble=voices, mixing=mixing)
    quiet = np.mean([level(alone.record(hum(alone), rng)[RATE:]) for _ in range(9)])
    loud = np.mean([level(among.record(hum(among), rng)[RATE:]) for _ in range(9)])
    assert loud > quiet + 1


def test_nothing_is_clipped(rng):
    recorder = Recorder(mixing=replace(CLEAN, level=(0.0, 6.0)))
    for _ in range(10):
        assert np.abs(recorder.record(hum(recorder), rng)).max() <= 1


def test_events_come_and_go(rng):
    noise = rng.integers(-99, 99, size=5 * RATE).astype(np.int16)
    recorder = Recorder(noises=[noise], mixing=replace(CLEAN, events=0.5))
    silence = np.zeros((1, 8 * RATE), dtype=np.float32)
    heard = [np.abs(recorder.record(silence, rng)) > 1e-6 for _ in range(100)]
    share = np.mean(heard)
    # half a second each, now and then at the same time
    assert share == pytest.approx(1 - np.exp(-0.5 * 0.525), rel=0.2)
    assert np.mean([not h.any() for h in heard]) == pytest.approx(np.exp(-4), abs=0.05)
