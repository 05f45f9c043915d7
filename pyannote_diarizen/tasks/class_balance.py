# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Share of time with no speaker, one speaker, or several at once, in training data.

Class weights of the loss derive from these shares, as rare classes need higher weights.
"""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np
from pyannote.audio.core.task import Subsets

from pyannote_diarizen.functional.frames import draw_turns

STEP = 0.01
"""Seconds from one counted frame to the next: labels are not more precise."""


def seconds_by_num_speakers(
    turns: Iterable[tuple[float, float, str | int]],
    regions: Iterable[tuple[float, float]],
    max_num_speakers: int,
) -> np.ndarray:
    """Measure how long each number of speakers is active in one recording.

    Parameters
    ----------
    turns : iterable of (start, end, speaker)
        In seconds. Turns of one speaker may overlap.
    regions : iterable of (start, end)
        Annotated regions. Time outside of them does not count.
    max_num_speakers : int
        Higher numbers count as this one.

    Returns
    -------
    seconds : (max_num_speakers + 1,) np.ndarray
        Duration with 0, 1, ... speakers.

    Examples
    --------
    >>> seconds_by_num_speakers([(1, 3, "A"), (2, 4, "B")], [(0, 10)], 2)
    array([7., 2., 1.])
    """
    annotated = np.array([*regions], dtype=float).reshape(-1, 2)  # (num_regions, 2)
    num_frames = int(np.ceil(annotated.max(initial=0.0) / STEP))
    index: dict[str | int, int] = {}
    times, speakers = [], []
    for start, end, speaker in turns:
        times.append((start, end))
        speakers.append(index.setdefault(speaker, len(index)))
    starts, ends = np.array(times, dtype=float).reshape(-1, 2).T  # (num_turns,)
    shape = num_frames, len(index)
    activity = draw_turns(starts, ends, np.array(speakers, int), shape, STEP, STEP)
    # regions are drawn by the same rule, as turns of one speaker
    starts, ends = annotated.T
    column = np.zeros(len(annotated), dtype=int)
    inside = draw_turns(starts, ends, column, (num_frames, 1), STEP, STEP)[:, 0]
    num_active = activity.sum(axis=1, dtype=int)[inside == 1]
    num_active = np.minimum(num_active, max_num_speakers)
    return np.bincount(num_active, minlength=max_num_speakers + 1) * STEP


def shares_in_recordings(
    prepared_data: Mapping[str, Any], max_num_speakers: int
) -> np.ndarray:
    """Share of the training set with each number of speakers.

    Parameters
    ----------
    prepared_data : Mapping
        Data of a segmentation task of pyannote.audio.
    max_num_speakers : int
        Higher numbers count as this one.

    Returns
    -------
    shares : (max_num_speakers + 1,) np.ndarray
        Share of time with 0, 1, ... speakers; the sum is 1.
    """
    seconds = np.zeros(max_num_speakers + 1)
    subset = prepared_data["audio-metadata"]["subset"]
    for file in np.flatnonzero(subset == Subsets.index("train")):
        start, end = prepared_data["audio-segments-ids"][file]
        turns = prepared_data["annotations-segments"][start:end]
        start, end = prepared_data["audio-regions-ids"][file]
        regions = prepared_data["annotations-regions"][start:end]
        seconds += seconds_by_num_speakers(
            turns[["start", "end", "file_label_idx"]].tolist(),
            zip(regions["start"], regions["start"] + regions["duration"], strict=True),
            max_num_speakers,
        )
    return seconds / seconds.sum()


def shares_in_chunks(
    activities: Iterable[np.ndarray], max_num_speakers: int
) -> np.ndarray:
    """Share of frames with each number of speakers.

    Parameters
    ----------
    activities : iterable of (num_frames, num_speakers) np.ndarray
        1 where a speaker is active, else 0.
    max_num_speakers : int
        Higher numbers count as this one.

    Returns
    -------
    shares : (max_num_speakers + 1,) np.ndarray
        Share of frames with 0, 1, ... speakers; the sum is 1.
    """
    num_active = np.concatenate([activity.sum(axis=1) for activity in activities])
    num_active = np.minimum(num_active.astype(int), max_num_speakers)
    return np.bincount(num_active, minlength=max_num_speakers + 1) / len(num_active)
