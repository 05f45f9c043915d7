# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Agglomerative clustering, and dendrograms that are computed once.

The clustering of pyannote.audio as DiariZen uses it: embeddings of speakers who are
alone long enough are clustered, and the speakers of a chunk get different clusters. The
requested number of clusters always comes out, if need be with clusters below
`min_cluster_size`. Memory grows with the number of embeddings, not with its square.
"""

from typing import Any

import numpy as np
from pyannote.audio.pipelines import clustering as host
from pyannote.core import SlidingWindowFeature
from scipy.cluster.hierarchy import fcluster
from scipy.spatial.distance import cdist

from pyannote_diarizen.clustering.local_speakers import (
    UNASSIGNED,
    active_speakers,
    one_to_one,
    reliable_speakers,
    single_cluster,
)
from pyannote_diarizen.clustering.num_speakers import fill_empty_clusters
from pyannote_diarizen.functional.bounded_cache import BoundedCache, digest
from pyannote_diarizen.functional.linkage import linkage, topmost_nodes
from pyannote_diarizen.functional.vbx import smooth_labels

EUCLIDEAN = ("centroid", "median", "ward")
"""Methods for euclidean distances only: lengths are normalised for metric "cosine"."""
MAX_BYTES = 64_000_000
"""Size of all dendrograms in memory: 200 hours of audio."""

_dendrograms: BoundedCache[np.ndarray]
_dendrograms = BoundedCache(MAX_BYTES, lambda _, dendrogram: dendrogram.nbytes)


class AgglomerativeClustering(host.AgglomerativeClustering):
    """Agglomerative clustering.

    Parameters
    ----------
    metric : str, optional
        Distance between embeddings. Defaults to "cosine".
    constrained_assignment : bool, optional
        Give speakers of the same chunk different clusters (default). Speakers without
        cluster are left unassigned (-2).
    min_active_ratio : float, optional
        See `VBxClustering`. Defaults to 0.1.

    Hyper-parameters
    ----------------
    method : {"average", "centroid", "complete", "median", "single", "ward", "weighted"}
        Distance between clusters as a function of distances between embeddings.
    threshold : float in range [0, 2]
        Distance below which clusters merge.
    min_cluster_size : int in range [1, 20]
        Smaller clusters join the closest large one. At most a tenth of the number of
        embeddings; reduced further if the caller asks for more clusters.
    """

    silent_speakers_compete: bool = False
    """See `VBxClustering`."""

    def __init__(
        self,
        metric: str = "cosine",
        constrained_assignment: bool = True,
        min_active_ratio: float = 0.1,
    ) -> None:
        super().__init__(metric=metric, constrained_assignment=constrained_assignment)
        self.min_active_ratio = min_active_ratio

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
            NaN where an embedding could not be computed.
        segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature
            Activity of speakers, 0 or 1. By default, all speakers are active.
        num_clusters : int, optional
            Number of clusters, if known. Fewer are found only if all chunks together
            have fewer active speakers.
        min_clusters, max_clusters : int, optional
            Bounds on the number of clusters, ignored beside `num_clusters`.
        **kwargs
            Ignored: arguments that pyannote.audio passes to other clusterings.

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
        chunks, speakers = reliable_speakers(
            embeddings,
            segmentations,
            self.min_active_ratio,
            num_clusters or min_clusters or 2,
        )
        train = embeddings[chunks, speakers]
        _, fewest, most = self.set_num_clusters(
            len(train), num_clusters, min_clusters, max_clusters
        )
        if len(train) < 2 or most < 2:
            return single_cluster(train, active | self.silent_speakers_compete)

        labels = self.cluster(train, fewest, most)
        if not self.silent_speakers_compete:
            # a silent speaker has NaN for all clusters, and takes none from others
            embeddings = np.where(active[:, :, None], embeddings, np.nan)
        hard_clusters, soft_clusters, centroids = self.assign_embeddings(
            embeddings, chunks, speakers, labels, self.constrained_assignment
        )
        if not self.silent_speakers_compete:
            hard_clusters[~active] = UNASSIGNED
        if fewest > 1:
            certain = smooth_labels(labels, smoothing=-1)
            fill_empty_clusters(hard_clusters, certain, chunks, speakers)
        return hard_clusters, soft_clusters, centroids

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
        """Merge each cluster below `min_size` into the closest large one."""
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


def dendrogram_of(
    vectors: np.ndarray, method: str = "centroid", metric: str = "euclidean"
) -> np.ndarray:
    """Cluster vectors agglomeratively, or look up the dendrogram of the same vectors.

    Hyper-parameters and numbers of speakers change the cut of a dendrogram, not the
    dendrogram, which takes most of the time of a trial: 3 of 6 s for an hour of audio.

    Parameters
    ----------
    vectors, method, metric
        See `functional.linkage.linkage`.

    Returns
    -------
    dendrogram : (num_vectors - 1, 4) np.ndarray
        A copy.
    """
    key = digest(vectors), method, metric
    dendrogram = _dendrograms.get(key, lambda: linkage(vectors, method, metric))
    return dendrogram.copy()


def _cut(
    dendrogram: np.ndarray, threshold: float, min_size: int, wanted: int
) -> tuple[np.ndarray, int]:
    """Cut with the wanted number of large clusters, and the size that makes them large.

    The cut (num_embeddings,) is the one closest to `threshold`. If no cut has the
    wanted number, the size is halved.
    """
    num_embeddings = len(dendrogram) + 1
    children = dendrogram[:, :2].astype(int)  # (num_merges, 2)
    sizes = np.append(np.ones(num_embeddings), dendrogram[:, 3])  # (num_nodes,)
    # entry k of the arrays below, (num_merges + 1,), is about the cut after k merges
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
