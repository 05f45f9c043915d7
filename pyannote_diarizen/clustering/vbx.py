# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""VBx clustering of (chunk, speaker) embeddings, within bounds on their number.

Reliable embeddings are clustered agglomeratively, then by VBx in the PLDA space, which
finds the number of clusters. Another number is reached by merging and splitting the
clusters of VBx by their evidence. Finally all embeddings go to the closest clusters, at
most one speaker of a chunk to each.
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

from pyannote_diarizen.clustering.count_evidence import CountEvidence
from pyannote_diarizen.clustering.dendrograms import dendrogram_of
from pyannote_diarizen.clustering.local_speakers import (
    UNASSIGNED,
    active_speakers,
    number_unassigned,
    one_to_one,
    speakers_together,
)
from pyannote_diarizen.clustering.num_speakers import (
    fill_empty_clusters,
    single_cluster,
)
from pyannote_diarizen.clustering.selection import Selection, select
from pyannote_diarizen.functional.linkage import MAX_VECTORS, topmost_nodes
from pyannote_diarizen.functional.speaker_search import (
    CountPrior,
    separation,
    settle_number,
    weigh_numbers,
)
from pyannote_diarizen.functional.vbx import VBxPosterior, smooth_labels
from pyannote_diarizen.functional.vbx_model import VBxModel

LOOP_PROB = 0.9
"""To start from: a voice keeps its cluster for ten chunks in a row."""
TOGETHER = 0.5
"""Share of the chunks in which people have to meet to count as different ones.

Of simulated conversations of development speakers, by evidence alone and with 0.1, 0.3
and 0.5: error rate of any kind 31.3, 28.8, 28.8 and 28.8 %, of one speaker 14.4, 15.8,
15.0 and 14.4 %, whose voice is split by chunks that hear two.
"""
MAX_RESPONSIBILITIES = MAX_VECTORS**2
"""VBx starts with fewer clusters where those of `threshold` would need more."""


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
    ordered : bool, optional
        Use the order of time: VBx becomes a hidden Markov model, in which a voice that
        goes on from chunk to chunk keeps its cluster with probability `loop_prob`.
        Defaults to False, the mixture.
    min_share : float, optional
        Drop clusters with less than that share of the speech, whose embeddings then
        join others. Defaults to 0.001, that is 3.6 seconds per hour of speech, which no
        real speaker falls short of. Measured with one embedding in twelve a mixture of
        two voices, 2 to 8 speakers: at the published operating point, phantoms are few
        and up to 0.015 changes nothing; with Fa 0.2 and Fb 1, 0.003, 0.02 and 0.05
        leave 5.9, 4.4 and 1.4 clusters in excess instead of 7.2, at a loss of 0.1, 0.2
        and 1.3 % of purity, as real voices who say little go, too.
    number_by : {"vbx", "evidence"}, optional
        What decides on the number of clusters, within bounds: VBx, according to its
        hyper-parameters (default), or the evidence for each number, which knows none
        of them; see `functional.speaker_search` for how far they are off. Evidence
        knows that those who meet in half of the chunks are different people.
    expected_clusters : float, optional
        Number of clusters that the answer should be near, where the caller says
        nothing. If there is one, evidence decides.
    prior_weight : float, optional
        How much `expected_clusters` matters: k clusters instead of m cost this many
        nats per embedding, times the square of log(k / m). Defaults to 1.

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
    loop_prob : float in range [0, 0.99]
        Only if `ordered`.

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
        ordered: bool = False,
        min_share: float = 0.001,
        number_by: Literal["vbx", "evidence"] = "vbx",
        expected_clusters: float | None = None,
        prior_weight: float = 1.0,
    ) -> None:
        if ahc_criterion not in ("distance", "maxclust"):
            raise ValueError(
                "`ahc_criterion` should be 'distance' or 'maxclust', got "
                f"{ahc_criterion!r}."
            )
        if centroid not in ("mean", "sum"):
            raise ValueError(f"`centroid` should be 'mean' or 'sum', got {centroid!r}.")
        if not 0 <= min_share < 1:
            raise ValueError(
                f"`min_share` should be at least 0 and below 1, got {min_share}: is it "
                "in percent?"
            )
        if number_by not in ("vbx", "evidence"):
            raise ValueError(
                f"`number_by` should be 'vbx' or 'evidence', got {number_by!r}."
            )
        super().__init__(metric=metric, constrained_assignment=constrained_assignment)
        self.plda = plda
        self.min_active_ratio = min_active_ratio
        self.ahc_criterion = ahc_criterion
        self.max_iterations = max_iterations
        self.bounded = bounded
        self.silent_speakers_compete = silent_speakers_compete
        self.phantom_speaker = phantom_speaker
        self.centroid = centroid
        self.ordered = ordered
        self.min_share = min_share
        self.number_by = number_by
        self.expected_clusters = expected_clusters
        self.prior_weight = prior_weight

        self._declare_parameters()

    def _declare_parameters(self) -> None:
        """Set hyper-parameters, which depend on arguments of the constructor."""
        by_distance = self.ahc_criterion == "distance"
        self.threshold = Uniform(0.3, 1.2) if by_distance else Integer(1, 20)
        self.Fa = Uniform(0.01, 0.5)
        self.Fb = Uniform(0.01, 15.0)
        if self.ordered:
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
            Those that could not be computed hold NaN.
        segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature
            Activity of speakers, 0 or 1. Everybody is active if omitted.
        num_clusters : int, optional
            Number of clusters, if known. Fewer are found only if there are fewer
            active speakers in all chunks together.
        min_clusters, max_clusters : int, optional
            Bounds on the number of clusters, ignored beside `num_clusters`.
        expected_clusters : float, optional
            Number of clusters that the answer should be near. Defaults to the
            "expected_speakers" of `file`, then to what the constructor was given.
        file : Mapping, optional
            What the embeddings come from.
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
        if expected_clusters is None and file is not None:
            expected_clusters = file.get("expected_speakers")
        clusters = self._cluster_all(
            embeddings,
            segmentations,
            num_clusters,
            min_clusters,
            max_clusters,
            self._prior(expected_clusters) if self.bounded else None,
        )
        return number_unassigned(*clusters) if self.phantom_speaker else clusters

    def evidence(
        self,
        embeddings: np.ndarray,
        segmentations: SlidingWindowFeature | None = None,
        num_speakers: Iterable[int] | None = None,
        expected_clusters: float | None = None,
    ) -> CountEvidence:
        """Tell what speaks for each number of speakers.

        Parameters
        ----------
        embeddings, segmentations
            As of a call.
        num_speakers : Iterable of int, optional
            Numbers to try, from 1 to that of the embeddings that are clustered.
            Defaults to those from 1 to 10, or to twice what is found.
        expected_clusters : float, optional
            As of a call. Defaults to what the constructor was given.

        Returns
        -------
        evidence : CountEvidence

        Raises
        ------
        ValueError
            If there are fewer than two embeddings to cluster.
        """
        selection = self._select(embeddings, segmentations)
        if len(selection) < 2:
            raise ValueError(
                f"Only {len(selection)} embedding(s) can be clustered, which says "
                "nothing about the number of speakers."
            )
        prior = self._prior(expected_clusters)
        model = self._model(selection)
        fewest = self._fewest(selection, 1, len(selection), prior)
        posterior = self._find(selection, model, fewest, len(selection), prior)
        found = len(posterior.priors)
        if num_speakers is None:
            num_speakers = range(1, min(max(10, 2 * found), len(selection)) + 1)
        bounds = weigh_numbers(model, posterior, num_speakers)
        counts = np.array(list(bounds))
        return CountEvidence(
            num_speakers=counts,
            log_evidence=np.array(list(bounds.values())),
            log_prior=(prior or CountPrior()).log_prior(counts, len(selection)),
            found=found,
            responsibilities=posterior.responsibilities,
            chunks=selection.chunks,
            speakers=selection.speakers,
            separation=separation(model, posterior),
            elbo=posterior.elbo,
        )

    def _cluster_all(
        self,
        embeddings: np.ndarray,
        segmentations: SlidingWindowFeature | None,
        num_clusters: int | None,
        min_clusters: int | None,
        max_clusters: int | None,
        prior: CountPrior | None,
    ) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
        """Hard clusters, soft clusters and centroids, the unassigned left alone."""
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

        model = self._model(selection)
        # who computes bounds may come with floats, as with infinity
        fewest = self._fewest(selection, int(fewest), int(most), prior)
        posterior = self._find(selection, model, fewest, int(most), prior)
        responsibilities = posterior.responsibilities
        centroids = responsibilities.T @ train
        if self.centroid == "mean":
            centroids /= responsibilities.sum(axis=0)[:, None]
        soft_clusters = self._similarities(embeddings, centroids)

        nobody_else = len(centroids) == (num_clusters or max_clusters)
        hard_clusters = self._assign(soft_clusters, active, nobody_else)
        if fewest > 1:
            fill_empty_clusters(
                hard_clusters, responsibilities, selection.chunks, selection.speakers
            )
        return hard_clusters, soft_clusters, centroids

    def _prior(self, expected_clusters: float | None) -> CountPrior | None:
        """Prior under which evidence decides; None if VBx does."""
        expected = expected_clusters or self.expected_clusters
        if expected is None and self.number_by == "vbx":
            return None
        return CountPrior(expected, self.prior_weight)

    @staticmethod
    def _fewest(
        selection: Selection, fewest: int, most: int, prior: CountPrior | None
    ) -> int:
        """Clusters that there are at least, those of people who meet included."""
        if prior is None:
            return fewest
        return min(most, max(fewest, speakers_together(selection.chunks, TOGETHER)))

    def _select(
        self,
        embeddings: np.ndarray,
        segmentations: SlidingWindowFeature | None,
        min_embeddings: int = 2,
    ) -> Selection:
        """Embeddings to cluster."""
        return select(
            embeddings,
            segmentations,
            self.min_active_ratio,
            min_embeddings,
            self.ordered,
        )

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
        selection = select(embeddings, segmentations, ratio, min_embeddings)
        return selection.embeddings, selection.chunks, selection.speakers

    def _find(
        self,
        selection: Selection,
        model: VBxModel,
        fewest: int,
        most: int,
        prior: CountPrior | None,
    ) -> VBxPosterior:
        """Find speakers, as many as allowed: between `fewest` and `most`."""
        lengths = np.linalg.norm(selection.embeddings, axis=1, keepdims=True)
        directions = selection.embeddings / lengths
        posterior = self._fit(model, dendrogram_of(directions, method="centroid"))
        posterior = model.drop_phantoms(
            posterior, selection.speech, self.min_share, fewest
        )
        return settle_number(model, posterior, fewest, most, prior)

    def _fit(self, model: VBxModel, dendrogram: np.ndarray) -> VBxPosterior:
        """Run VBx from the clusters of the agglomerative clustering."""
        return model.fit(smooth_labels(self._first_labels(dendrogram)))

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
