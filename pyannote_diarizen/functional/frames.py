# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Activity of speakers on frames, from the start and end of turns, and the reverse.

Frame i has its centre at `duration / 2 + i * step`. Two rules exist:

- "centre", ours: a frame is active if `start <= centre < end`.
- "nearest", of DiariZen and pyannote.audio: active frames go from the one whose centre
  is nearest to `start` to the one whose centre is nearest to `end`, both included.

"centre" is right: a turn covers `(end - start) / step` frames on average, and turns
that meet share no frame. "nearest" adds one frame to each turn, half of it at each
border, and an overlap of one frame where turns meet. It serves to compare with the
original only.
"""

from typing import Literal

import numpy as np

PRECISION = 1e-4
"""Seconds; a centre this close to a border is on the border.

pyannote.audio stores times in float32, which rounds by up to this after half an hour.
"""


def draw_turns(
    starts: np.ndarray,
    ends: np.ndarray,
    speakers: np.ndarray,
    shape: tuple[int, int],
    duration: float,
    step: float,
    rule: Literal["centre", "nearest"] = "centre",
) -> np.ndarray:
    """Draw turns on frames.

    Parameters
    ----------
    starts, ends : (num_turns,) np.ndarray
        Seconds after the start of the first frame.
    speakers : (num_turns,) np.ndarray
        Index of the speaker of each turn.
    shape : (num_frames, num_speakers)
    duration, step : float
        Duration of a frame, and time from one frame to the next, in seconds.
    rule : {"centre", "nearest"}, optional
        Defaults to "centre".

    Returns
    -------
    activity : (num_frames, num_speakers) np.ndarray
        uint8, 0 or 1.

    Examples
    --------
    >>> starts, ends = np.array([0.0, 0.5]), np.array([0.5, 1.0])
    >>> draw_turns(starts, ends, np.array([0, 1]), (4, 2), 0.25, 0.25).T
    array([[1, 1, 0, 0],
           [0, 0, 1, 1]], dtype=uint8)
    """
    if rule == "centre":
        centres = duration / 2 + step * np.arange(shape[0])  # (num_frames,)
        # index of the first centre at or after each border
        first = np.searchsorted(centres, starts - PRECISION)
        last = np.searchsorted(centres, ends - PRECISION)
    else:
        # index of the centre nearest to each border; the last one is included
        first = np.round((starts - duration / 2) / step).astype(int)
        last = np.round((ends - duration / 2) / step).astype(int) + 1
    activity = np.zeros(shape, dtype=np.uint8)
    for begin, end, speaker in zip(first, last, speakers, strict=True):
        # negative indices would count from the last frame
        activity[max(begin, 0) : max(end, 0), speaker] = 1
    return activity


def find_runs(active: np.ndarray) -> np.ndarray:
    """Find the runs of active frames.

    Parameters
    ----------
    active : (num_frames,) np.ndarray of bool

    Returns
    -------
    runs : (num_runs, 2) np.ndarray
        Index of the first frame of each run, and of the first one after it.

    Examples
    --------
    >>> find_runs(np.array([True, False, True, True])).tolist()
    [[0, 1], [2, 4]]
    """
    return np.flatnonzero(np.diff(active, prepend=False, append=False)).reshape(-1, 2)
