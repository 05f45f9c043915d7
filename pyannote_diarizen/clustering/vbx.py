# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""VBx clustering of (chunk, speaker) embeddings, within bounds on their number.

Reliable embeddings are clustered agglomeratively, then by VBx in the PLDA space, which
finds the number of clusters. Bounds are honoured by merging or splitting the clusters
of VBx where its evidence changes least. Finally all embeddings go to the closest
clusters, at most one speaker of a chunk to each.
"""

from typing import Any

import numpy as np
from pyannote.audio.core import plda as host
from pyannote.audio.pipelines.clustering import BaseClustering
from pyannote.core import SlidingWindowFeature
from pyannote.pipeline.parameter import Uniform
from scipy.cluster.hierarchy import fcluster, linkage
from scipy.optimize import linear_sum_assignment
from scipy.spatial.distance import cdist

from pyannote_diarizen.functional.speaker_evidence import (
    SpeakerEvidence,
    merge_speakers,
    split_speakers,
)
from pyannote_diarizen.functional.vbx import smooth_labels, vbx

NEEDED_PRIOR = 1e-7
"""VBx has given up the speakers whose prior is not above."""

UNASSIGNED = -2


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
    silent_speakers_compete : bool, optional
        Let silent speakers occupy clusters that active speakers of the same chunk
        could have, as DiariZen does. Defaults to False.

    Hyper-parameters
    ----------------
    threshold : float in range [0.3, 1.2]
        Distance between unit-length centroids below which the agglomerative
        clustering merges.
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
        silent_speakers_compete: bool = False,
    ) -> None:
        super().__init__(metric=metric, constrained_assignment=constrained_assignment)
        self.plda = plda
        self.min_active_ratio = min_active_ratio
        self.silent_speakers_compete = silent_speakers_compete

        self.threshold = Uniform(0.3, 1.2)
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
            Mean embeddings of clusters.
        """
        active = _active_speakers(embeddings, segmentations)
        train, chunks, speakers = self.filter_embeddings(
            embeddings, segmentations, min_embeddings=num_clusters or min_clusters or 2
        )
        _, fewest, most = self.set_num_clusters(
            len(train), num_clusters, min_clusters, max_clusters
        )
        if len(train) < 2 or most < 2:
            return _single_cluster(train, active)

        responsibilities = self.cluster(train, fewest, most)
        centroids = responsibilities.T @ train / responsibilities.sum(axis=0)[:, None]
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
        usable = _active_speakers(embeddings, segmentations)
        usable &= np.isfinite(embeddings).all(axis=2) & embeddings.any(axis=2)

        selected = usable
        if segmentations is not None:
            ratio = (
                self.min_active_ratio if min_active_ratio is None else min_active_ratio
            )
            alone = segmentations.data.sum(axis=2, keepdims=True) == 1
            clean = (segmentations.data * alone).sum(axis=1)
            reliable = clean >= round(ratio * segmentations.data.shape[1])
            if np.sum(usable & reliable) >= max(min_embeddings, 2):
                selected = usable & reliable

        chunks, speakers = np.nonzero(selected)
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
        directions = embeddings / np.linalg.norm(embeddings, axis=1, keepdims=True)
        dendrogram = linkage(directions, method="centroid", metric="euclidean")
        labels = fcluster(dendrogram, self.threshold, criterion="distance")
        _, labels = np.unique(labels, return_inverse=True)

        projected, phi = self.plda(embeddings), self.plda.phi
        posterior = vbx(projected, phi, smooth_labels(labels), Fa=self.Fa, Fb=self.Fb)
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
        shape = soft_clusters.shape[:2]
        competing = np.ones(shape, dtype=bool) if competing is None else competing
        hard_clusters = np.full(shape, UNASSIGNED, dtype=np.int32)
        for scores, rows, hard in zip(
            soft_clusters, competing, hard_clusters, strict=True
        ):
            (speakers,) = np.nonzero(rows)
            assigned, clusters = linear_sum_assignment(scores[speakers], maximize=True)
            hard[speakers[assigned]] = clusters
        return hard_clusters

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


def _active_speakers(
    embeddings: np.ndarray, segmentations: SlidingWindowFeature | None
) -> np.ndarray:
    """Tell who speaks in which chunk (num_chunks, num_speakers)."""
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
    return segmentations.data.any(axis=1)


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
