# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Clusterings of the original DiariZen, for scores that compare with published ones.

The pipeline uses them with `compatibility="diarizen"`. They differ from ours: silent
speakers compete for clusters; VBx ignores bounds on the number of clusters, has sums of
embeddings as centroids, and counts unassigned speakers as one more cluster.
"""

from collections.abc import Mapping
from operator import attrgetter
from typing import Any, Literal

import numpy as np
from pyannote.audio.core import plda as host
from pyannote.core import SlidingWindowFeature

from pyannote_diarizen.clustering.agglomerative import AgglomerativeClustering
from pyannote_diarizen.clustering.local_speakers import UNASSIGNED
from pyannote_diarizen.clustering.vbx import VBxClustering


def _also(name: str) -> property:
    """Second name of the attribute `name`, under which scripts set it."""
    return property(attrgetter(name), lambda self, value: setattr(self, name, value))


class OriginalAgglomerativeClustering(AgglomerativeClustering):
    """`AgglomerativeClustering` in which silent speakers compete for clusters."""

    silent_speakers_compete = True


class OriginalVBxClustering(VBxClustering):
    """`VBxClustering` with the results of the original.

    Parameters
    ----------
    plda, metric, constrained_assignment, min_active_ratio, ahc_criterion
        See `VBxClustering`.
    max_iterations : int, optional
        See `VBxClustering`.
    spurious_speaker : bool, optional
        Count unassigned speakers as one more cluster, the first (default).
    ignore_bounds : bool, optional
        Ignore the requested number of clusters and bounds on it (default).
    """

    silent_speakers_compete = True
    ahc_threshold = _also("threshold")
    maxIters = _also("max_iterations")  # noqa: N815

    def __init__(
        self,
        plda: host.PLDA,
        metric: str = "cosine",
        constrained_assignment: bool = True,
        min_active_ratio: float = 0.1,
        ahc_criterion: Literal["distance", "maxclust"] = "distance",
        max_iterations: int = 20,
        spurious_speaker: bool = True,
        ignore_bounds: bool = True,
    ) -> None:
        super().__init__(
            plda,
            metric,
            constrained_assignment,
            min_active_ratio,
            ahc_criterion=ahc_criterion,
            max_iterations=max_iterations,
            min_share=0.0,
        )
        self.spurious_speaker = spurious_speaker
        self.ignore_bounds = ignore_bounds

    def __call__(
        self,
        embeddings: np.ndarray,
        segmentations: SlidingWindowFeature | None = None,
        num_clusters: int | None = None,
        min_clusters: int | None = None,
        max_clusters: int | None = None,
        expected_clusters: float | None = None,
        file: Mapping[str, Any] | None = None,
        **kwargs: Any,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Cluster embeddings; see `VBxClustering`.

        Parameters
        ----------
        embeddings, segmentations
            See `VBxClustering`.
        num_clusters, min_clusters, max_clusters : int, optional
            See `VBxClustering`. No effect if `ignore_bounds`.
        expected_clusters, file, **kwargs
            Ignored.
        """
        if self.ignore_bounds:
            num_clusters = min_clusters = max_clusters = None
        bounds = num_clusters, min_clusters, max_clusters
        clusters = super().__call__(embeddings, segmentations, *bounds)
        # with as many clusters as allowed, no active speaker is unassigned
        full = len(clusters[2]) == (num_clusters or max_clusters)
        if self.spurious_speaker and not full:
            return number_unassigned(*clusters)
        return clusters

    def _centroids(
        self, responsibilities: np.ndarray, embeddings: np.ndarray
    ) -> np.ndarray:
        """Weighted sums (num_clusters, dimension) of embeddings."""
        return responsibilities.T @ embeddings


def number_unassigned(
    hard_clusters: np.ndarray, soft_clusters: np.ndarray, centroids: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Count unassigned speakers as one more cluster, the first.

    Parameters
    ----------
    hard_clusters : (num_chunks, num_speakers) np.ndarray
        Cluster of each speaker, -2 if none.
    soft_clusters : (num_chunks, num_speakers, num_clusters) np.ndarray
        Score of each cluster.
    centroids : (num_clusters, dimension) np.ndarray
        Centroid of each cluster.

    Returns
    -------
    hard_clusters : (num_chunks, num_speakers) np.ndarray
        Numbers from 0 without a gap; -2, if anywhere, has become 0.
    soft_clusters, centroids : np.ndarray
        Rows of the clusters that have speakers; NaN and zeros for unassigned speakers.

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
