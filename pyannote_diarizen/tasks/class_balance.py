# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""How many speak at once in what a task trains on."""

from collections.abc import Iterable, Mapping
from typing import Any

import numpy as np

from pyannote_diarizen.corpora.protocols import SUBSETS
from pyannote_diarizen.corpora.simultaneous import seconds_by_num_speakers


def shares_in_recordings(
    prepared_data: Mapping[str, Any], max_num_speakers: int
) -> np.ndarray:
    """Shares of the training set where nobody speaks, one speaker, two, and so on.

    Parameters
    ----------
    prepared_data : Mapping
        Of a segmentation task of the host.
    max_num_speakers : int
        More count as that many.

    Returns
    -------
    shares : (max_num_speakers + 1,) np.ndarray
        They sum to 1.
    """
    seconds = np.zeros(max_num_speakers + 1)
    subset = prepared_data["audio-metadata"]["subset"]
    for file in np.flatnonzero(subset == SUBSETS.index("train")):
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
    """Shares of frames where nobody speaks, one speaker, two, and so on.

    Parameters
    ----------
    activities : iterable of (num_frames, num_speakers) np.ndarray
        1 where a speaker is active, else 0.
    max_num_speakers : int
        More count as that many.

    Returns
    -------
    shares : (max_num_speakers + 1,) np.ndarray
        They sum to 1.
    """
    num_active = np.concatenate([activity.sum(axis=1) for activity in activities])
    num_active = np.minimum(num_active.astype(int), max_num_speakers)
    return np.bincount(num_active, minlength=max_num_speakers + 1) / len(num_active)
