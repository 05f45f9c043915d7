# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Agglomerative clustering as DiariZen uses that of pyannote.audio.

It clusters the embeddings of speakers that are alone long enough, as `VBxClustering`
does, and then gives the speakers of a chunk different clusters.
"""

from typing import Any

import numpy as np
from pyannote.audio.pipelines import clustering as host
from pyannote.core import SlidingWindowFeature

from pyannote_diarizen.clustering.local_speakers import (
    active_speakers,
    one_to_one,
    reliable_speakers,
)


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
        Smaller clusters are dissolved.
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

    def __call__(
        self,
        embeddings: np.ndarray,
        segmentations: SlidingWindowFeature | None = None,
        **options: Any,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Cluster embeddings.

        Parameters
        ----------
        embeddings : (num_chunks, num_speakers, dimension) np.ndarray
            Those that could not be computed hold NaN.
        segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature
            Activity of speakers, 0 or 1. Everybody is active if omitted.
        **options
            As for the parent: `num_clusters`, `min_clusters`, `max_clusters`.

        Returns
        -------
        hard_clusters : (num_chunks, num_speakers) np.ndarray of int
            Cluster of each speaker; -2 if unassigned.
        soft_clusters : (num_chunks, num_speakers, num_clusters) np.ndarray
            2 minus the distance to each centroid; NaN without embedding.
        centroids : (num_clusters, dimension) np.ndarray
            Mean embeddings of clusters.
        """
        if not self.silent_speakers_compete:
            # scores that are all the same win no cluster from anybody
            active = active_speakers(embeddings, segmentations)
            embeddings = np.where(active[:, :, None], embeddings, np.nan)
        return super().__call__(embeddings, segmentations, **options)

    def filter_embeddings(
        self,
        embeddings: np.ndarray,
        segmentations: SlidingWindowFeature | None = None,
        min_active_ratio: float | None = None,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Select the embeddings to cluster; see `VBxClustering.filter_embeddings`."""
        ratio = self.min_active_ratio if min_active_ratio is None else min_active_ratio
        chunks, speakers = reliable_speakers(embeddings, segmentations, ratio)
        return embeddings[chunks, speakers], chunks, speakers

    def constrained_argmax(self, soft_clusters: np.ndarray) -> np.ndarray:
        """Assign speakers of a chunk to different clusters; see `one_to_one`."""
        return one_to_one(soft_clusters)
