# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Where the speech is in clean recordings of one speaker.

A *phrase* is a stretch of speech without any pause above `MIN_PAUSE`. Phrases, not
utterances, become the labels of simulated conversations, so that a pause inside an
utterance is labelled silence.
"""

import numpy as np
from scipy.ndimage import uniform_filter1d

MIN_PAUSE = 0.25
"""Shortest pause, in seconds, that ends a phrase."""
MIN_PHRASE = 0.15
"""Shorter sounds, in seconds, stand alone only if they are not speech."""
MIN_SOUND = 0.05
"""Shorter ones are clicks, even close to speech."""
HEADROOM = 9.0
"""Level of speech above the background, in dB."""


def find_phrases(
    waveform: np.ndarray, sample_rate: int = 16000, dynamic_range: float = 35.0
) -> np.ndarray:
    """Stretches of speech, by energy.

    A frame of 10 ms is speech when its level is within `dynamic_range` of the loud
    parts of the recording, and well above its background.

    Parameters
    ----------
    waveform : (num_samples,) np.ndarray
        One speaker, close to the microphone, any scale.
    sample_rate : int, optional
        Defaults to 16000.
    dynamic_range : float, optional
        In dB. Defaults to 35.

    Returns
    -------
    phrases : (num_phrases, 2) np.ndarray
        First sample and one past the last, sorted, disjoint. Silence has none.

    Examples
    --------
    >>> tone = np.sin(np.arange(16000))
    >>> find_phrases(np.concatenate([0 * tone, tone, 0 * tone])).tolist()
    [[15840, 32160]]
    """
    hop = sample_rate // 100
    num_frames = len(waveform) // hop
    frames = waveform[: num_frames * hop].reshape(num_frames, hop).astype(np.float32)
    energy = np.einsum("fs,fs->f", frames, frames) / hop
    loud = np.percentile(energy, 95) if num_frames else 0.0
    if loud <= 0:
        return np.empty((0, 2), dtype=np.int64)
    # 30 ms of smoothing widens speech by 10 ms on both sides: onsets are kept
    level = 10 * np.log10(uniform_filter1d(energy, 3, mode="nearest") / loud + 1e-10)
    # speech without any pause has no background: hence the cap
    background = min(np.percentile(level, 5), -15.0 - HEADROOM)
    speech = level > max(-dynamic_range, background + HEADROOM)

    edges = np.diff(speech, prepend=False, append=False).nonzero()[0] * hop
    sounds = edges.reshape(-1, 2)
    sounds = sounds[np.diff(sounds)[:, 0] > MIN_SOUND * sample_rate]
    pauses = sounds[1:, 0] - sounds[:-1, 1] >= MIN_PAUSE * sample_rate
    starts = sounds[np.append(True, pauses)[: len(sounds)], 0]
    ends = sounds[np.append(pauses, True)[: len(sounds)], 1]
    phrases = np.stack([starts, ends], axis=1)
    return phrases[ends - starts >= MIN_PHRASE * sample_rate]
