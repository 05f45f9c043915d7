# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Order in time of (chunk, speaker) embeddings, for clusterings that know of time.

Several people may speak in a chunk, at once or in turn, and chunks overlap: there is no
single order in which each embedding follows one other. So the voice of each speaker is
followed from chunk to chunk by the frames that two chunks share, and every voice is a
sequence of its own, as long as it lasts. Sequences run side by side where people do.
"""

import numpy as np
from pyannote.core import SlidingWindowFeature
from scipy.optimize import linear_sum_assignment


def follow_voices(
    segmentations: SlidingWindowFeature, chunks: np.ndarray, speakers: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Sort embeddings into sequences of the same voice, each in order of time.

    A speaker continues a speaker of the chunk before when they are active in the same
    frames, matched one to one so that they agree in as many frames as possible.

    Parameters
    ----------
    segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature
        Activity of speakers, 0 or 1.
    chunks, speakers : (num_embeddings,) np.ndarray
        Where embeddings come from, chunks in increasing order.

    Returns
    -------
    order : (num_embeddings,) np.ndarray of int
        Indices of embeddings, sequence after sequence.
    starts : (num_embeddings,) np.ndarray of bool
        Whether the embedding in that place of `order` is the first of its sequence.
    """
    data, window = segmentations.data, segmentations.sliding_window
    num_chunks, num_frames, num_speakers = data.shape
    shift = round(num_frames * window.step / window.duration)

    indices = np.full((num_chunks, num_speakers), -1)
    indices[chunks, speakers] = np.arange(len(chunks))
    sequences = np.arange(len(chunks))  # the first embedding of each one's sequence
    for chunk in range(1, num_chunks):
        shared = data[chunk - 1, shift:].T.astype(float) @ data[chunk, : -shift or None]
        # those that are not clustered can be followed no further
        shared[indices[chunk - 1] < 0] = shared[:, indices[chunk] < 0] = 0
        before, after = linear_sum_assignment(shared, maximize=True)
        same = shared[before, after] > 0
        before = indices[chunk - 1][before[same]]
        sequences[indices[chunk][after[same]]] = sequences[before]

    order = np.argsort(sequences, kind="stable")
    starts = np.diff(sequences[order], prepend=-1) != 0
    return order, starts
