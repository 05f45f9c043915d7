# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Room impulse responses (RIRs), noises and channels.

Simulated RIRs are not ray-traced: they have a direct path, sparse early reflections and
a noise tail with exponential decay (J. A. Moorer, "About This Reverberation Business",
Computer Music Journal, 1979). Each RIR begins with its direct path, so that
reverberated speech stays aligned with its labels.
"""

from collections.abc import Iterable, Sequence
from copy import copy
from pathlib import Path

import numpy as np
import scipy.fft

from pyannote_diarizen.audio.reader import list_audio, read_audio, to_int16

BLOCK = 2**15
"""Samples per Fourier transform of the overlap-save convolution."""


def simulate_rir(
    rt60: float,
    direct_to_reverberant: float,
    rng: np.random.Generator,
    num_samples: int = 8192,
    sample_rate: int = 16000,
) -> np.ndarray:
    """Simulate the RIR of a random room.

    Parameters
    ----------
    rt60 : float
        Seconds until the tail has decayed by 60 dB.
    direct_to_reverberant : float
        Energy of the direct path relative to the rest of the RIR, in dB.
    rng : np.random.Generator
    num_samples : int, optional
        Defaults to 8192.
    sample_rate : int, optional
        Defaults to 16000.

    Returns
    -------
    rir : (num_samples,) np.ndarray
        float32, 1 at sample 0.
    """
    time = np.arange(num_samples) / sample_rate  # (num_samples,)
    # amplitude exp(-decay * t): 60 dB, a factor of 1000, at t = rt60
    decay = np.log(1e3) / rt60
    low, high = rng.standard_normal((2, num_samples))
    # air and walls absorb high frequencies faster: their decay time is 0.6 rt60
    tail = np.convolve(low, [0.25, 0.5, 0.25], mode="same") * np.exp(-decay * time)
    tail += 0.5 * np.diff(high, prepend=0.0) * np.exp(-decay * time / 0.6)
    # reflections become dense over the first 30 ms, so the tail fades in
    tail *= np.minimum(time / 0.03, 1.0)

    delays = rng.uniform(0.001, 0.05, size=rng.integers(6, 16))
    signs = rng.choice([-1.0, 1.0], size=len(delays))
    # early reflections: random delays and signs, 1 / distance and decay
    reflections = np.zeros(num_samples)
    reflections[(delays * sample_rate).astype(int)] = (
        signs * np.exp(-decay * delays) / (1 + 100 * delays)
    )
    rir = reflections / np.linalg.norm(reflections) + tail / np.linalg.norm(tail)
    # the direct path has energy 1, hence the rest 10^(-ratio / 10)
    rir *= 10 ** (-direct_to_reverberant / 20) / np.linalg.norm(rir)
    rir[0] = 1.0
    return rir.astype(np.float32)


def read_rir(
    path: str | Path, num_samples: int = 8192, sample_rate: int = 16000
) -> np.ndarray:
    """Read a measured RIR, from its direct path on.

    Returns
    -------
    rir : (num_samples,) np.ndarray
        float32, 1 at sample 0, faded out at the end.
    """
    waveform, _ = read_audio(path, sample_rate, channel=0)
    rir = waveform[0].numpy()
    direct = int(np.abs(rir).argmax())  # the loudest sample is the direct path
    if rir[direct] == 0:
        raise ValueError(f"{path} is silent: expected the impulse response of a room.")
    rir = rir[direct : direct + num_samples] / rir[direct]
    rir = np.pad(rir, (0, num_samples - len(rir)))
    fade = num_samples // 8
    rir[-fade:] *= np.linspace(1, 0, fade, dtype=np.float32)
    return rir


class Rooms:
    """Bank of RIRs, stored as spectra.

    Parameters
    ----------
    rirs : (num_rooms, num_positions, num_samples) np.ndarray
        float32; each RIR begins with its direct path.
    """

    def __init__(self, rirs: np.ndarray) -> None:
        if rirs.ndim != 3 or rirs.shape[2] > BLOCK // 2:
            raise ValueError(
                "`rirs` should be (num_rooms, num_positions, num_samples), at "
                f"most {BLOCK // 2} samples, got {rirs.shape}."
            )
        self.num_rooms, self.num_positions, self.num_samples = rirs.shape
        self.spectra = scipy.fft.rfft(rirs.astype(np.float32), BLOCK)

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
        """Simulate rooms, each with several positions of speakers.

        Parameters
        ----------
        num_rooms, num_positions : int, optional
            Default to 64 and 5.
        rt60 : (min, max), optional
            Range of decay times, in seconds. Defaults to 0.15 to 0.8.
        direct_to_reverberant : (min, max), optional
            Range of the mean of a room, in dB. Positions vary around it with a
            standard deviation of 3 dB. Defaults to -3 to 15.
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
                    simulate_rir(decay, ratio, rng, sample_rate=sample_rate)
                    for ratio in ratios
                ]
            )
        return cls(np.array(rooms))  # (num_rooms, num_positions, num_samples)

    @classmethod
    def read(
        cls,
        paths: Iterable[str | Path],
        num_positions: int = 5,
        sample_rate: int = 16000,
    ) -> "Rooms":
        """Read measured RIRs: one room per RIR, the same for all positions."""
        rirs = [read_rir(path, sample_rate=sample_rate) for path in list_audio(paths)]
        return cls(np.repeat(np.array(rirs)[:, None], num_positions, axis=1))

    def __add__(self, other: "Rooms") -> "Rooms":
        """Join two banks."""
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
        """Reverberate speakers, each at its own position, and add them.

        Parameters
        ----------
        dry : (num_speakers, lead + num_samples) np.ndarray
            float32. Of the first `lead` = `self.num_samples` samples, the mixture
            holds the reverberation only.
        room : int
        positions : (num_speakers,) sequence of int
            Position of each speaker.

        Returns
        -------
        mixture : (num_samples,) np.ndarray
        """
        # overlap-save: of each block, the first `lead` samples wrap around and are cut
        lead = self.num_samples
        step = BLOCK - lead
        length = dry.shape[1] - lead
        num_blocks = -(-length // step)  # rounded up
        # speakers are added as spectra, so that one inverse transform is enough
        mixture = np.zeros((num_blocks, BLOCK // 2 + 1), dtype=np.complex64)
        for signal, position in zip(dry, positions, strict=True):
            padded = np.zeros(num_blocks * step + lead, dtype=np.float32)
            padded[: len(signal)] = signal
            # (num_blocks, BLOCK), of which only those with speech are transformed
            blocks = np.lib.stride_tricks.sliding_window_view(padded, BLOCK)[::step]
            active = np.flatnonzero(blocks.any(axis=1))
            mixture[active] += (
                scipy.fft.rfft(blocks[active]) * self.spectra[room, position]
            )
        return scipy.fft.irfft(mixture, BLOCK)[:, lead:].reshape(-1)[:length]


def coloured_noise(
    num_samples: int, slope: float, rng: np.random.Generator
) -> np.ndarray:
    """Draw noise whose power falls by `slope` times 3 dB per octave (1: pink).

    Returns
    -------
    noise : (num_samples,) np.ndarray
        float32, standard deviation 1.
    """
    # power ~ frequency^-slope, hence amplitude ~ frequency^(-slope / 2)
    spectrum = scipy.fft.rfft(rng.standard_normal(num_samples, dtype=np.float32))
    frequency = np.maximum(np.arange(len(spectrum), dtype=np.float32), 1.0)
    noise = scipy.fft.irfft(spectrum * frequency ** (-slope / 2), num_samples)
    return (noise / noise.std()).astype(np.float32)


def read_noises(
    paths: Iterable[str | Path], sample_rate: int = 16000
) -> list[np.ndarray]:
    """Read audio files, and folders of them, as (num_samples,) int16 arrays."""
    return [
        to_int16(read_audio(path, sample_rate)[0][0].numpy())
        for path in list_audio(paths)
    ]


def crop_noise(
    noises: Sequence[np.ndarray], num_samples: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw an excerpt of one of the recordings, repeated if too short.

    Returns
    -------
    noise : (num_samples,) np.ndarray
        float32, with root mean square 1, or 0 if the excerpt is silent.
    """
    noise = noises[int(rng.integers(len(noises)))]
    spare = len(noise) - num_samples  # negative if the recording is too short
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
    """Tilt the spectrum and limit the band, without delay.

    Parameters
    ----------
    waveform : (num_samples,) np.ndarray
    tilt : float, optional
        Gain in dB per octave around 1 kHz. Defaults to 0.
    band : (low, high), optional
        Passband in Hz. Defaults to all frequencies.
    sample_rate : int, optional
        Defaults to 16000.
    """
    num_samples = scipy.fft.next_fast_len(len(waveform), real=True)
    spectrum = scipy.fft.rfft(waveform, num_samples)
    # 257 points over the spectrum keep the impulse response of the filter short
    grid = np.linspace(0, sample_rate / 2, 257)
    gain = tilt * np.log2(np.clip(grid, 60, None) / 1000)  # dB, 0 at 1 kHz
    if band is not None:
        # slopes of 24 dB per octave below the band, 60 dB above
        low, high = band
        gain -= 24 * np.log2(np.maximum(low / np.maximum(grid, 20), 1))
        gain -= 60 * np.log2(np.maximum(grid / high, 1))
    frequency = np.linspace(0, sample_rate / 2, len(spectrum))
    factors = np.interp(frequency, grid, 10 ** (gain / 20)).astype(np.float32)
    return scipy.fft.irfft(spectrum * factors, num_samples)[: len(waveform)]
