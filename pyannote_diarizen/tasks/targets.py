# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Targets of real chunks: activity of each speaker in each frame.

They replace those of pyannote.audio, which has three faults in common with DiariZen:

- It rounds both ends of a turn to the nearest frame, which makes turns one frame too
  long on average; see `functional.frames`.
- A turn that ends well before the centre of the first frame has -2 as its last index,
  which counts from the end: the speaker is active in all frames but the last.
- Of a chunk with too many speakers, it keeps those with the highest activity by sorting
  negated unsigned sums. 0 stays 0 and comes first: silent speakers are kept.
"""

from collections.abc import Mapping
from typing import Any

import numpy as np
from pyannote.audio.core.task import Scopes
from pyannote.core import Segment, SlidingWindowFeature

from pyannote_diarizen.functional.frames import draw_turns


def most_talkative(activity: np.ndarray, num_speakers: int) -> np.ndarray:
    """Find the speakers with the most active frames.

    Parameters
    ----------
    activity : (num_frames, num_speakers) np.ndarray
        0 or 1.
    num_speakers : int
        Maximum number of speakers to keep.

    Returns
    -------
    kept : (num_kept,) np.ndarray
        Most active speaker first; in the given order if all are kept.

    Examples
    --------
    >>> activity = np.array([[0, 1, 1], [0, 0, 1]], dtype=np.uint8)
    >>> most_talkative(activity, 2)
    array([2, 1])
    """
    if activity.shape[1] <= num_speakers:
        return np.arange(activity.shape[1])
    # signed: the negative of an unsigned 0 is 0, which would be the smallest
    num_active = activity.sum(axis=0, dtype=np.int64)  # (num_speakers,)
    return np.argsort(-num_active, kind="stable")[:num_speakers]


def redraw(
    host: SlidingWindowFeature,
    prepared_data: Mapping[str, Any],
    file_id: int,
    chunk: Segment,
) -> SlidingWindowFeature:
    """Draw the targets of a chunk by the rule of `draw_turns`.

    Parameters
    ----------
    host : (num_frames, num_speakers) SlidingWindowFeature
        Targets of pyannote.audio, whose frames and labels are kept.
    prepared_data : Mapping
        Data of the task.
    file_id : int
        Index of the recording in `prepared_data`.
    chunk : Segment

    Returns
    -------
    targets : (num_frames, num_speakers) SlidingWindowFeature
    """
    first, last = prepared_data["audio-segments-ids"][file_id]
    turns = prepared_data["annotations-segments"][first:last]
    turns = turns[(turns["start"] < chunk.end) & (turns["end"] > chunk.start)]
    scope = Scopes[prepared_data["audio-metadata"][file_id]["scope"]]
    frames = host.sliding_window
    activity = draw_turns(
        np.maximum(turns["start"].astype(float), chunk.start) - chunk.start,
        np.minimum(turns["end"].astype(float), chunk.end) - chunk.start,
        np.searchsorted(host.labels, turns[f"{scope}_label_idx"]),
        host.data.shape,
        frames.duration,
        frames.step,
    )
    return SlidingWindowFeature(activity, frames, labels=host.labels)


def limit_speakers(
    targets: SlidingWindowFeature, num_speakers: int
) -> SlidingWindowFeature:
    """Keep the most active speakers of a chunk, see `most_talkative`."""
    kept = most_talkative(targets.data, num_speakers)
    labels = [targets.labels[column] for column in kept]
    return SlidingWindowFeature(
        targets.data[:, kept], targets.sliding_window, labels=labels
    )
