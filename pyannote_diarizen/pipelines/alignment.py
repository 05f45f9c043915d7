# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Chunks of kept features, by the turns of any diarization."""

import numpy as np
from pyannote.core import Annotation

from pyannote_diarizen.clustering.local_speakers import UNASSIGNED
from pyannote_diarizen.pipelines import segmentation as steps
from pyannote_diarizen.pipelines.features import Features
from pyannote_diarizen.pipelines.turn_finding import turn_frames


def chunk_owners(features: Features, diarization: Annotation) -> np.ndarray:
    """Assign the speakers of chunks to the speakers of a diarization.

    Parameters
    ----------
    features : Features
        Features of the file.
    diarization : Annotation
        Turns of speakers, by any method.

    Returns
    -------
    owners : (num_chunks, num_speakers) np.ndarray
        Index, among the labels of `diarization`, of the speaker in whose turns a
        speaker of a chunk is active in most frames; -2 if there is none.
    """
    segmentations, labels = features.binary_segmentations, diarization.labels()
    grid, first_frame = steps.place_chunks(segmentations, features.frames)
    owners = np.full(features.embedded.shape, UNASSIGNED)
    if not labels:
        return owners
    num_frames = segmentations.data.shape[1]
    spoken = turn_frames(diarization, labels, grid, first_frame[-1] + num_frames)
    spoken = spoken.astype(np.float32)  # products of integers are slow
    for chunk, first in enumerate(first_frame):
        active = segmentations.data[chunk].T.astype(np.float32)
        shared = active @ spoken[first : first + num_frames]  # (num_speakers, labels)
        owners[chunk] = np.where(shared.any(axis=1), shared.argmax(axis=1), UNASSIGNED)
    return owners
