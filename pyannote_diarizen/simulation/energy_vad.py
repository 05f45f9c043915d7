# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Energy-based voice activity detection (VAD) in clean recordings of one speaker.

A *segment* is a stretch of speech without a pause of `MIN_PAUSE` or more. Simulated
conversations are labelled by segments, not by utterances, so that a pause inside an
utterance is labelled as silence.
"""

import numpy as np
from scipy.ndimage import uniform_filter1d

from pyannote_diarizen.functional.frames import find_runs

MIN_PAUSE = 0.25
"""Shortest pause, in seconds, that ends a segment."""
MIN_SPEECH = 0.15
"""Minimum duration of a segment, in seconds."""
MIN_SOUND = 0.05
"""Minimum duration of a sound inside a segment, in seconds; shorter ones are clicks."""
HEADROOM = 9.0
"""Minimum level of speech above the background, in dB."""


def detect_speech(
    waveform: np.ndarray, sample_rate: int = 16000, dynamic_range: float = 35.0
) -> np.ndarray:
    """Detect segments of speech by their energy.

    A frame of 10 ms is speech if its level is at most `dynamic_range` below the loud
    parts of the recording, and at least `HEADROOM` above its background.

    Parameters
    ----------
    waveform : (num_samples,) np.ndarray
        One speaker, close to the microphone, at any scale.
    sample_rate : int, optional
        Defaults to 16000.
    dynamic_range : float, optional
        In dB. Defaults to 35.

    Returns
    -------
    segments : (num_segments, 2) np.ndarray
        First sample, and last sample + 1, of each segment; sorted and disjoint. Silence
        has no segment.

    Examples
    --------
    >>> tone = np.sin(np.arange(16000))
    >>> detect_speech(np.concatenate([0 * tone, tone, 0 * tone])).tolist()
    [[15840, 32160]]
    """
    hop = sample_rate // 100
    num_frames = len(waveform) // hop
    frames = waveform[: num_frames * hop].reshape(num_frames, hop).astype(np.float32)
    energy = np.einsum("fs,fs->f", frames, frames) / hop  # (num_frames,)
    loud = np.percentile(energy, 95) if num_frames else 0.0
    if loud <= 0:
        return np.empty((0, 2), dtype=np.int64)
    # smoothing over 30 ms extends speech by 10 ms on both sides, which keeps onsets
    level = 10 * np.log10(uniform_filter1d(energy, 3, mode="nearest") / loud + 1e-10)
    # without a pause, the 5th percentile is speech and not background: hence the cap
    background = min(np.percentile(level, 5), -15.0 - HEADROOM)
    speech = level > max(-dynamic_range, background + HEADROOM)

    sounds = find_runs(speech) * hop  # (num_sounds, 2), first and last + 1
    sounds = sounds[np.diff(sounds)[:, 0] > MIN_SOUND * sample_rate]
    pauses = sounds[1:, 0] - sounds[:-1, 1] >= MIN_PAUSE * sample_rate
    starts = sounds[np.append(True, pauses)[: len(sounds)], 0]
    ends = sounds[np.append(pauses, True)[: len(sounds)], 1]
    segments = np.stack([starts, ends], axis=1)
    return segments[ends - starts >= MIN_SPEECH * sample_rate]
