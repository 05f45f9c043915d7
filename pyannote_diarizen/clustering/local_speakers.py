# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""What clusterings do with the speakers of a chunk, before and after they cluster.

Before, they choose those whose embeddings are worth it; after, they give all those who
speak to clusters.
"""

import numpy as np
from pyannote.core import SlidingWindowFeature
from scipy.optimize import linear_sum_assignment

UNASSIGNED = -2


def active_speakers(
    embeddings: np.ndarray, segmentations: SlidingWindowFeature | None
) -> np.ndarray:
    """Tell who speaks in which chunk.

    Parameters
    ----------
    embeddings : (num_chunks, num_speakers, dimension) np.ndarray
    segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature
        Activity of speakers, 0 or 1. Everybody is active if None.

    Returns
    -------
    active : (num_chunks, num_speakers) np.ndarray of bool

    Raises
    ------
    ValueError
        If shapes disagree.
    """
    num_chunks, num_speakers, _ = embeddings.shape
    if segmentations is None:
        return np.ones((num_chunks, num_speakers), dtype=bool)
    shape = segmentations.data.shape
    if (shape[0], shape[2]) != (num_chunks, num_speakers):
        raise ValueError(
            "`segmentations` should be (num_chunks, num_frames, num_speakers) for as "
            "many chunks and speakers as `embeddings` (num_chunks, num_speakers, "
            f"dimension), got {shape} and {embeddings.shape}."
        )
    return np.asarray(_frames_last(segmentations).any(axis=2))


def _frames_last(segmentations: SlidingWindowFeature) -> np.ndarray:
    """Copy as (num_chunks, num_speakers, num_frames): ten times as fast to sum up."""
    return np.ascontiguousarray(segmentations.data.swapaxes(1, 2))


def speakers_together(chunks: np.ndarray, share: float) -> int:
    """Count the speakers who meet often: they are different people.

    Parameters
    ----------
    chunks : (num_speakers,) np.ndarray of int
        Chunk of each speaker of each chunk, see `reliable_speakers`.
    share : float
        Of the chunks with a speaker in them, above 0.

    Returns
    -------
    count : int
        As many speakers are in at least that share of the chunks.

    Examples
    --------
    >>> speakers_together(np.array([0, 1, 1, 4, 4, 5]), share=0.5)
    2
    """
    counts = np.bincount(chunks)
    counts = np.sort(counts[counts > 0])[::-1]
    return int(counts[max(0, int(np.ceil(share * len(counts))) - 1)])


def reliable_speakers(
    embeddings: np.ndarray,
    segmentations: SlidingWindowFeature | None,
    min_active_ratio: float,
    min_embeddings: int = 2,
) -> tuple[np.ndarray, np.ndarray]:
    """Choose the speakers whose embeddings are worth clustering.

    They are alone during a share of the chunk, so that the embedding is theirs.

    Parameters
    ----------
    embeddings : (num_chunks, num_speakers, dimension) np.ndarray
        Those that could not be computed, not finite or zero, are never chosen.
    segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature
        Activity of speakers, 0 or 1. Everybody is active, alone, if None.
    min_active_ratio : float
        Share of the frames of a chunk, rounded to a number of frames.
    min_embeddings : int, optional
        If fewer speakers than that (or fewer than 2) are alone long enough, take all
        those that are active.

    Returns
    -------
    chunks, speakers : (num_selected,) np.ndarray
        Where to find them.
    """
    usable = active_speakers(embeddings, segmentations)
    usable &= np.isfinite(embeddings).all(axis=2) & embeddings.any(axis=2)
    if segmentations is not None:
        activity = _frames_last(segmentations)
        activity *= activity.sum(axis=1, keepdims=True, dtype=np.uint8) == 1
        clean = activity.sum(axis=2)
        num_frames = segmentations.data.shape[1]
        reliable = usable & (clean >= round(min_active_ratio * num_frames))
        if np.sum(reliable) >= max(min_embeddings, 2):
            usable = reliable
    chunks, speakers = np.nonzero(usable)
    return chunks, speakers


def one_to_one(
    soft_clusters: np.ndarray, competing: np.ndarray | None = None
) -> np.ndarray:
    """Assign speakers of a chunk to different clusters, as well as possible.

    Parameters
    ----------
    soft_clusters : (num_chunks, num_speakers, num_clusters) np.ndarray
        The higher, the better the speaker fits the cluster. NaN counts as the worst.
    competing : (num_chunks, num_speakers) np.ndarray of bool, optional
        Speakers to assign. Defaults to all.

    Returns
    -------
    hard_clusters : (num_chunks, num_speakers) np.ndarray of int32
        -2 for speakers who do not compete or find no cluster.
    """
    shape = soft_clusters.shape[:2]
    worst = np.nanmin(soft_clusters, initial=2)
    soft_clusters = np.nan_to_num(soft_clusters, nan=worst)
    competing = np.ones(shape, dtype=bool) if competing is None else competing
    hard_clusters = np.full(shape, UNASSIGNED, dtype=np.int32)
    for scores, rows, hard in zip(soft_clusters, competing, hard_clusters, strict=True):
        (speakers,) = np.nonzero(rows)
        assigned, clusters = linear_sum_assignment(scores[speakers], maximize=True)
        hard[speakers[assigned]] = clusters
    return hard_clusters


def number_unassigned(
    hard_clusters: np.ndarray, soft_clusters: np.ndarray, centroids: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count the unassigned as one more cluster, the first, as DiariZen does.

    Parameters
    ----------
    hard_clusters : (num_chunks, num_speakers) np.ndarray
        Cluster of each speaker, -2 if none.
    soft_clusters : (num_chunks, num_speakers, num_clusters) np.ndarray
    centroids : (num_clusters, dimension) np.ndarray

    Returns
    -------
    hard_clusters : (num_chunks, num_speakers) np.ndarray
        Numbers from 0 without a gap; -2, if anywhere, has become 0.
    soft_clusters, centroids : np.ndarray
        Of the clusters that have speakers; NaN and zeros where those were -2.

    Examples
    --------
    >>> hard = np.array([[0, -2], [2, 0]])
    >>> number_unassigned(hard, np.ones((2, 2, 3)), np.ones((3, 1)))[0]
    array([[1, 0],
           [2, 1]])
    """
    found, numbers = np.unique(hard_clusters, return_inverse=True)
    real = found != UNASSIGNED
    soft = np.full((*hard_clusters.shape, len(found)), np.nan)
    soft[:, :, real] = soft_clusters[:, :, found[real]]
    renumbered = np.zeros((len(found), centroids.shape[1]))
    renumbered[real] = centroids[found[real]]
    return numbers.reshape(hard_clusters.shape), soft, renumbered
