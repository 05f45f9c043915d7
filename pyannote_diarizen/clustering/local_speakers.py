# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Speakers of each chunk: selection before the clustering, assignment after it.

Arrays are (num_chunks, num_speakers, ...), where speakers are local to their chunk.
Embeddings of local speakers who are alone long enough are selected for the clustering;
afterwards all active local speakers are assigned to clusters.
"""

from dataclasses import dataclass

import numpy as np
from pyannote.core import SlidingWindowFeature
from scipy.optimize import linear_sum_assignment

UNASSIGNED = -2
"""Cluster of inactive and unassigned speakers, as in pyannote.audio."""


@dataclass(frozen=True, eq=False)
class Selection:
    """Embeddings to cluster.

    Attributes
    ----------
    embeddings : (num_embeddings, dimension) np.ndarray of float64
        Finite embeddings, none of them zero.
    chunks, speakers : (num_embeddings,) np.ndarray
        Chunk and local speaker of each embedding.
    speech : (num_embeddings,) np.ndarray
        Number of frames in which the speaker is active; 1 without segmentations.
    starts : (num_embeddings,) np.ndarray of bool or None
        First embedding of each sequence, if embeddings are in order of time.
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
        Sort embeddings in order of time, one sequence per speaker after the other;
        without `segmentations`, each embedding is a sequence. Defaults to False.

    Returns
    -------
    selection : Selection
    """
    chunks, speakers = reliable_speakers(
        embeddings, segmentations, min_active_ratio, min_embeddings
    )
    starts = np.ones(len(chunks), dtype=bool) if ordered else None
    if ordered and segmentations is not None:
        order, starts = speaker_sequences(segmentations, chunks, speakers)
        chunks, speakers = chunks[order], speakers[order]
    speech = np.ones(len(chunks))
    if segmentations is not None:
        num_active = _frames_last(segmentations).sum(axis=2, dtype=float)
        speech = num_active[chunks, speakers]
    selected = embeddings[chunks, speakers].astype(np.float64)
    return Selection(selected, chunks, speakers, speech, starts)


def active_speakers(
    embeddings: np.ndarray, segmentations: SlidingWindowFeature | None
) -> np.ndarray:
    """Find the speakers who are active in each chunk.

    Parameters
    ----------
    embeddings : (num_chunks, num_speakers, dimension) np.ndarray
        Embeddings of all local speakers.
    segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature
        Activity of speakers, 0 or 1. If None, all speakers are active.

    Returns
    -------
    active : (num_chunks, num_speakers) np.ndarray of bool
        True if the speaker is active in at least one frame.

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
    """Copy as (num_chunks, num_speakers, num_frames): sums are ten times as fast."""
    return segmentations.data.swapaxes(1, 2).copy(order="C")


def reliable_speakers(
    embeddings: np.ndarray,
    segmentations: SlidingWindowFeature | None,
    min_active_ratio: float,
    min_embeddings: int = 2,
) -> tuple[np.ndarray, np.ndarray]:
    """Find the speakers who are alone long enough for a reliable embedding.

    Parameters
    ----------
    embeddings : (num_chunks, num_speakers, dimension) np.ndarray
        Embeddings that are not finite, or zero, are never selected.
    segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature
        Activity of speakers, 0 or 1. If None, all speakers are active, alone.
    min_active_ratio : float
        Share of the frames of a chunk, rounded to a number of frames, in which the
        speaker is alone.
    min_embeddings : int, optional
        If fewer speakers (or fewer than 2) are alone long enough, all active speakers
        are selected. Defaults to 2.

    Returns
    -------
    chunks, speakers : (num_selected,) np.ndarray
        Chunk and local speaker of each selected embedding.
    """
    usable = active_speakers(embeddings, segmentations)
    usable &= np.isfinite(embeddings).all(axis=2) & embeddings.any(axis=2)
    if segmentations is not None:
        activity = _frames_last(segmentations)  # (num_chunks, num_speakers, num_frames)
        # frames of a single speaker
        activity *= activity.sum(axis=1, keepdims=True, dtype=np.uint8) == 1
        clean = activity.sum(axis=2)  # (num_chunks, num_speakers)
        num_frames = segmentations.data.shape[1]
        reliable = usable & (clean >= round(min_active_ratio * num_frames))
        if np.sum(reliable) >= max(min_embeddings, 2):
            usable = reliable
    chunks, speakers = np.nonzero(usable)
    return chunks, speakers


def speakers_together(chunks: np.ndarray, share: float) -> int:
    """Count the speakers who are often in the same chunk, hence different people.

    Parameters
    ----------
    chunks : (num_embeddings,) np.ndarray of int
        Chunk of each selected speaker, see `reliable_speakers`.
    share : float
        Share of the chunks with a selected speaker, above 0.

    Returns
    -------
    num_speakers : int
        Number of speakers that at least that share of the chunks have.

    Examples
    --------
    >>> speakers_together(np.array([0, 1, 1, 4, 4, 5]), share=0.5)
    2
    """
    per_chunk = np.bincount(chunks)
    per_chunk = np.sort(per_chunk[per_chunk > 0])[::-1]
    return int(per_chunk[max(0, int(np.ceil(share * len(per_chunk))) - 1)])


def speaker_sequences(
    segmentations: SlidingWindowFeature, chunks: np.ndarray, speakers: np.ndarray
) -> tuple[np.ndarray, np.ndarray]:
    """Sort embeddings into sequences of one speaker each, in order of time.

    Chunks overlap and have several speakers: there is no single order in which each
    embedding follows one other. So a speaker of a chunk continues a speaker of the
    chunk before if both are active in the same frames, matched one to one so that the
    number of these frames is highest. Sequences of different speakers run in parallel.

    Parameters
    ----------
    segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature
        Activity of speakers, 0 or 1.
    chunks, speakers : (num_embeddings,) np.ndarray
        Chunk and local speaker of each embedding, chunks in increasing order.

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
    sequences = np.arange(len(chunks))  # index of the first embedding of the sequence
    for chunk in range(1, num_chunks):
        # (num_speakers, num_speakers): active frames in common, before and now
        shared = data[chunk - 1, shift:].T.astype(float) @ data[chunk, : -shift or None]
        # speakers without selected embedding end their sequence
        shared[indices[chunk - 1] < 0] = shared[:, indices[chunk] < 0] = 0
        before, after = linear_sum_assignment(shared, maximize=True)
        same = shared[before, after] > 0
        before = indices[chunk - 1][before[same]]
        sequences[indices[chunk][after[same]]] = sequences[before]

    order = np.argsort(sequences, kind="stable")
    starts = np.diff(sequences[order], prepend=-1) != 0
    return order, starts


def one_to_one(
    soft_clusters: np.ndarray, competing: np.ndarray | None = None
) -> np.ndarray:
    """Assign the speakers of a chunk to different clusters, with the best total score.

    Parameters
    ----------
    soft_clusters : (num_chunks, num_speakers, num_clusters) np.ndarray
        Score of each cluster, higher is better. NaN counts as the lowest score.
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


def single_cluster(
    selected: np.ndarray, active: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One cluster with all active speakers, or no cluster if there is only silence.

    Parameters
    ----------
    selected : (num_embeddings, dimension) np.ndarray
        Selected embeddings.
    active : (num_chunks, num_speakers) np.ndarray of bool
        Speakers to assign.

    Returns
    -------
    hard_clusters, soft_clusters, centroids : np.ndarray
        See `VBxClustering`. The centroid is zero if there is no embedding, as in
        pyannote.audio.
    """
    num_clusters = int(active.any())
    hard_clusters = np.where(active, 0, UNASSIGNED).astype(np.int32)
    soft_clusters = np.ones((*active.shape, num_clusters))
    mean = selected.sum(axis=0, keepdims=True) / max(len(selected), 1)
    return hard_clusters, soft_clusters, mean[:num_clusters]
