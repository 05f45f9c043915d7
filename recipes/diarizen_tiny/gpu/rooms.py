# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""RIRs of shoebox rooms: image sources [1]_, then a decaying tail.

References
----------
.. [1] J. B. Allen, D. A. Berkley, "Image method for efficiently simulating small-room
   acoustics", JASA 1979.
"""

import numpy as np
import scipy.signal
from gpu.conversations import SAMPLE_RATE

SOUND = 343.0
"""Metres per second."""
EARLY = 0.06
"""Seconds for which reflections are computed one by one."""
ORDER = 4
"""Images in each direction: enough for that time in rooms of 2.5 m."""
CROSSOVER = 1500.0
"""Hertz between the low and the high band, which walls absorb differently."""


def simulate_rooms(
    num_rooms: int, num_positions: int, num_samples: int = 8192, seed: int = 0
) -> np.ndarray:
    """Draw rooms with one microphone and several positions of speakers.

    Returns
    -------
    responses : (num_rooms, num_positions, num_samples) np.ndarray
        float32; each begins with its direct path and has unit energy.
    """
    rng = np.random.default_rng(seed)
    return np.stack(
        [simulate_room(num_positions, num_samples, rng) for _ in range(num_rooms)]
    )


def simulate_room(
    num_positions: int, num_samples: int, rng: np.random.Generator
) -> np.ndarray:
    """Draw one room: (num_positions, num_samples)."""
    size = rng.uniform([2.5, 2.5, 2.3], [9.0, 7.0, 3.6])
    rt60 = np.exp(rng.uniform(np.log(0.15), np.log(0.9)))
    high_rt60 = rt60 * rng.uniform(0.5, 1.0)
    microphone = rng.uniform([0.4, 0.4, 0.6], size - [0.4, 0.4, 0.5])
    low_pass = scipy.signal.firwin(65, CROSSOVER, fs=SAMPLE_RATE)
    high_pass = -low_pass
    high_pass[32] += 1
    rows = []
    for _ in range(num_positions):
        source = _draw_source(size, microphone, rng)
        bands = [
            _band(size, source, microphone, seconds, num_samples, facing, rng)
            for seconds, facing in ((rt60, 1.0), (high_rt60, rng.uniform(0.35, 1.0)))
        ]
        row = sum(
            scipy.signal.fftconvolve(band, filter_)[32 : 32 + num_samples]
            for band, filter_ in zip(bands, (low_pass, high_pass), strict=True)
        )
        rows.append(row / np.linalg.norm(row))
    return np.array(rows, dtype=np.float32)


def _draw_source(
    size: np.ndarray, microphone: np.ndarray, rng: np.random.Generator
) -> np.ndarray:
    """Position of a speaker, 0.3 to about 5 m from the microphone."""
    for _ in range(50):
        distance = np.exp(rng.uniform(np.log(0.3), np.log(5.0)))
        angle = rng.uniform(0, 2 * np.pi)
        place = microphone + distance * np.array([np.cos(angle), np.sin(angle), 0])
        place[2] = rng.uniform(1.0, 1.8)
        if (place > 0.3).all() and (place < size - 0.3).all():
            return place
    return rng.uniform([0.3, 0.3, 1.0], [size[0] - 0.3, size[1] - 0.3, 1.8])


def _band(
    size: np.ndarray,
    source: np.ndarray,
    microphone: np.ndarray,
    rt60: float,
    num_samples: int,
    facing: float,
    rng: np.random.Generator,
) -> np.ndarray:
    """Response in one band; `facing` is the gain of the direct path."""
    volume = size.prod()
    surface = 2 * (size[0] * size[1] + size[1] * size[2] + size[0] * size[2])
    # Eyring
    reflection = np.exp(-0.5 * 24 * np.log(10) / SOUND * volume / (surface * rt60))
    steps = np.arange(-ORDER, ORDER + 1)
    axes = []
    for axis in range(3):
        even = 2 * steps * size[axis] + source[axis]
        odd = 2 * steps * size[axis] - source[axis]
        offset = np.concatenate([even, odd]) - microphone[axis]
        bounces = np.concatenate([np.abs(2 * steps), np.abs(2 * steps - 1)])
        axes.append((offset, bounces))
    (x, nx), (y, ny), (z, nz) = axes
    distance = np.sqrt(
        x[:, None, None] ** 2 + y[None, :, None] ** 2 + z[None, None, :] ** 2
    ).ravel()
    bounces = (nx[:, None, None] + ny[None, :, None] + nz[None, None, :]).ravel()
    direct = distance.min()
    gain = direct / distance * reflection**bounces
    gain[bounces == 0] *= facing
    # furniture scatters late reflections
    gain *= np.where(bounces > 1, rng.choice([-1, 1], len(gain)), 1)
    delay = np.rint((distance - direct) / SOUND * SAMPLE_RATE).astype(int)
    transition = round(EARLY * SAMPLE_RATE)
    early = delay < transition
    response = np.bincount(delay[early], gain[early], num_samples)[:num_samples]
    time = (np.arange(num_samples) + direct / SOUND * SAMPLE_RATE) / SAMPLE_RATE
    power = 4 * np.pi * direct**2 * SOUND / (volume * SAMPLE_RATE)
    tail = np.sqrt(power) * 10 ** (-3 * time / rt60) * rng.standard_normal(num_samples)
    rise = np.clip(
        (np.arange(num_samples) - 0.6 * transition) / (0.4 * transition), 0, 1
    )
    return response * np.sqrt(1 - rise) + tail * np.sqrt(rise)
