# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Agglomerative clustering as DiariZen uses that of pyannote.audio.

It clusters the embeddings of speakers that are alone long enough, as `VBxClustering`
does, and then gives the speakers of a chunk different clusters. The number that the
caller asks for comes out even if clusters become smaller than they should for it, in
memory that grows with the number of embeddings, not with its square.
"""

from typing import Any

import numpy as np
from pyannote.audio.pipelines import clustering as host
from pyannote.core import SlidingWindowFeature
from scipy.cluster.hierarchy import fcluster
from scipy.spatial.distance import cdist

from pyannote_diarizen.clustering.dendrograms import dendrogram_of
from pyannote_diarizen.clustering.local_speakers import (
    UNASSIGNED,
    active_speakers,
    one_to_one,
    reliable_speakers,
)
from pyannote_diarizen.clustering.num_speakers import (
    fill_empty_clusters,
    single_cluster,
)
from pyannote_diarizen.functional.linkage import topmost_nodes

EUCLIDEAN = ("centroid", "median", "ward")
"""Linkages that know euclidean distances only: for cosine, lengths are normalised."""


class AgglomerativeClustering(host.AgglomerativeClustering):
    """Agglomerative clustering.

    Parameters
    ----------
    metric : str, optional
        Distance between embeddings. Defaults to "cosine".
    constrained_assignment : bool, optional
        Give speakers of the same chunk different clusters (default). Those who find
        none are left unassigned (-2).
    min_active_ratio : float, optional
        See `VBxClustering`. Defaults to 0.1.
    silent_speakers_compete : bool, optional
        See `VBxClustering`. Defaults to False.

    Hyper-parameters
    ----------------
    method : {"average", "centroid", "complete", "median", "single", "ward", "weighted"}
        How the distance between clusters follows from those between embeddings.
    threshold : float in range [0, 2]
        Distance below which clusters merge.
    min_cluster_size : int in range [1, 20]
        Smaller clusters join the closest one that is not. Less if there are few
        embeddings, at most a tenth of them, or if the caller asks for more clusters.
    """

    def __init__(
        self,
        metric: str = "cosine",
        constrained_assignment: bool = True,
        min_active_ratio: float = 0.1,
        silent_speakers_compete: bool = False,
    ) -> None:
        super().__init__(metric=metric, constrained_assignment=constrained_assignment)
        self.min_active_ratio = min_active_ratio
        self.silent_speakers_compete = silent_speakers_compete

    @staticmethod
    def default_parameters() -> dict[str, Any]:
        """Threshold of DiariZen's paper, size of its command for 16-second chunks."""
        return {"method": "centroid", "min_cluster_size": 13, "threshold": 0.7}

    def __call__(
        self,
        embeddings: np.ndarray,
        segmentations: SlidingWindowFeature | None = None,
        num_clusters: int | None = None,
        min_clusters: int | None = None,
        max_clusters: int | None = None,
        **kwargs: Any,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Cluster embeddings.

        Parameters
        ----------
        embeddings : (num_chunks, num_speakers, dimension) np.ndarray
            Those that could not be computed hold NaN.
        segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature
            Activity of speakers, 0 or 1. Everybody is active if omitted.
        num_clusters : int, optional
            Number of clusters, if known. Fewer are found only if there are fewer
            active speakers in all chunks together.
        min_clusters, max_clusters : int, optional
            Bounds on the number of clusters, ignored beside `num_clusters`.
        **kwargs
            Ignored: what the host gives to other clusterings.

        Returns
        -------
        hard_clusters : (num_chunks, num_speakers) np.ndarray of int
            Cluster of each speaker; -2 if silent or unassigned.
        soft_clusters : (num_chunks, num_speakers, num_clusters) np.ndarray
            2 minus the distance to each centroid; NaN without embedding.
        centroids : (num_clusters, dimension) np.ndarray
            Mean embeddings of clusters.
        """
        active = active_speakers(embeddings, segmentations)
        train, chunks, speakers = self.filter_embeddings(
            embeddings, segmentations, min_embeddings=num_clusters or min_clusters or 2
        )
        _, fewest, most = self.set_num_clusters(
            len(train), num_clusters, min_clusters, max_clusters
        )
        if len(train) < 2 or most < 2:
            return single_cluster(train, active | self.silent_speakers_compete)

        labels = self.cluster(train, fewest, most)
        if not self.silent_speakers_compete:
            # scores that are all the same win no cluster from anybody
            embeddings = np.where(active[:, :, None], embeddings, np.nan)
        hard_clusters, soft_clusters, centroids = self.assign_embeddings(
            embeddings, chunks, speakers, labels, self.constrained_assignment
        )
        if not self.silent_speakers_compete:
            hard_clusters[~active] = UNASSIGNED
        if fewest > 1:
            certain = np.eye(labels.max() + 1)[labels]
            fill_empty_clusters(hard_clusters, certain, chunks, speakers)
        return hard_clusters, soft_clusters, centroids

    def filter_embeddings(
        self,
        embeddings: np.ndarray,
        segmentations: SlidingWindowFeature | None = None,
        min_active_ratio: float | None = None,
        min_embeddings: int = 2,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Select the embeddings to cluster; see `VBxClustering.filter_embeddings`."""
        ratio = self.min_active_ratio if min_active_ratio is None else min_active_ratio
        chunks, speakers = reliable_speakers(
            embeddings, segmentations, ratio, min_embeddings
        )
        return embeddings[chunks, speakers], chunks, speakers

    def cluster(
        self,
        embeddings: np.ndarray,
        min_clusters: int,
        max_clusters: int,
        num_clusters: int | None = None,
    ) -> np.ndarray:
        """Cluster embeddings of active speakers, as the parent does.

        Parameters
        ----------
        embeddings : (num_embeddings, dimension) np.ndarray
            At least two, finite.
        min_clusters, max_clusters : int
            Bounds, between 1 and `num_embeddings`.
        num_clusters : int, optional
            Takes the place of both.

        Returns
        -------
        labels : (num_embeddings,) np.ndarray of int
            From 0 without a gap.
        """
        metric = self.metric
        if metric == "cosine" and self.method in EUCLIDEAN:
            lengths = np.linalg.norm(embeddings, axis=1, keepdims=True)
            embeddings, metric = embeddings / lengths, "euclidean"
        dendrogram = dendrogram_of(embeddings, self.method, metric)

        size = min(self.min_cluster_size, max(1, round(0.1 * len(embeddings))))
        labels = fcluster(dendrogram, self.threshold, criterion="distance")
        found = np.sum(np.bincount(labels) >= size)
        fewest, most = num_clusters or min_clusters, num_clusters or max_clusters
        wanted = int(np.clip(found, fewest, most))
        if wanted != found:
            labels, size = _cut(dendrogram, self.threshold, size, wanted)
        return self._dissolve(embeddings, labels, size)

    def _dissolve(
        self, embeddings: np.ndarray, labels: np.ndarray, min_size: int
    ) -> np.ndarray:
        """Let clusters that are too small join the closest one that is not."""
        _, labels, sizes = np.unique(labels, return_inverse=True, return_counts=True)
        large = np.flatnonzero(sizes >= min_size)
        if len(large) == 0:
            return np.zeros_like(labels)
        centroids = np.stack(
            [embeddings[labels == label].mean(axis=0) for label in range(len(sizes))]
        )
        distances = cdist(centroids, centroids[large], metric=self.metric)
        closest = distances.argmin(axis=1)
        closest[large] = np.arange(len(large))
        return closest[labels]

    def constrained_argmax(self, soft_clusters: np.ndarray) -> np.ndarray:
        """Assign speakers of a chunk to different clusters; see `one_to_one`."""
        return one_to_one(soft_clusters)


def _cut(
    dendrogram: np.ndarray, threshold: float, min_size: int, wanted: int
) -> tuple[np.ndarray, int]:
    """Clusters (num_embeddings,), of which as many are large as wanted, and how large.

    Of the cuts that leave that many, the one closest to `threshold`; if there is none,
    smaller clusters count as large, too.
    """
    num_embeddings = len(dendrogram) + 1
    children = dendrogram[:, :2].astype(int)
    sizes = np.append(np.ones(num_embeddings), dendrogram[:, 3])
    distance = np.abs(np.append(dendrogram[:1, 2], dendrogram[:, 2]) - threshold)
    while True:
        large = sizes >= min_size
        born = np.append(0, large[num_embeddings:].astype(int))
        gone = np.append(0, large[children].sum(axis=1))
        num_large = large[:num_embeddings].sum() + np.cumsum(born - gone)
        right = (num_large == wanted) & ((born > 0) | (min_size == 1))
        if right.any() or min_size == 1:
            num_merges = np.argmin(np.where(right, distance, np.inf))
            return topmost_nodes(dendrogram[:num_merges], num_embeddings), min_size
        min_size //= 2
