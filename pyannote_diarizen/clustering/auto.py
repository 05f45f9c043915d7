# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Choice of a clustering by how much there is to cluster."""

from collections.abc import Iterable
from typing import Any

import numpy as np
from pyannote.audio.core import plda as host
from pyannote.audio.pipelines.clustering import BaseClustering
from pyannote.core import SlidingWindowFeature

from pyannote_diarizen.clustering.agglomerative import AgglomerativeClustering
from pyannote_diarizen.clustering.count_evidence import CountEvidence
from pyannote_diarizen.clustering.vbx import VBxClustering


class AutoClustering(BaseClustering):
    """VBx if there is enough to learn from, agglomerative clustering otherwise.

    The rule: VBx for files of `min_duration` at least with `min_embeddings` at least to
    cluster. VBx re-estimates speakers and their shares, which takes many embeddings;
    the agglomerative clustering needs no more than distances.

    Parameters
    ----------
    plda : pyannote.audio.core.plda.PLDA
        PLDA made for these embeddings.
    metric, constrained_assignment, min_active_ratio, silent_speakers_compete
        See `VBxClustering`.
    min_duration : float, optional
        In seconds. Defaults to 30.
    min_embeddings : int, optional
        Defaults to 30.

    Hyper-parameters
    ----------------
    agglomerative
        Those of `AgglomerativeClustering`.
    vbx
        Those of `VBxClustering`.
    """

    expects_num_clusters: bool = False

    def __init__(
        self,
        plda: host.PLDA,
        metric: str = "cosine",
        constrained_assignment: bool = True,
        min_active_ratio: float = 0.1,
        silent_speakers_compete: bool = False,
        min_duration: float = 30.0,
        min_embeddings: int = 30,
    ) -> None:
        super().__init__(metric=metric, constrained_assignment=constrained_assignment)
        self.min_active_ratio = min_active_ratio
        self.silent_speakers_compete = silent_speakers_compete
        self.min_duration = min_duration
        self.min_embeddings = min_embeddings
        shared: dict[str, Any] = {
            "metric": metric,
            "constrained_assignment": constrained_assignment,
            "min_active_ratio": min_active_ratio,
            "silent_speakers_compete": silent_speakers_compete,
        }
        self.agglomerative = AgglomerativeClustering(**shared)
        self.vbx = VBxClustering(plda, **shared)

    @staticmethod
    def default_parameters() -> dict[str, dict[str, Any]]:
        """Those of both clusterings."""
        return {
            "agglomerative": AgglomerativeClustering.default_parameters(),
            "vbx": VBxClustering.default_parameters(),
        }

    def choose(
        self, embeddings: np.ndarray, segmentations: SlidingWindowFeature | None = None
    ) -> AgglomerativeClustering | VBxClustering:
        """Choose the clustering of these embeddings.

        Parameters
        ----------
        embeddings : (num_chunks, num_speakers, dimension) np.ndarray
        segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature
            Without it, duration does not matter.

        Returns
        -------
        clustering : AgglomerativeClustering or VBxClustering
        """
        selected, _, _ = self.vbx.filter_embeddings(embeddings, segmentations)
        if len(selected) < self.min_embeddings:
            return self.agglomerative
        if segmentations is not None:
            chunks = segmentations.sliding_window
            last = chunks[len(segmentations.data) - 1]
            if last.end - chunks.start < self.min_duration:
                return self.agglomerative
        return self.vbx

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
    ) -> CountEvidence:
        """Tell what speaks for each number of speakers.

        That is what VBx finds, also where the agglomerative clustering is chosen, which
        knows no evidence. See `VBxClustering.evidence`.
        """
        return self.vbx.evidence(
            embeddings, segmentations, num_speakers, expected_clusters
        )
