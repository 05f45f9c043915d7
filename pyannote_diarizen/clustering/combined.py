# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Combinations of agglomerative clustering, VBx and evidence.

`benchmarks/clustering.py` compares them: agglomerative clustering is best for a handful
of embeddings, VBx for more, and evidence for long conversations of many speakers.
"""

from collections.abc import Iterable
from typing import Any, Literal

import numpy as np
from pyannote.audio.core import plda as host
from pyannote.audio.pipelines.clustering import BaseClustering
from pyannote.core import SlidingWindowFeature

from pyannote_diarizen.clustering.agglomerative import AgglomerativeClustering
from pyannote_diarizen.clustering.local_speakers import reliable_speakers
from pyannote_diarizen.clustering.num_speakers import NumSpeakersEvidence
from pyannote_diarizen.clustering.vbx import VBxClustering


class HybridClustering(VBxClustering):
    """Preset of `VBxClustering`: the evidence chooses the number of speakers.

    Parameters
    ----------
    plda, ...
        See `VBxClustering`. `number_by` defaults to "evidence".
    """

    default_number_by = "evidence"


class AutoClustering(BaseClustering):
    """Agglomerative clustering of few embeddings, VBx of more.

    VBx estimates speakers and their shares, which takes several embeddings of each
    speaker; the agglomerative clustering needs distances only.

    Parameters
    ----------
    plda : pyannote.audio.core.plda.PLDA
        PLDA fitted on embeddings of the same model.
    metric, constrained_assignment, min_active_ratio
        See `VBxClustering`.
    number_by : {"vbx", "evidence"}, optional
        See `VBxClustering`.
    min_embeddings : int, optional
        Minimum number of embeddings for VBx. Defaults to 10.

    Hyper-parameters
    ----------------
    agglomerative
        Hyper-parameters of `AgglomerativeClustering`.
    vbx
        Hyper-parameters of `VBxClustering`.
    """

    expects_num_clusters: bool = False

    def __init__(
        self,
        plda: host.PLDA,
        metric: str = "cosine",
        constrained_assignment: bool = True,
        min_active_ratio: float = 0.1,
        number_by: Literal["vbx", "evidence"] = "vbx",
        min_embeddings: int = 10,
    ) -> None:
        super().__init__(metric=metric, constrained_assignment=constrained_assignment)
        self.min_active_ratio = min_active_ratio
        self.number_by = number_by
        self.min_embeddings = min_embeddings
        shared = metric, constrained_assignment, min_active_ratio
        self.agglomerative = AgglomerativeClustering(*shared)
        self.vbx = VBxClustering(plda, *shared, number_by=number_by)

    @staticmethod
    def default_parameters() -> dict[str, dict[str, Any]]:
        """Hyper-parameters of both clusterings, without minimum size of clusters."""
        return {
            "agglomerative": {
                **AgglomerativeClustering.default_parameters(),
                "min_cluster_size": 1,
            },
            "vbx": VBxClustering.default_parameters(),
        }

    def choose(
        self, embeddings: np.ndarray, segmentations: SlidingWindowFeature | None = None
    ) -> AgglomerativeClustering | VBxClustering:
        """Choose the clustering by the number of embeddings to cluster.

        Parameters
        ----------
        embeddings : (num_chunks, num_speakers, dimension) np.ndarray
            NaN where an embedding could not be computed.
        segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature
            Activity of speakers, 0 or 1. By default, all speakers are active.

        Returns
        -------
        clustering : AgglomerativeClustering or VBxClustering
        """
        chunks, _ = reliable_speakers(embeddings, segmentations, self.min_active_ratio)
        return self.agglomerative if len(chunks) < self.min_embeddings else self.vbx

    def __call__(
        self,
        embeddings: np.ndarray,
        segmentations: SlidingWindowFeature | None = None,
        **options: Any,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Cluster embeddings with the chosen clustering; see `VBxClustering`."""
        clustering = self.choose(embeddings, segmentations)
        return clustering(embeddings, segmentations, **options)

    def evidence(
        self,
        embeddings: np.ndarray,
        segmentations: SlidingWindowFeature | None = None,
        num_speakers: Iterable[int] | None = None,
        expected_clusters: float | None = None,
    ) -> NumSpeakersEvidence:
        """Evidence for each number of speakers; see `VBxClustering.evidence`.

        Computed by VBx even where the agglomerative clustering is chosen, which has no
        evidence.
        """
        return self.vbx.evidence(
            embeddings, segmentations, num_speakers, expected_clusters
        )
