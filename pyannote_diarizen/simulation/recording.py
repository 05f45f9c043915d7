# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""How speech is recorded: where, beside what noise, through which channel."""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from pyannote_diarizen.simulation.acoustics import (
    Rooms,
    coloured_noise,
    crop_noise,
    equalise,
)

SLOPES = (0.0, 0.5, 1.0, 1.5, 2.0)
"""Of coloured noises, from white to brown."""
EVENT_DURATION = (0.05, 1.0)
"""Of short noises, in seconds."""
EVENT_LEVEL, VOICE_LEVEL = (-35.0, -5.0), (-40.0, -20.0)
"""Of short noises and of stray voices, in dB below direct speech."""
LOW_CUT, HIGH_CUT = (100.0, 400.0), (3000.0, 5000.0)
"""Where narrow channels begin and end, in Hz."""


@dataclass(frozen=True)
class Mixing:
    """Distributions of recording conditions.

    Parameters
    ----------
    level : (min, max), optional
        Level of speech in dB, full scale being 0. Defaults to -35 to -18.
    speaker_spread : float, optional
        Standard deviation of speakers' levels in dB. Defaults to 3.
    phrase_spread : float, optional
        That of the phrases of a speaker. Defaults to 1.
    room : float, optional
        Probability of a room; otherwise, speech is mixed close to the microphone.
        Defaults to 0.75.
    noise : float, optional
        Probability of a noise recording, rather than coloured noise. Defaults to 0.5.
    babble : float, optional
        Probability of distant voices besides. Defaults to 0.1.
    events : float, optional
        Short noises per second: a chair, a door, a word said far away. Defaults to 0.2.
    snr : (min, max), optional
        Direct speech, before levels vary, over noise, in dB. Defaults to 3 to 35.
    tilt : float, optional
        Standard deviation of the spectral tilt in dB per octave. Defaults to 1.
    telephone : float, optional
        Probability of a narrow channel. Defaults to 0.1.
    """

    level: tuple[float, float] = (-35.0, -18.0)
    speaker_spread: float = 3.0
    phrase_spread: float = 1.0
    room: float = 0.75
    noise: float = 0.5
    babble: float = 0.1
    events: float = 0.2
    snr: tuple[float, float] = (3.0, 35.0)
    tilt: float = 1.0
    telephone: float = 0.1


class Recorder:
    """Record speech under conditions drawn at random.

    Parameters
    ----------
    rooms : Rooms, optional
        Defaults to none: always close to the microphone.
    noises, babble : sequence of (num_samples,) np.ndarray, optional
        Recordings without speech, and of voices that nobody should follow. Default to
        none: noise is coloured noise.
    mixing : Mixing, optional
    sample_rate : int, optional
        Defaults to 16000.
    """

    def __init__(
        self,
        rooms: Rooms | None = None,
        noises: Sequence[np.ndarray] = (),
        babble: Sequence[np.ndarray] = (),
        mixing: Mixing | None = None,
        sample_rate: int = 16000,
    ) -> None:
        self.rooms = rooms
        self.noises = noises
        self.babble = babble
        self.mixing = mixing or Mixing()
        self.sample_rate = sample_rate
        # drawn once: making noise costs more than all the rest
        rng = np.random.default_rng(0)
        self._coloured = [coloured_noise(60 * sample_rate, s, rng) for s in SLOPES]

    @property
    def lead(self) -> int:
        """Samples of the past that are still heard, as reverberation."""
        return 0 if self.rooms is None else self.rooms.num_samples

    def record(self, speech: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Record speakers together.

        Parameters
        ----------
        speech : (num_speakers, lead + num_samples) np.ndarray
            float32, of unit level where someone speaks. See `lead`.
        rng : np.random.Generator

        Returns
        -------
        waveform : (num_samples,) np.ndarray
            float32, between -1 and 1, aligned with the direct path of speech.
        """
        mixing = self.mixing
        gains = _decibels(mixing.speaker_spread * rng.standard_normal(len(speech)))
        waveform = self._in_room(speech * gains[:, None], rng)
        snr = rng.uniform(*mixing.snr)
        waveform += self._noise(len(waveform), rng) * _decibels(-snr)
        self._add_events(waveform, rng)
        waveform = self._through_channel(waveform, rng)
        waveform *= _decibels(rng.uniform(*mixing.level))
        peak = np.abs(waveform).max(initial=0.0)
        return waveform if peak <= 1 else waveform / peak

    def _in_room(self, speech: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        rooms = self.rooms
        if rooms is None or rng.random() >= self.mixing.room:
            return speech[:, self.lead :].sum(axis=0)
        room = int(rng.integers(rooms.num_rooms))
        positions = np.resize(rng.permutation(rooms.num_positions), len(speech))
        return rooms.reverberate(speech, room, positions.tolist())

    def _noise(self, num_samples: int, rng: np.random.Generator) -> np.ndarray:
        recorded = self.noises and rng.random() < self.mixing.noise
        noises = self.noises if recorded else self._coloured
        noise = crop_noise(noises, num_samples, rng)
        if self.babble and rng.random() < self.mixing.babble:
            for _ in range(rng.integers(3, 7)):
                noise += 0.5 * crop_noise(self.babble, num_samples, rng)
        return noise

    def _add_events(self, waveform: np.ndarray, rng: np.random.Generator) -> None:
        """Add noises and stray voices that come and go."""
        kinds = [(self.noises, EVENT_LEVEL), (self.babble, VOICE_LEVEL)]
        kinds = [(recordings, level) for recordings, level in kinds if recordings]
        mean = self.mixing.events * len(waveform) / self.sample_rate
        for _ in range(rng.poisson(mean) if kinds else 0):
            recordings, level = kinds[rng.integers(len(kinds))]
            length = round(rng.uniform(*EVENT_DURATION) * self.sample_rate)
            length = min(length, len(waveform))
            start = rng.integers(len(waveform) - length + 1)
            event = crop_noise(recordings, length, rng) * np.hanning(length)
            waveform[start : start + length] += event * _decibels(rng.uniform(*level))

    def _through_channel(
        self, waveform: np.ndarray, rng: np.random.Generator
    ) -> np.ndarray:
        tilt = self.mixing.tilt * rng.standard_normal()
        band = None
        if rng.random() < self.mixing.telephone:
            band = (rng.uniform(*LOW_CUT), rng.uniform(*HIGH_CUT))
        if band is None and rng.random() < 0.5:
            return waveform
        return equalise(waveform, tilt, band, self.sample_rate)


def _decibels(gain: float | np.ndarray) -> np.ndarray:
    return np.power(10.0, np.asarray(gain) / 20).astype(np.float32)
