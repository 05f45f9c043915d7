# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The embeddings of a file that are clustered, and what is known of each."""

from dataclasses import dataclass

import numpy as np
from pyannote.core import SlidingWindowFeature

from pyannote_diarizen.clustering.local_speakers import reliable_speakers
from pyannote_diarizen.clustering.sequences import follow_voices


@dataclass(frozen=True, eq=False)
class Selection:
    """Embeddings to cluster.

    Attributes
    ----------
    embeddings : (num_embeddings, dimension) np.ndarray of float64
    chunks, speakers : (num_embeddings,) np.ndarray
        Where they come from.
    speech : (num_embeddings,) np.ndarray
        Frames in which their speakers are active; 1 if that is not known.
    starts : (num_embeddings,) np.ndarray of bool or None
        Where a voice starts, if embeddings are in order of time.
    """

    embeddings: np.ndarray
    chunks: np.ndarray
    speakers: np.ndarray
    speech: np.ndarray
    starts: np.ndarray | None

    def __len__(self) -> int:
        """Count embeddings."""
        return len(self.embeddings)


def select(
    embeddings: np.ndarray,
    segmentations: SlidingWindowFeature | None,
    min_active_ratio: float,
    min_embeddings: int = 2,
    ordered: bool = False,
) -> Selection:
    """Select the embeddings to cluster.

    Parameters
    ----------
    embeddings, segmentations, min_active_ratio, min_embeddings
        See `reliable_speakers`.
    ordered : bool, optional
        Sort them in order of time, voice after voice. Needs `segmentations`, without
        which every embedding is a voice of its own. Defaults to False.

    Returns
    -------
    selection : Selection
    """
    chunks, speakers = reliable_speakers(
        embeddings, segmentations, min_active_ratio, min_embeddings
    )
    starts = np.ones(len(chunks), dtype=bool) if ordered else None
    if ordered and segmentations is not None:
        order, starts = follow_voices(segmentations, chunks, speakers)
        chunks, speakers = chunks[order], speakers[order]
    speech = np.ones(len(chunks))
    if segmentations is not None:
        speech = segmentations.data.sum(axis=1, dtype=float)[chunks, speakers]
    selected = embeddings[chunks, speakers].astype(np.float64)
    return Selection(selected, chunks, speakers, speech, starts)
