# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Recording conditions drawn at random: room, noise, channel and level."""

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
"""Slopes of coloured noises, from white to brown."""
EVENT_DURATION = (0.05, 1.0)
"""Range of durations of short noises, in seconds."""
EVENT_LEVEL, VOICE_LEVEL = (-35.0, -5.0), (-40.0, -20.0)
"""Levels of short noises and of distant voices relative to direct speech, in dB."""
BABBLE_GAIN = 0.5
"""Gain of each distant voice relative to the noise."""
TILT_PROBABILITY = 0.5
"""Probability of a tilted spectrum without a narrow channel, which is always tilted."""
LOW_CUT, HIGH_CUT = (100.0, 400.0), (3000.0, 5000.0)
"""Ranges of the cutoff frequencies of narrow channels, in Hz."""


@dataclass(frozen=True)
class Mixing:
    """Distributions of recording conditions.

    Parameters
    ----------
    level : (min, max), optional
        Level of speech in dB relative to full scale. Defaults to -35 to -18.
    speaker_spread : float, optional
        Standard deviation of the levels of speakers, in dB. Defaults to 3.
    segment_spread : float, optional
        Standard deviation of the levels of segments of a speaker, in dB. Defaults to 1.
    room : float, optional
        Probability of a room; without one, speakers are close to the microphone.
        Defaults to 0.75.
    noise : float, optional
        Probability of recorded noise instead of coloured noise. Defaults to 0.5.
    babble : float, optional
        Probability of additional distant voices. Defaults to 0.1.
    events : float, optional
        Mean number of short noises or distant words per second. Defaults to 0.2.
    snr : (min, max), optional
        Ratio of direct speech to noise, before the levels of speakers vary, in dB.
        Defaults to 3 to 35.
    tilt : float, optional
        Standard deviation of the spectral tilt of half of the conversations, in dB per
        octave. Defaults to 1.
    telephone : float, optional
        Probability of a narrow channel. Defaults to 0.1.
    """

    level: tuple[float, float] = (-35.0, -18.0)
    speaker_spread: float = 3.0
    segment_spread: float = 1.0
    room: float = 0.75
    noise: float = 0.5
    babble: float = 0.1
    events: float = 0.2
    snr: tuple[float, float] = (3.0, 35.0)
    tilt: float = 1.0
    telephone: float = 0.1


class Recorder:
    """Record speech under random conditions.

    Parameters
    ----------
    rooms : Rooms, optional
        Defaults to none: speakers are close to the microphone.
    noises, babble : sequence of (num_samples,) np.ndarray, optional
        Recordings without speech, and recordings of voices that stay unlabelled.
        Default to none: noise is coloured noise.
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
        # drawn once, because coloured noise costs more than the rest
        rng = np.random.default_rng(0)
        self._coloured = [coloured_noise(60 * sample_rate, s, rng) for s in SLOPES]

    @property
    def lead(self) -> int:
        """Number of samples of earlier speech needed for its reverberation."""
        return 0 if self.rooms is None else self.rooms.num_samples

    def record(self, speech: np.ndarray, rng: np.random.Generator) -> np.ndarray:
        """Record the mixture of some speakers.

        Parameters
        ----------
        speech : (num_speakers, lead + num_samples) np.ndarray
            float32, root mean square 1 where a speaker is active. See `lead`.
        rng : np.random.Generator

        Returns
        -------
        waveform : (num_samples,) np.ndarray
            float32, between -1 and 1, aligned with the direct path of speech.
        """
        mixing = self.mixing
        # (num_speakers,) levels of speakers in dB, normal around 0
        gains = _decibels(mixing.speaker_spread * rng.standard_normal(len(speech)))
        waveform = self._in_room(speech * gains[:, None], rng)
        # speech has level 0 dB, hence noise the level -snr
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
        # positions are shared only if there are more speakers than positions
        positions = np.resize(rng.permutation(rooms.num_positions), len(speech))
        return rooms.reverberate(speech, room, positions.tolist())

    def _noise(self, num_samples: int, rng: np.random.Generator) -> np.ndarray:
        recorded = self.noises and rng.random() < self.mixing.noise
        noises = self.noises if recorded else self._coloured
        noise = crop_noise(noises, num_samples, rng)
        if self.babble and rng.random() < self.mixing.babble:
            for _ in range(rng.integers(3, 7)):
                noise += BABBLE_GAIN * crop_noise(self.babble, num_samples, rng)
        return noise

    def _add_events(self, waveform: np.ndarray, rng: np.random.Generator) -> None:
        """Add short noises and distant voices."""
        kinds = [(self.noises, EVENT_LEVEL), (self.babble, VOICE_LEVEL)]
        kinds = [(recordings, level) for recordings, level in kinds if recordings]
        # a Poisson process, `events` per second
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
        if band is None and rng.random() < 1 - TILT_PROBABILITY:
            return waveform
        return equalise(waveform, tilt, band, self.sample_rate)


def _decibels(gain: float | np.ndarray) -> np.ndarray:
    return np.power(10.0, np.asarray(gain) / 20).astype(np.float32)
