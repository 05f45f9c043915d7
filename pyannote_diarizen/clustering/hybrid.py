# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Agglomerative clustering that VBx refines where it is doubtful, and only there."""

from typing import Any, Literal

import numpy as np
from pyannote.audio.core import plda as host
from pyannote.pipeline.parameter import Uniform
from scipy.cluster.hierarchy import fcluster

from pyannote_diarizen.clustering.vbx import VBxClustering
from pyannote_diarizen.functional.vbx import VBxPosterior, smooth_labels
from pyannote_diarizen.functional.vbx_model import VBxModel


class HybridClustering(VBxClustering):
    """Agglomerative clustering whose doubtful clusters go through VBx.

    The rule: the agglomerative clustering is cut at `threshold`, and again at
    `threshold + margin`. Clusters that the second cut leaves alone are certain and
    stay as they are. Those that it would merge into one are doubtful: VBx refines them
    together, as if there were nobody else, which merges those that are one speaker and
    moves embeddings between the others.

    With `margin` 0 nothing is doubtful, with 1 nearly everything: embeddings that have
    nothing in common are 1.4 apart. What follows is as in `VBxClustering`: speakers who
    hardly speak are dropped, and numbers that the caller gives are reached.

    Parameters
    ----------
    plda : pyannote.audio.core.plda.PLDA
        PLDA made for these embeddings.
    number_by : {"evidence", "vbx"}, optional
        See `VBxClustering`. Defaults to the evidence, since VBx that is told of some
        speakers only merges too many: of 20 real voices, it misses 6 instead of 1.
    **options
        See `VBxClustering`. `ahc_criterion` has to be "distance".

    Hyper-parameters
    ----------------
    threshold, Fa, Fb, loop_prob
        See `VBxClustering`.
    margin : float in range [0, 1]
        Distance above `threshold` up to which merges are doubtful.
    """

    def __init__(
        self,
        plda: host.PLDA,
        number_by: Literal["vbx", "evidence"] = "evidence",
        **options: Any,
    ) -> None:
        super().__init__(plda, number_by=number_by, **options)

    def _declare_parameters(self) -> None:
        if self.ahc_criterion != "distance":
            raise ValueError(
                "`ahc_criterion` should be 'distance', to which `margin` is added, got "
                f"{self.ahc_criterion!r}."
            )
        super()._declare_parameters()
        self.margin = Uniform(0.0, 1.0)

    @staticmethod
    def default_parameters(ordered: bool = False) -> dict[str, float]:
        """Those of `VBxClustering`, and a margin that doubts halves of a speaker."""
        return {**VBxClustering.default_parameters(ordered), "margin": 0.3}

    def _fit(self, model: VBxModel, dendrogram: np.ndarray) -> VBxPosterior:
        """Run VBx in each group of clusters that the second cut merges."""
        labels = self._first_labels(dendrogram)
        _, firsts = np.unique(labels, return_index=True)
        second_cut = fcluster(dendrogram, self.threshold + self.margin, "distance")
        groups = second_cut[firsts][labels]
        responsibilities = []
        for group in np.unique(groups):
            members = groups == group
            _, clusters = np.unique(labels[members], return_inverse=True)
            part = smooth_labels(clusters)
            if part.shape[1] > 1:
                part = model.restricted(members).fit(part).responsibilities
            columns = np.zeros((len(labels), part.shape[1]))
            columns[members] = part
            responsibilities.append(columns)
        return model.certain(np.hstack(responsibilities))
