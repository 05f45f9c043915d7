# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Who speaks in each frame of a chunk, where DiariZen and pyannote.audio get it wrong.

Both round the ends of turns to frames, and take a turn that ends well before the centre
of the first frame for one that lasts to the frame before the last: its index, -2,
counts from the end of the matrix. Both keep the most talkative speakers of a chunk that
holds too many by the negative of unsigned sums, by which those who are silent in all
frames are the most talkative.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from pyannote.audio.core.task import Scopes
from pyannote.core import Segment, SlidingWindow, SlidingWindowFeature


def activity(
    starts: np.ndarray,
    ends: np.ndarray,
    columns: np.ndarray,
    chunk: tuple[float, float],
    frames: SlidingWindow,
    shape: tuple[int, int],
) -> np.ndarray:
    """Draw turns on the frames of a chunk.

    Parameters
    ----------
    starts, ends : (num_turns,) np.ndarray
        In seconds. They meet the chunk.
    columns : (num_turns,) np.ndarray
        Of the speaker of each.
    chunk : (float, float)
        Its start and end.
    frames : SlidingWindow
        Receptive field of the first frame, from 0, and step to the next.
    shape : (num_frames, num_speakers)

    Returns
    -------
    activity : (num_frames, num_speakers) np.ndarray
        uint8, 0 or 1. A turn covers the frames whose centres are nearest to its start
        and to its end, and those in between.
    """
    half = 0.5 * frames.duration
    drawn = np.zeros(shape, dtype=np.uint8)
    first = np.round((np.maximum(starts, chunk[0]) - chunk[0] - half) / frames.step)
    last = np.round((np.minimum(ends, chunk[1]) - chunk[0] - half) / frames.step)
    for begin, end, column in zip(first, last, columns, strict=True):
        drawn[max(0, int(begin)) : max(-1, int(end)) + 1, column] = 1
    return drawn


def most_talkative(drawn: np.ndarray, num_speakers: int) -> np.ndarray:
    """Keep so many columns.

    Parameters
    ----------
    drawn : (num_frames, num_speakers) np.ndarray
        See `activity`.
    num_speakers : int

    Returns
    -------
    columns : (num_kept,) np.ndarray
        Of those who speak most, the most talkative one first; in order if all are kept.

    Examples
    --------
    >>> drawn = np.array([[0, 1, 1], [0, 0, 1]], dtype=np.uint8)
    >>> most_talkative(drawn, 2)
    array([2, 1])
    """
    if drawn.shape[1] <= num_speakers:
        return np.arange(drawn.shape[1])
    spoken = drawn.sum(axis=0, dtype=np.int64)
    return np.argsort(-spoken, kind="stable")[:num_speakers]


def redraw(
    host: SlidingWindowFeature,
    prepared_data: Mapping[str, Any],
    file_id: int,
    chunk: Segment,
) -> SlidingWindowFeature:
    """Draw the targets of a chunk again.

    Parameters
    ----------
    host : SlidingWindowFeature
        As pyannote.audio draws them.
    prepared_data : Mapping
        Of the task.
    file_id : int
    chunk : Segment

    Returns
    -------
    targets : SlidingWindowFeature
        Of the same frames and labels; see `activity`.
    """
    first, last = prepared_data["audio-segments-ids"][file_id]
    turns = prepared_data["annotations-segments"][first:last]
    turns = turns[(turns["start"] < chunk.end) & (turns["end"] > chunk.start)]
    scope = Scopes[prepared_data["audio-metadata"][file_id]["scope"]]
    drawn = activity(
        turns["start"],
        turns["end"],
        np.searchsorted(host.labels, turns[f"{scope}_label_idx"]),
        (chunk.start, chunk.end),
        host.sliding_window,
        host.data.shape,
    )
    return SlidingWindowFeature(drawn, host.sliding_window, labels=host.labels)


def limit_speakers(
    targets: SlidingWindowFeature, num_speakers: int
) -> SlidingWindowFeature:
    """Keep so many of the speakers of a chunk, see `most_talkative`."""
    kept = most_talkative(targets.data, num_speakers)
    labels = [targets.labels[column] for column in kept]
    return SlidingWindowFeature(
        targets.data[:, kept], targets.sliding_window, labels=labels
    )
