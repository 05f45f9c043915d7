# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""What happens to speech on its way: rooms, noises, channels.

Rooms are not ray-traced: a direct path, sparse early reflections and a noise tail that
decays exponentially are enough to train on and cost nothing. Responses begin with
their direct path, so that a reverberated signal stays aligned with the dry one.
"""

from collections.abc import Iterable, Sequence
from copy import copy
from pathlib import Path

import numpy as np
import scipy.fft

from pyannote_diarizen.audio.reader import list_audio, read_audio

BLOCK = 2**15
"""Samples per Fourier transform of the overlap-save convolution."""


def simulate_response(
    rt60: float,
    direct_to_reverberant: float,
    rng: np.random.Generator,
    num_samples: int = 8192,
    sample_rate: int = 16000,
) -> np.ndarray:
    """Draw a room response that begins with its direct path.

    Parameters
    ----------
    rt60 : float
        Seconds until the tail has decayed by 60 dB.
    direct_to_reverberant : float
        Energy of the direct path over that of all the rest, in dB.
    rng : np.random.Generator
    num_samples : int, optional
        Defaults to 8192.
    sample_rate : int, optional
        Defaults to 16000.

    Returns
    -------
    response : (num_samples,) np.ndarray
        float32, 1 at sample 0.
    """
    time = np.arange(num_samples) / sample_rate
    decay = np.log(1e3) / rt60  # 60 dB
    low, high = rng.standard_normal((2, num_samples))
    # air and walls absorb high frequencies sooner
    tail = np.convolve(low, [0.25, 0.5, 0.25], mode="same") * np.exp(-decay * time)
    tail += 0.5 * np.diff(high, prepend=0.0) * np.exp(-decay * time / 0.6)
    # reflections grow dense, until they are a tail, over the first 30 ms
    tail *= np.minimum(time / 0.03, 1.0)

    delays = rng.uniform(0.001, 0.05, size=rng.integers(6, 16))
    signs = rng.choice([-1.0, 1.0], size=len(delays))
    reflections = np.zeros(num_samples)
    reflections[(delays * sample_rate).astype(int)] = (
        signs * np.exp(-decay * delays) / (1 + 100 * delays)
    )
    response = reflections / np.linalg.norm(reflections) + tail / np.linalg.norm(tail)
    response *= 10 ** (-direct_to_reverberant / 20) / np.linalg.norm(response)
    response[0] = 1.0
    return response.astype(np.float32)


def read_response(
    path: str | Path, num_samples: int = 8192, sample_rate: int = 16000
) -> np.ndarray:
    """Read a measured room response, from its direct path on.

    Returns
    -------
    response : (num_samples,) np.ndarray
        float32, 1 at sample 0; what comes later is faded out.
    """
    waveform, _ = read_audio(path, sample_rate, channel=0)
    response = waveform[0].numpy()
    direct = int(np.abs(response).argmax())
    if response[direct] == 0:
        raise ValueError(f"{path} is silent: expected a room response.")
    response = response[direct : direct + num_samples] / response[direct]
    response = np.pad(response, (0, num_samples - len(response)))
    fade = num_samples // 8
    response[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return response


class Rooms:
    """Bank of room responses, kept as spectra.

    Parameters
    ----------
    responses : (num_rooms, num_positions, num_samples) np.ndarray
        float32; each begins with its direct path.
    """

    def __init__(self, responses: np.ndarray) -> None:
        if responses.ndim != 3 or responses.shape[2] > BLOCK // 2:
            raise ValueError(
                "`responses` should be (num_rooms, num_positions, num_samples), at "
                f"most {BLOCK // 2} samples, got {responses.shape}."
            )
        self.num_rooms, self.num_positions, self.num_samples = responses.shape
        self.spectra = scipy.fft.rfft(responses.astype(np.float32), BLOCK)

    @classmethod
    def simulate(
        cls,
        num_rooms: int = 64,
        num_positions: int = 5,
        rt60: tuple[float, float] = (0.15, 0.8),
        direct_to_reverberant: tuple[float, float] = (-3.0, 15.0),
        seed: int = 0,
        sample_rate: int = 16000,
    ) -> "Rooms":
        """Draw rooms, with several places to speak from in each.

        Parameters
        ----------
        num_rooms, num_positions : int, optional
            Default to 64 and 5.
        rt60 : (min, max), optional
            In seconds. Defaults to 0.15 to 0.8.
        direct_to_reverberant : (min, max), optional
            In dB, drawn for each room, then 3 dB around it for each position.
            Defaults to -3 to 15.
        seed : int, optional
            Defaults to 0.
        sample_rate : int, optional
            Defaults to 16000.
        """
        rng = np.random.default_rng(seed)
        rooms = []
        for _ in range(num_rooms):
            decay = rng.uniform(*rt60)
            ratios = rng.normal(rng.uniform(*direct_to_reverberant), 3.0, num_positions)
            rooms.append(
                [
                    simulate_response(decay, ratio, rng, sample_rate=sample_rate)
                    for ratio in ratios
                ]
            )
        return cls(np.array(rooms))

    @classmethod
    def read(
        cls,
        paths: Iterable[str | Path],
        num_positions: int = 5,
        sample_rate: int = 16000,
    ) -> "Rooms":
        """Read measured responses, one room each: all positions sound the same."""
        responses = [
            read_response(path, sample_rate=sample_rate) for path in list_audio(paths)
        ]
        return cls(np.repeat(np.array(responses)[:, None], num_positions, axis=1))

    def __add__(self, other: "Rooms") -> "Rooms":
        """Return the rooms of both banks."""
        shapes = [(rooms.num_positions, rooms.num_samples) for rooms in (self, other)]
        if shapes[0] != shapes[1]:
            raise ValueError(
                "Rooms can only be added if they have as many positions and samples, "
                f"got {shapes[0]} and {shapes[1]}."
            )
        both = copy(self)
        both.num_rooms += other.num_rooms
        both.spectra = np.concatenate([self.spectra, other.spectra])
        return both

    def reverberate(
        self, dry: np.ndarray, room: int, positions: Sequence[int]
    ) -> np.ndarray:
        """Mix speakers in a room, each at a position of its own.

        Parameters
        ----------
        dry : (num_speakers, lead + num_samples) np.ndarray
            float32. Its `lead` = `self.num_samples` first samples are only heard
            through the tail they leave.
        room : int
        positions : (num_speakers,) sequence of int

        Returns
        -------
        mixture : (num_samples,) np.ndarray
        """
        lead = self.num_samples
        step = BLOCK - lead
        length = dry.shape[1] - lead
        num_blocks = -(-length // step)
        mixture = np.zeros((num_blocks, BLOCK // 2 + 1), dtype=np.complex64)
        for signal, position in zip(dry, positions, strict=True):
            padded = np.zeros(num_blocks * step + lead, dtype=np.float32)
            padded[: len(signal)] = signal
            blocks = np.lib.stride_tricks.sliding_window_view(padded, BLOCK)[::step]
            heard = np.flatnonzero(blocks.any(axis=1))
            mixture[heard] += (
                scipy.fft.rfft(blocks[heard]) * self.spectra[room, position]
            )
        return scipy.fft.irfft(mixture, BLOCK)[:, lead:].reshape(-1)[:length]


def coloured_noise(
    num_samples: int, slope: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw noise whose power falls by `slope` times 3 dB per octave (1: pink)."""
    spectrum = scipy.fft.rfft(rng.standard_normal(num_samples, dtype=np.float32))
    frequency = np.maximum(np.arange(len(spectrum), dtype=np.float32), 1.0)
    noise = scipy.fft.irfft(spectrum * frequency ** (-slope / 2), num_samples)
    return (noise / noise.std()).astype(np.float32)


def read_noises(
    paths: Iterable[str | Path], sample_rate: int = 16000
) -> list[np.ndarray]:
    """Read recordings, and folders of them, as (num_samples,) int16 arrays."""
    noises = []
    for path in list_audio(paths):
        waveform, _ = read_audio(path, sample_rate)
        noises.append((waveform[0] * (2**15 - 1)).clip(-(2**15), 2**15 - 1).short())
    return [noise.numpy() for noise in noises]


def crop_noise(
    noises: Sequence[np.ndarray], num_samples: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw a stretch of one of some recordings, repeated if too short.

    Returns
    -------
    noise : (num_samples,) np.ndarray
        float32, of unit level (zero if the recording is silent there).
    """
    noise = noises[int(rng.integers(len(noises)))]
    spare = len(noise) - num_samples
    start = int(rng.integers(spare + 1 if spare >= 0 else len(noise)))
    crop = noise[start : start + num_samples].astype(np.float32)
    if len(crop) < num_samples:
        crop = np.resize(np.roll(noise, -start), num_samples).astype(np.float32)
    level = np.sqrt(np.mean(np.square(crop)))
    return crop / level if level > 0 else crop


def equalise(
    waveform: np.ndarray,
    tilt: float = 0.0,
    band: tuple[float, float] | None = None,
    sample_rate: int = 16000,
) -> np.ndarray:
    """Filter without delay.

    Parameters
    ----------
    waveform : (num_samples,) np.ndarray
    tilt : float, optional
        Gain in dB per octave around 1 kHz. Defaults to 0.
    band : (low, high), optional
        Frequencies in Hz that pass. Defaults to all of them.
    sample_rate : int, optional
        Defaults to 16000.
    """
    num_samples = scipy.fft.next_fast_len(len(waveform), real=True)
    spectrum = scipy.fft.rfft(waveform, num_samples)
    # 256 points are smooth enough for the filter to be short
    grid = np.linspace(0, sample_rate / 2, 257)
    gain = tilt * np.log2(np.clip(grid, 60, None) / 1000)
    if band is not None:
        low, high = band
        gain -= 24 * np.log2(np.maximum(low / np.maximum(grid, 20), 1))
        gain -= 60 * np.log2(np.maximum(grid / high, 1))
    frequency = np.linspace(0, sample_rate / 2, len(spectrum))
    response = np.interp(frequency, grid, 10 ** (gain / 20)).astype(np.float32)
    return scipy.fft.irfft(spectrum * response, num_samples)[: len(waveform)]
