# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""How long nobody, one speaker, or several at once speak in annotated recordings."""

from collections.abc import Iterable

import numpy as np

RESOLUTION = 0.01
"""In seconds: labels of conversations are not that precise."""


def seconds_by_num_speakers(
    turns: Iterable[tuple[float, float, str | int]],
    regions: Iterable[tuple[float, float]],
    max_num_speakers: int,
) -> np.ndarray:
    """Measure for how long as many speakers speak at once.

    Parameters
    ----------
    turns : iterable of (start, end, speaker)
        Those of one recording, in seconds. Turns of a speaker may overlap.
    regions : iterable of (start, end)
        What was annotated. Turns elsewhere do not count.
    max_num_speakers : int
        More count as that many.

    Returns
    -------
    seconds : (max_num_speakers + 1,) np.ndarray

    Examples
    --------
    >>> seconds_by_num_speakers([(1, 3, "A"), (2, 4, "B")], [(0, 10)], 2)
    array([7., 2., 1.])
    """
    annotated = [_frames(*region) for region in regions]
    num_frames = max((frames.stop for frames in annotated), default=0)
    is_annotated = np.zeros(num_frames, dtype=bool)
    for frames in annotated:
        is_annotated[frames] = True
    turns_of: dict[str | int, list[slice]] = {}
    for start, end, speaker in turns:
        turns_of.setdefault(speaker, []).append(_frames(start, end))
    num_active = np.zeros(num_frames, dtype=np.int16)
    for all_frames in turns_of.values():
        active = np.zeros(num_frames, dtype=bool)
        for frames in all_frames:
            active[frames] = True
        num_active += active
    num_active = np.minimum(num_active[is_annotated], max_num_speakers)
    return np.bincount(num_active, minlength=max_num_speakers + 1) * RESOLUTION


def _frames(start: float, end: float) -> slice:
    return slice(max(0, round(start / RESOLUTION)), max(0, round(end / RESOLUTION)))
