# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Excerpts of a few seconds of one speaker, to train speaker embeddings on.

Short utterances of a speaker are joined and long ones are cut, so that all excerpts of
a speaker, except the last one, have the same duration. Speed perturbation (T. Ko et
al., "Audio Augmentation for Speech Recognition", Interspeech 2015) also changes pitch
and formants: an excerpt at another speed counts as another speaker.
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch

from pyannote_diarizen.audio.resampling import Resampling
from pyannote_diarizen.simulation.speech import SpeechPool


@dataclass(frozen=True)
class Excerpt:
    """Pieces of speech of one speaker, to be joined.

    Parameters
    ----------
    speaker : int
        Index in the `speakers` of the pool.
    pieces : tuple of (start, end)
        First sample, and last sample + 1, of each piece in the pool.
    """

    speaker: int
    pieces: tuple[tuple[int, int], ...]

    @property
    def num_samples(self) -> int:
        """Number of samples of all pieces."""
        return sum(end - start for start, end in self.pieces)


def cut_excerpts(
    pool: SpeechPool, duration: float, min_duration: float
) -> list[Excerpt]:
    """Divide the utterances of each speaker into excerpts.

    Parameters
    ----------
    pool : SpeechPool
    duration : float
        Duration of an excerpt, in seconds.
    min_duration : float
        Minimum duration of the last excerpt of a speaker, in seconds.

    Returns
    -------
    excerpts : list of Excerpt
        Sorted by speaker.
    """
    size = round(duration * pool.sample_rate)
    min_size = round(min_duration * pool.sample_rate)
    excerpts = []
    for speaker, utterances in enumerate(pool.utterances_of):
        pieces: list[tuple[int, int]] = []
        missing = size
        for start, end in pool.bounds[utterances].tolist():
            while start < end:
                length = min(end - start, missing)
                pieces.append((start, start + length))
                start += length
                missing -= length
                if missing == 0:
                    excerpts.append(Excerpt(speaker, tuple(pieces)))
                    pieces, missing = [], size
        if size - missing >= min_size:
            excerpts.append(Excerpt(speaker, tuple(pieces)))
    return excerpts


def read_excerpt(
    pool: SpeechPool,
    excerpt: Excerpt,
    speed: float = 1.0,
    start: int = 0,
    num_samples: int | None = None,
) -> np.ndarray:
    """Join the pieces of an excerpt and change their speed.

    Parameters
    ----------
    pool : SpeechPool
    excerpt : Excerpt
    speed : float, optional
        Above 1: faster, with a higher pitch. Defaults to 1.
    start : int, optional
        First sample to read, counted after the change of speed. Defaults to 0.
    num_samples : int, optional
        Maximum number of samples. Defaults to the rest of the excerpt.

    Returns
    -------
    waveform : (num_samples,) np.ndarray
        float32, between -1 and 1; shorter if the excerpt ends before.
    """
    ratio = Fraction(speed).limit_denominator(100)
    first = int(start * ratio)
    last = excerpt.num_samples
    if num_samples is not None:
        # number of samples before resampling, rounded up
        last = min(last, first - int(-num_samples * ratio // 1))
    joined = np.concatenate([pool.samples[s:e] for s, e in excerpt.pieces])
    waveform = joined[first:last].astype(np.float32) * np.float32(2**-15)
    change = Resampling(ratio.numerator, ratio.denominator)
    waveform = change(torch.from_numpy(waveform)).numpy()
    return waveform if num_samples is None else waveform[:num_samples]
