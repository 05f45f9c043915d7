# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""What clusterings do where there is little to cluster, or a number to come out."""

import numpy as np

from pyannote_diarizen.clustering.local_speakers import UNASSIGNED


def single_cluster(
    selected: np.ndarray, active: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One cluster with all active speakers, or none at all in silence.

    Parameters
    ----------
    selected : (num_embeddings, dimension) np.ndarray
        Embeddings that could be clustered.
    active : (num_chunks, num_speakers) np.ndarray of bool

    Returns
    -------
    hard_clusters, soft_clusters, centroids : np.ndarray
        As of `VBxClustering`. The centroid is zero if no embedding could be computed,
        as the host does for speakers without embedding.
    """
    num_clusters = int(active.any())
    hard_clusters = np.where(active, 0, UNASSIGNED).astype(np.int32)
    soft_clusters = np.ones((*active.shape, num_clusters))
    mean = selected.sum(axis=0, keepdims=True) / max(len(selected), 1)
    return hard_clusters, soft_clusters, mean[:num_clusters]


def fill_empty_clusters(
    hard_clusters: np.ndarray,
    responsibilities: np.ndarray,
    chunks: np.ndarray,
    speakers: np.ndarray,
) -> None:
    """Give each empty cluster the embedding that belongs there most, in place.

    A cluster can lose all its embeddings to centroids that are closer. The number
    that the caller asked for should come out nevertheless.

    Parameters
    ----------
    hard_clusters : (num_chunks, num_speakers) np.ndarray
        Cluster of each speaker, -2 if none.
    responsibilities : (num_embeddings, num_clusters) np.ndarray
        Probability that each embedding belongs to each cluster.
    chunks, speakers : (num_embeddings,) np.ndarray
        Where embeddings come from.
    """
    num_clusters = responsibilities.shape[1]
    for cluster in range(num_clusters):
        sizes = np.bincount(
            hard_clusters[hard_clusters != UNASSIGNED], minlength=num_clusters
        )
        if sizes[cluster] > 0:
            continue
        current = hard_clusters[chunks, speakers]
        movable = (current == UNASSIGNED) | (sizes[current] > 1)
        best = np.argmax(np.where(movable, responsibilities[:, cluster], -1))
        hard_clusters[chunks[best], speakers[best]] = cluster
