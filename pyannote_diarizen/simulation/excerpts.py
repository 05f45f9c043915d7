# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""A few seconds of one speaker at a time: what speaker embeddings are trained on.

Short utterances of a speaker are joined and long ones cut, so that all excerpts but the
last of each speaker have the same duration. Excerpts can be played faster or slower:
pitch and formants move as well, which makes another speaker of the same voice
(T. Ko et al., "Audio Augmentation for Speech Recognition", Interspeech 2015).
"""

from dataclasses import dataclass
from fractions import Fraction

import numpy as np
import torch
import torchaudio.functional

from pyannote_diarizen.simulation.speech import SpeechPool


@dataclass(frozen=True)
class Excerpt:
    """Stretches of speech of one speaker, to be joined.

    Parameters
    ----------
    speaker : int
        Index in the `speakers` of the pool.
    pieces : tuple of (start, end)
        In samples of the pool.
    """

    speaker: int
    pieces: tuple[tuple[int, int], ...]

    @property
    def num_samples(self) -> int:
        """Number of samples once joined."""
        return sum(end - start for start, end in self.pieces)


def cut_excerpts(
    pool: SpeechPool, duration: float, min_duration: float
) -> list[Excerpt]:
    """Share the utterances of each speaker out among excerpts.

    Parameters
    ----------
    pool : SpeechPool
    duration : float
        Of excerpts, in seconds.
    min_duration : float
        What is left of a speaker is dropped if shorter, in seconds.

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
    """Join the pieces of an excerpt, and play them at some speed.

    Parameters
    ----------
    pool : SpeechPool
    excerpt : Excerpt
    speed : float, optional
        Above 1 is faster and higher. Defaults to 1.
    start : int, optional
        First sample, counted at this speed. Defaults to 0.
    num_samples : int, optional
        Defaults to all that follow.

    Returns
    -------
    waveform : (num_samples,) np.ndarray
        float32, between -1 and 1; shorter when the excerpt ends sooner.
    """
    ratio = Fraction(speed).limit_denominator(100)
    first = int(start * ratio)
    last = excerpt.num_samples
    if num_samples is not None:
        # what the resampled crop needs, rounded up
        last = min(last, first - int(-num_samples * ratio // 1))
    joined = np.concatenate([pool.samples[s:e] for s, e in excerpt.pieces])
    waveform = joined[first:last].astype(np.float32) * np.float32(2**-15)
    if ratio != 1:
        waveform = torchaudio.functional.resample(
            torch.from_numpy(waveform), ratio.numerator, ratio.denominator
        ).numpy()
    return waveform if num_samples is None else waveform[:num_samples]
