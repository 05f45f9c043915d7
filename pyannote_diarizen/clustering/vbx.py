# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""VBx clustering of (chunk, speaker) embeddings, within bounds on their number.

Reliable embeddings are clustered agglomeratively, then by VBx in the PLDA space, which
finds the number of clusters. Bounds are honoured by merging or splitting the clusters
of VBx where its evidence changes least. Finally all embeddings go to the closest
clusters, at most one speaker of a chunk to each.
"""

from typing import Any, Literal

import numpy as np
from pyannote.audio.core import plda as host
from pyannote.audio.pipelines.clustering import BaseClustering
from pyannote.core import SlidingWindowFeature
from pyannote.pipeline.parameter import Integer, Uniform
from scipy.cluster.hierarchy import fcluster
from scipy.spatial.distance import cdist

from pyannote_diarizen.clustering.local_speakers import (
    UNASSIGNED,
    active_speakers,
    number_unassigned,
    one_to_one,
    reliable_speakers,
)
from pyannote_diarizen.functional.linkage import MAX_VECTORS, linkage, topmost_nodes
from pyannote_diarizen.functional.speaker_evidence import (
    SpeakerEvidence,
    merge_speakers,
    split_speakers,
)
from pyannote_diarizen.functional.vbx import smooth_labels, vbx

NEEDED_PRIOR = 1e-7
"""VBx has given up the speakers whose prior is not above."""
MAX_RESPONSIBILITIES = MAX_VECTORS**2
"""VBx starts with fewer clusters than `threshold` leaves if those would need more."""


class VBxClustering(BaseClustering):
    """Bayesian clustering that finds the number of speakers.

    Parameters
    ----------
    plda : pyannote.audio.core.plda.PLDA
        PLDA made for these embeddings.
    metric : str, optional
        Distance between embeddings and centroids of clusters. Defaults to "cosine".
    constrained_assignment : bool, optional
        Give speakers of the same chunk different clusters (default). Those who find
        none are left unassigned (-2), unless the caller's bound says that there is
        nobody else: they then join the closest cluster.
    min_active_ratio : float, optional
        Cluster embeddings of speakers that are alone during this share of the chunk
        at least; the others are only assigned afterwards. If too few are left, all
        active speakers are used. Defaults to 0.1.
    ahc_criterion : {"distance", "maxclust"}, optional
        What `threshold` bounds in the agglomerative clustering that VBx starts from:
        the distance below which clusters merge (default), or their number.
    max_iterations : int, optional
        Most iterations of VBx. Defaults to 20.
    bounded : bool, optional
        Honour the caller's bounds on the number of clusters (default). DiariZen leaves
        their number to VBx in any case.
    silent_speakers_compete : bool, optional
        Let silent speakers occupy clusters that active speakers of the same chunk
        could have, as DiariZen does. Defaults to False.
    phantom_speaker : bool, optional
        Number the speakers who found no cluster as one more speaker, the first, as
        DiariZen does. Defaults to False.
    centroid : {"mean", "sum"}, optional
        Whether centroids are means of embeddings (default), or their sums as those of
        DiariZen, whose directions are the same.

    Hyper-parameters
    ----------------
    threshold : float in range [0.3, 1.2]
        Distance between unit-length centroids below which the agglomerative
        clustering merges. With `ahc_criterion="maxclust"`, an integer in range
        [1, 20]: number of clusters that it leaves.
    Fa : float in range [0.01, 0.5]
        Weight of the embeddings in VBx.
    Fb : float in range [0.01, 15]
        Weight of the prior on speakers in VBx: the higher, the fewer speakers.

    References
    ----------
    J. Han et al., "Leveraging self-supervised learning for speaker diarization",
    ICASSP 2025 (DiariZen). VBx: see `functional.vbx`.
    """

    expects_num_clusters: bool = False

    def __init__(
        self,
        plda: host.PLDA,
        metric: str = "cosine",
        constrained_assignment: bool = True,
        min_active_ratio: float = 0.1,
        ahc_criterion: Literal["distance", "maxclust"] = "distance",
        max_iterations: int = 20,
        bounded: bool = True,
        silent_speakers_compete: bool = False,
        phantom_speaker: bool = False,
        centroid: Literal["mean", "sum"] = "mean",
    ) -> None:
        if ahc_criterion not in ("distance", "maxclust"):
            raise ValueError(
                "`ahc_criterion` should be 'distance' or 'maxclust', got "
                f"{ahc_criterion!r}."
            )
        if centroid not in ("mean", "sum"):
            raise ValueError(f"`centroid` should be 'mean' or 'sum', got {centroid!r}.")
        super().__init__(metric=metric, constrained_assignment=constrained_assignment)
        self.plda = plda
        self.min_active_ratio = min_active_ratio
        self.ahc_criterion = ahc_criterion
        self.max_iterations = max_iterations
        self.bounded = bounded
        self.silent_speakers_compete = silent_speakers_compete
        self.phantom_speaker = phantom_speaker
        self.centroid = centroid

        by_distance = ahc_criterion == "distance"
        self.threshold = Uniform(0.3, 1.2) if by_distance else Integer(1, 20)
        self.Fa = Uniform(0.01, 0.5)
        self.Fb = Uniform(0.01, 15.0)

    @staticmethod
    def default_parameters() -> dict[str, float]:
        """Hyper-parameters of the published DiariZen pipelines."""
        return {"threshold": 0.6, "Fa": 0.07, "Fb": 0.8}

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
        hard_clusters : (num_chunks, num_speakers) np.ndarray of int32
            Cluster of each speaker; -2 if silent or unassigned.
        soft_clusters : (num_chunks, num_speakers, num_clusters) np.ndarray
            2 minus the distance to each centroid; the least of all for NaN.
        centroids : (num_clusters, dimension) np.ndarray
            Mean embeddings of clusters, or their sums if so chosen.

        Raises
        ------
        ValueError
            If bounds contradict each other, or `threshold` is not a number of clusters
            although `ahc_criterion` says so.
        """
        if not self.bounded:
            num_clusters = min_clusters = max_clusters = None
        clusters = self._cluster_all(
            embeddings, segmentations, num_clusters, min_clusters, max_clusters
        )
        return number_unassigned(*clusters) if self.phantom_speaker else clusters

    def _cluster_all(
        self,
        embeddings: np.ndarray,
        segmentations: SlidingWindowFeature | None,
        num_clusters: int | None,
        min_clusters: int | None,
        max_clusters: int | None,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Hard clusters, soft clusters and centroids, the unassigned left alone."""
        active = active_speakers(embeddings, segmentations)
        train, chunks, speakers = self.filter_embeddings(
            embeddings, segmentations, min_embeddings=num_clusters or min_clusters or 2
        )
        _, fewest, most = self.set_num_clusters(
            len(train), num_clusters, min_clusters, max_clusters
        )
        if len(train) < 2 or most < 2:
            return _single_cluster(train, active | self.silent_speakers_compete)

        responsibilities = self.cluster(train, fewest, most)
        centroids = responsibilities.T @ train
        if self.centroid == "mean":
            centroids /= responsibilities.sum(axis=0)[:, None]
        soft_clusters = self._similarities(embeddings, centroids)

        nobody_else = len(centroids) == (num_clusters or max_clusters)
        hard_clusters = self._assign(soft_clusters, active, nobody_else)
        if fewest > 1:
            _fill_empty_clusters(hard_clusters, responsibilities, chunks, speakers)
        return hard_clusters, soft_clusters, centroids

    def filter_embeddings(
        self,
        embeddings: np.ndarray,
        segmentations: SlidingWindowFeature | None = None,
        min_active_ratio: float | None = None,
        min_embeddings: int = 2,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Select the embeddings to cluster.

        Parameters
        ----------
        embeddings : (num_chunks, num_speakers, dimension) np.ndarray
        segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature
        min_active_ratio : float, optional
            Replaces the one given to the constructor.
        min_embeddings : int, optional
            If fewer speakers (or fewer than 2) are alone long enough, take all those
            that are active.

        Returns
        -------
        selected : (num_selected, dimension) np.ndarray of float64
        chunks, speakers : (num_selected,) np.ndarray
            Where they come from.
        """
        ratio = self.min_active_ratio if min_active_ratio is None else min_active_ratio
        chunks, speakers = reliable_speakers(
            embeddings, segmentations, ratio, min_embeddings
        )
        return embeddings[chunks, speakers].astype(np.float64), chunks, speakers

    def cluster(
        self, embeddings: np.ndarray, min_clusters: int, max_clusters: int
    ) -> np.ndarray:
        """Cluster embeddings of active speakers.

        Parameters
        ----------
        embeddings : (num_embeddings, dimension) np.ndarray
            At least two, finite.
        min_clusters, max_clusters : int
            Bounds, between 1 and `num_embeddings`.

        Returns
        -------
        responsibilities : (num_embeddings, num_clusters) np.ndarray
            Probability that each embedding belongs to each cluster.
        """
        if self.ahc_criterion == "maxclust" and self.threshold < 1:
            raise ValueError(
                "`threshold` should be a number of clusters with ahc_criterion="
                f"'maxclust', got {self.threshold}: is it a distance?"
            )
        directions = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
        dendrogram = linkage(directions, method="centroid")
        labels = fcluster(dendrogram, self.threshold, criterion=self.ahc_criterion)
        most = MAX_RESPONSIBILITIES // len(labels)
        if labels.max() > most:
            labels = topmost_nodes(dendrogram[: len(labels) - most], len(labels))
        _, labels = np.unique(labels, return_inverse=True)

        projected, phi = self.plda(embeddings), self.plda.phi
        posterior = vbx(
            projected,
            phi,
            smooth_labels(labels),
            Fa=self.Fa,
            Fb=self.Fb,
            max_iterations=self.max_iterations,
        )
        found = posterior.responsibilities[:, posterior.priors > NEEDED_PRIOR]

        evidence = SpeakerEvidence(phi, self.Fa, self.Fb)
        found = merge_speakers(projected, found, max_clusters, evidence)
        return split_speakers(projected, found, min_clusters, evidence)

    def constrained_argmax(
        self, soft_clusters: np.ndarray, competing: np.ndarray | None = None
    ) -> np.ndarray:
        """Assign speakers of a chunk to different clusters, as well as possible.

        Parameters
        ----------
        soft_clusters : (num_chunks, num_speakers, num_clusters) np.ndarray
            The higher, the better the speaker fits the cluster.
        competing : (num_chunks, num_speakers) np.ndarray of bool, optional
            Speakers to assign. Defaults to all.

        Returns
        -------
        hard_clusters : (num_chunks, num_speakers) np.ndarray of int32
            -2 for speakers who do not compete or find no cluster.
        """
        return one_to_one(soft_clusters, competing)

    def _similarities(
        self, embeddings: np.ndarray, centroids: np.ndarray
    ) -> np.ndarray:
        """2 minus distances (num_chunks, num_speakers, num_clusters), never NaN."""
        num_chunks, num_speakers, dimension = embeddings.shape
        flat = embeddings.reshape(-1, dimension)
        scores = 2 - cdist(flat, centroids, metric=self.metric)
        scores = np.nan_to_num(scores, nan=np.nanmin(scores, initial=2))
        return scores.reshape(num_chunks, num_speakers, -1)

    def _assign(
        self, soft_clusters: np.ndarray, active: np.ndarray, nobody_else: bool
    ) -> np.ndarray:
        """Hard clusters (num_chunks, num_speakers) of speakers who compete."""
        competing = active | self.silent_speakers_compete
        closest = soft_clusters.argmax(axis=2).astype(np.int32)
        if not self.constrained_assignment:
            return np.where(competing, closest, UNASSIGNED)

        hard_clusters = self.constrained_argmax(soft_clusters, competing)
        if nobody_else:
            left_over = active & (hard_clusters == UNASSIGNED)
            hard_clusters[left_over] = closest[left_over]
        return hard_clusters


def _single_cluster(
    train: np.ndarray, active: np.ndarray
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """One cluster with all active speakers, or none at all in silence.

    Its centroid is zero if no embedding could be computed, as the host does for
    speakers without embedding.
    """
    num_clusters = int(active.any())
    hard_clusters = np.where(active, 0, UNASSIGNED).astype(np.int32)
    soft_clusters = np.ones((*active.shape, num_clusters))
    mean = train.sum(axis=0, keepdims=True) / max(len(train), 1)
    return hard_clusters, soft_clusters, mean[:num_clusters]


def _fill_empty_clusters(
    hard_clusters: np.ndarray,
    responsibilities: np.ndarray,
    chunks: np.ndarray,
    speakers: np.ndarray,
) -> None:
    """Give each empty cluster the embedding that belongs there most, in place.

    A cluster can lose all its embeddings to centroids that are closer. The number
    that the caller asked for should come out nevertheless.
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
