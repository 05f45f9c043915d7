# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""VBx clustering of the speakers of all chunks, within bounds on their number.

Reliable embeddings are clustered agglomeratively, then by VBx in the PLDA space. Other
numbers of clusters are reached by merges and splits. Finally all speakers go to the
closest clusters, at most one speaker of a chunk to each.
"""

from collections.abc import Iterable, Mapping
from typing import Any, Literal

import numpy as np
from pyannote.audio.core import plda as host
from pyannote.audio.pipelines.clustering import BaseClustering
from pyannote.core import SlidingWindowFeature
from pyannote.pipeline.parameter import Integer, Uniform
from scipy.cluster.hierarchy import fcluster
from scipy.spatial.distance import cdist

from pyannote_diarizen.clustering.agglomerative import dendrogram_of
from pyannote_diarizen.clustering.local_speakers import (
    UNASSIGNED,
    Selection,
    active_speakers,
    one_to_one,
    select,
    single_cluster,
    speakers_together,
)
from pyannote_diarizen.clustering.num_speakers import (
    NumSpeakersEvidence,
    NumSpeakersRequest,
    fill_empty_clusters,
    sorted_numbers,
)
from pyannote_diarizen.functional.linkage import MAX_VECTORS, topmost_nodes
from pyannote_diarizen.functional.partitions import SpeakerPartitions
from pyannote_diarizen.functional.speaker_number import (
    NumSpeakersPrior,
    settle_num_speakers,
)
from pyannote_diarizen.functional.vbx import VBxModel, VBxPosterior, smooth_labels

LOOP_PROB = 0.9
"""Default of `loop_prob`: a speaker keeps the cluster for ten chunks on average."""
TOGETHER = 0.5
"""Share of the chunks that two speakers must have in common to be different people.

Diarization error rate of simulated conversations by evidence alone and with 0.1, 0.3,
0.5: 31.3, 28.8, 28.8, 28.8 %; of one speaker, whom chunks may split: 14.4 to 15.8 %.
"""
MAX_RESPONSIBILITIES = MAX_VECTORS**2
"""Maximum size of responsibilities: VBx starts with fewer clusters if need be."""


class VBxClustering(BaseClustering):
    """Bayesian clustering that finds the number of speakers.

    Parameters
    ----------
    plda : pyannote.audio.core.plda.PLDA
        PLDA fitted on embeddings of the same model.
    metric : str, optional
        Distance between embeddings and centroids of clusters. Defaults to "cosine".
    constrained_assignment : bool, optional
        Give speakers of the same chunk different clusters (default). Speakers without
        cluster are left unassigned (-2), unless the caller's bound excludes further
        clusters: then they join the closest one.
    min_active_ratio : float, optional
        Minimum share of a chunk in which a speaker is alone for the embedding to be
        clustered; the others are only assigned afterwards. If too few are left, all
        active speakers are clustered. Defaults to 0.1.
    ahc_criterion : {"distance", "maxclust"}, optional
        Whether `threshold` is the distance below which the agglomerative clustering
        merges (default), or the number of its clusters.
    max_iterations : int, optional
        Maximum number of iterations of VBx. Defaults to 20.
    ordered : bool, optional
        Use the order of time: VBx becomes a hidden Markov model, in which a speaker
        keeps the cluster in the next chunk with probability `loop_prob`. Defaults to
        False, the mixture.
    min_share : float, optional
        Share of the speech below which a cluster is spurious: it is dropped, and its
        embeddings join others. Defaults to 0.001, that is 3.6 seconds per hour of
        speech. Measured with 2 to 8 speakers and one embedding in twelve a mixture of
        two voices: with Fa 0.2 and Fb 1, 0.003, 0.02 and 0.05 leave 5.9, 4.4 and 1.4
        clusters in excess instead of 7.2, and lose 0.1, 0.2 and 1.3 % of purity.
    number_by : {"vbx", "evidence"}, optional
        Choose the number of clusters, within bounds, by VBx and its hyper-parameters
        (default), or by the evidence for each number, which hardly depends on them; see
        `functional.speaker_number` for the errors of both. With "evidence", speakers
        who share half of the chunks are different people.
    expected_clusters : float, optional
        Expected number of clusters, for calls that give none: the evidence chooses the
        number, under a prior centred on it.
    prior_weight : float, optional
        Weight of this prior, see `NumSpeakersPrior`. Defaults to 1.

    Hyper-parameters
    ----------------
    threshold : float in range [0.3, 1.2]
        Distance between unit-length centroids below which the agglomerative
        clustering merges. With `ahc_criterion="maxclust"`, its number of clusters, an
        integer in range [1, 20].
    Fa : float in range [0.01, 0.5]
        Weight of the embeddings in VBx.
    Fb : float in range [0.01, 15]
        Weight of the prior on speakers in VBx: the higher, the fewer speakers.
    loop_prob : float in range [0, 0.99]
        Only if `ordered`.

    References
    ----------
    J. Han et al., "Leveraging self-supervised learning for speaker diarization",
    ICASSP 2025 (DiariZen). VBx: see `functional.vbx`.
    """

    expects_num_clusters: bool = False
    default_number_by: Literal["vbx", "evidence"] = "vbx"
    silent_speakers_compete: bool = False
    """Whether silent speakers take clusters from active speakers of their chunk."""

    def __init__(
        self,
        plda: host.PLDA,
        metric: str = "cosine",
        constrained_assignment: bool = True,
        min_active_ratio: float = 0.1,
        ahc_criterion: Literal["distance", "maxclust"] = "distance",
        max_iterations: int = 20,
        ordered: bool = False,
        min_share: float = 0.001,
        number_by: Literal["vbx", "evidence"] | None = None,
        expected_clusters: float | None = None,
        prior_weight: float = 1.0,
    ) -> None:
        if ahc_criterion not in ("distance", "maxclust"):
            raise ValueError(
                "`ahc_criterion` should be 'distance' or 'maxclust', got "
                f"{ahc_criterion!r}."
            )
        if not 0 <= min_share < 1:
            raise ValueError(
                f"`min_share` should be in [0, 1), got {min_share}: is it in percent?"
            )
        if number_by not in (None, "vbx", "evidence"):
            raise ValueError(
                f"`number_by` should be 'vbx' or 'evidence', got {number_by!r}."
            )
        NumSpeakersPrior(expected_clusters, prior_weight)  # checks both
        super().__init__(metric=metric, constrained_assignment=constrained_assignment)
        self.plda = plda
        self.min_active_ratio = min_active_ratio
        self.ahc_criterion = ahc_criterion
        self.max_iterations = max_iterations
        self.ordered = ordered
        self.min_share = min_share
        self.number_by = number_by or self.default_number_by
        self.expected_clusters = expected_clusters
        self.prior_weight = prior_weight

        by_distance = ahc_criterion == "distance"
        self.threshold = Uniform(0.3, 1.2) if by_distance else Integer(1, 20)
        self.Fa = Uniform(0.01, 0.5)
        self.Fb = Uniform(0.01, 15.0)
        if ordered:
            self.loop_prob = Uniform(0.0, 0.99)

    @staticmethod
    def default_parameters(ordered: bool = False) -> dict[str, float]:
        """Hyper-parameters of the published DiariZen pipelines."""
        parameters = {"threshold": 0.6, "Fa": 0.07, "Fb": 0.8}
        return {**parameters, "loop_prob": LOOP_PROB} if ordered else parameters

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
        """Cluster embeddings.

        Parameters
        ----------
        embeddings : (num_chunks, num_speakers, dimension) np.ndarray
            NaN where an embedding could not be computed.
        segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature
            Activity of speakers, 0 or 1. By default, all speakers are active.
        num_clusters : int, optional
            Number of clusters, if known; fewer if there are fewer active speakers.
        min_clusters, max_clusters : int, optional
            Bounds on the number of clusters, ignored beside `num_clusters`.
        expected_clusters : float, optional
            Expected number of clusters. Defaults to "expected_speakers" of `file`, then
            to that of the constructor.
        file : Mapping, optional
            File of the embeddings.
        **kwargs
            Ignored: arguments that pyannote.audio passes to other clusterings.

        Returns
        -------
        hard_clusters : (num_chunks, num_speakers) np.ndarray of int32
            Cluster of each speaker; -2 if silent or unassigned.
        soft_clusters : (num_chunks, num_speakers, num_clusters) np.ndarray
            2 minus the distance to each centroid; the lowest of all for NaN.
        centroids : (num_clusters, dimension) np.ndarray
            Mean embeddings of clusters.

        Raises
        ------
        ValueError
            If bounds contradict each other, or `threshold` is not a number of clusters
            although `ahc_criterion` is "maxclust".
        """
        if expected_clusters is None and file is not None:
            expected_clusters = file.get("expected_speakers")
        active = active_speakers(embeddings, segmentations)
        selection = self._select(
            embeddings, segmentations, num_clusters or min_clusters or 2
        )
        train = selection.embeddings
        _, fewest, most = self.set_num_clusters(
            len(train), num_clusters, min_clusters, max_clusters
        )
        if len(train) < 2 or most < 2:
            return single_cluster(train, active | self.silent_speakers_compete)

        # bounds may be floats, or infinite
        request = self._request(selection, int(fewest), int(most), expected_clusters)
        posterior = self._find(selection, self._model(selection), request)
        centroids = self._centroids(posterior.responsibilities, train)
        soft_clusters = self._similarities(embeddings, centroids)

        no_other = len(centroids) == (num_clusters or max_clusters)
        hard_clusters = self._assign(soft_clusters, active, no_other)
        if request.fewest > 1:
            fill_empty_clusters(
                hard_clusters,
                posterior.responsibilities,
                selection.chunks,
                selection.speakers,
            )
        return hard_clusters, soft_clusters, centroids

    def evidence(
        self,
        embeddings: np.ndarray,
        segmentations: SlidingWindowFeature | None = None,
        num_speakers: Iterable[int] | None = None,
        expected_clusters: float | None = None,
    ) -> NumSpeakersEvidence:
        """Evidence for each number of speakers.

        Parameters
        ----------
        embeddings, segmentations, expected_clusters
            See `__call__`.
        num_speakers : Iterable of int, optional
            Numbers to try, between 1 and the number of clustered embeddings. Defaults
            to 1 to 10, or to twice the number that is found.

        Returns
        -------
        evidence : NumSpeakersEvidence

        Raises
        ------
        ValueError
            If there are fewer than two embeddings, or a number is out of range.
        """
        selection = self._select(embeddings, segmentations)
        num_embeddings = len(selection)
        if num_embeddings < 2:
            raise ValueError(
                "The evidence for a number of speakers needs at least two embeddings "
                f"to cluster, got {num_embeddings}: is there speech in the file?"
            )
        model = self._model(selection)
        request = self._request(selection, 1, num_embeddings, expected_clusters)
        posterior = self._find(selection, model, request)
        found = len(posterior.priors)
        if num_speakers is None:
            num_speakers = range(1, min(max(10, 2 * found), num_embeddings) + 1)
        numbers = sorted_numbers(num_speakers, num_embeddings)
        partitions = SpeakerPartitions(model.embeddings, model.phi)
        walk = dict(partitions.walk(posterior.labels, numbers[0], numbers[-1]))
        prior = request.prior or NumSpeakersPrior()
        return NumSpeakersEvidence(
            num_speakers=numbers,
            log_evidence=np.array([partitions.evidence(walk[n]) for n in numbers]),
            log_prior=prior.log_prior(numbers, num_embeddings),
            found=found,
            responsibilities=posterior.responsibilities,
            chunks=selection.chunks,
            speakers=selection.speakers,
            separation=partitions.separation(posterior.labels, found),
            elbo=posterior.elbo,
        )

    def _request(
        self,
        selection: Selection,
        fewest: int,
        most: int,
        expected_clusters: float | None,
    ) -> NumSpeakersRequest:
        """Bounds on the number of clusters, and the prior if evidence chooses it."""
        expected = expected_clusters or self.expected_clusters
        if expected is None and self.number_by == "vbx":
            return NumSpeakersRequest(fewest, most)
        together = speakers_together(selection.chunks, TOGETHER)
        prior = NumSpeakersPrior(expected, self.prior_weight)
        return NumSpeakersRequest(min(most, max(fewest, together)), most, prior)

    def _select(
        self,
        embeddings: np.ndarray,
        segmentations: SlidingWindowFeature | None,
        min_embeddings: int = 2,
    ) -> Selection:
        """Embeddings to cluster."""
        ratio = self.min_active_ratio
        return select(embeddings, segmentations, ratio, min_embeddings, self.ordered)

    def _model(self, selection: Selection) -> VBxModel:
        """VBx of the selected embeddings, with the current hyper-parameters."""
        return VBxModel(
            self.plda(selection.embeddings),
            self.plda.phi,
            Fa=self.Fa,
            Fb=self.Fb,
            loop_probability=self.loop_prob if self.ordered else 0.0,
            starts=selection.starts,
            max_iterations=self.max_iterations,
        )

    def _find(
        self, selection: Selection, model: VBxModel, request: NumSpeakersRequest
    ) -> VBxPosterior:
        """Speakers, as many as requested."""
        lengths = np.linalg.norm(selection.embeddings, axis=1, keepdims=True)
        labels = self._first_labels(dendrogram_of(selection.embeddings / lengths))
        posterior = model.fit(smooth_labels(labels))
        fewest, most = request.fewest, request.most
        posterior = model.drop_spurious(
            posterior, selection.speech, self.min_share, fewest
        )
        return settle_num_speakers(model, posterior, fewest, most, request.prior)

    def _first_labels(self, dendrogram: np.ndarray) -> np.ndarray:
        """Clusters (num_embeddings,) of the agglomerative clustering."""
        if self.ahc_criterion == "maxclust" and self.threshold < 1:
            raise ValueError(
                "`threshold` should be a number of clusters with ahc_criterion="
                f"'maxclust', got {self.threshold}: is it a distance?"
            )
        labels = fcluster(dendrogram, self.threshold, criterion=self.ahc_criterion)
        most = MAX_RESPONSIBILITIES // len(labels)
        if labels.max() > most:
            labels = topmost_nodes(dendrogram[: len(labels) - most], len(labels))
        return np.unique(labels, return_inverse=True)[1]

    def _centroids(
        self, responsibilities: np.ndarray, embeddings: np.ndarray
    ) -> np.ndarray:
        """Mean embeddings (num_clusters, dimension)."""
        sums = responsibilities.T @ embeddings
        return sums / responsibilities.sum(axis=0)[:, None]

    def _similarities(
        self, embeddings: np.ndarray, centroids: np.ndarray
    ) -> np.ndarray:
        """2 minus distances (num_chunks, num_speakers, num_clusters), never NaN."""
        num_chunks, num_speakers, dimension = embeddings.shape
        flat = embeddings.reshape(-1, dimension)  # cdist takes matrices only
        scores = 2 - cdist(flat, centroids, metric=self.metric)
        scores = np.nan_to_num(scores, nan=np.nanmin(scores, initial=2))
        return scores.reshape(num_chunks, num_speakers, -1)

    def _assign(
        self, soft_clusters: np.ndarray, active: np.ndarray, no_other: bool
    ) -> np.ndarray:
        """Hard clusters (num_chunks, num_speakers) of the competing speakers."""
        competing = active | self.silent_speakers_compete
        closest = soft_clusters.argmax(axis=2).astype(np.int32)
        if not self.constrained_assignment:
            return np.where(competing, closest, UNASSIGNED)

        hard_clusters = one_to_one(soft_clusters, competing)
        if no_other:  # no cluster is left for unassigned speakers
            left_over = active & (hard_clusters == UNASSIGNED)
            hard_clusters[left_over] = closest[left_over]
        return hard_clusters
