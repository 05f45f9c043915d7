# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Metrics: diarization error rate, speaker count error, equal error rate.

The diarization error rate is that of pyannote.metrics, without forgiveness collar and
with overlapped speech. Its components are kept and summed over files, so that each file
of a corpus has the weight of its speech. The speaker count error is a metric in the
sense of pyannote.metrics. The equal error rate is that of speaker verification.
"""

from dataclasses import dataclass
from typing import Any

import numpy as np
from pyannote.core import Annotation, Timeline
from pyannote.metrics.base import BaseMetric
from pyannote.metrics.diarization import DiarizationErrorRate
from scipy.spatial.distance import cdist

from pyannote_diarizen.clustering.plda import PLDA
from pyannote_diarizen.corpora.protocols import merge_turns
from pyannote_diarizen.functional.detection import pairwise_equal_error_rate

MAX_EMBEDDINGS = 4000
"""Embeddings of one verification test: 8 million trials, half a gigabyte."""


@dataclass(frozen=True)
class DiarizationScore:
    """Errors of one file, or the sum over several files.

    Parameters
    ----------
    total : float
        Speech of the reference in seconds, overlapped speech once per speaker.
    missed_detection, false_alarm, confusion : float
        Seconds of missed speech, of speech where the reference has none, and of speech
        assigned to another speaker.

    Examples
    --------
    >>> score = DiarizationScore(total=8.0, missed_detection=1.0, confusion=1.0)
    >>> (score + DiarizationScore(total=2.0)).error_rate
    0.2
    """

    total: float = 0.0
    missed_detection: float = 0.0
    false_alarm: float = 0.0
    confusion: float = 0.0

    @property
    def error(self) -> float:
        """Missed detection, false alarm and confusion, in seconds."""
        return self.missed_detection + self.false_alarm + self.confusion

    @property
    def error_rate(self) -> float:
        """Share of `total`, above 1 with many false alarms.

        Without any speech in the reference: 0 if nothing was detected, else 1.
        """
        return self.share(self.error)

    def share(self, seconds: float) -> float:
        """Divide seconds of error by the speech of the reference."""
        return seconds / self.total if self.total else float(seconds > 0)

    def __add__(self, other: "DiarizationScore") -> "DiarizationScore":
        """Sum the errors of two files."""
        return DiarizationScore(
            self.total + other.total,
            self.missed_detection + other.missed_detection,
            self.false_alarm + other.false_alarm,
            self.confusion + other.confusion,
        )


def score_diarization(
    reference: Annotation, hypothesis: Annotation, annotated: Timeline
) -> DiarizationScore:
    """Score a diarization, with the optimal mapping of speakers.

    Parameters
    ----------
    reference, hypothesis : Annotation
        True turns of speakers, and turns that a pipeline found. Overlapping turns of
        one speaker count once.
    annotated : Timeline
        Annotated part of the file (UEM); the rest is not scored.

    Returns
    -------
    score : DiarizationScore
        Errors of this file.
    """
    metric = DiarizationErrorRate(collar=0.0, skip_overlap=False)
    components = metric.compute_components(
        merge_turns(reference), merge_turns(hypothesis), uem=annotated
    )
    return DiarizationScore(
        total=components["total"],
        missed_detection=components["missed detection"],
        false_alarm=components["false alarm"],
        confusion=components["confusion"],
    )


class SpeakerCountError(BaseMetric):
    """Mean absolute difference between the found and the true number of speakers.

    Speakers with any speech in the annotated part count. Differences of both signs add
    up: one file with a speaker too many and one with a speaker too few give 1.
    """

    @classmethod
    def metric_name(cls) -> str:
        """Return the name in reports."""
        return "speaker count error"

    @classmethod
    def metric_components(cls) -> list[str]:
        """Return the names of the components, which are summed over files."""
        return ["difference", "files"]

    def compute_components(
        self,
        reference: Annotation,
        hypothesis: Annotation,
        uem: Timeline | None = None,
        **kwargs: Any,
    ) -> dict[str, float]:
        """Compare the numbers of speakers of one file.

        Parameters
        ----------
        reference, hypothesis : Annotation
            True turns of speakers, and turns that a pipeline found.
        uem : Timeline, optional
            Annotated part of the file. Defaults to all.
        **kwargs
            Ignored.

        Returns
        -------
        components : dict
            Absolute difference, and 1 file.
        """
        if uem is not None:
            reference, hypothesis = reference.crop(uem), hypothesis.crop(uem)
        # in the annotated part only; speaker names do not matter
        difference = len(hypothesis.labels()) - len(reference.labels())
        return {"difference": float(abs(difference)), "files": 1.0}

    def compute_metric(self, components: dict[str, float]) -> float:
        """Return the mean over files, 0 without any."""
        return components["difference"] / max(components["files"], 1.0)


def equal_error_rates(
    plda: PLDA, embeddings: np.ndarray, labels: np.ndarray
) -> dict[str, float]:
    """Compute equal error rates of a PLDA and of the cosine, over all pairs.

    Parameters
    ----------
    plda : PLDA
        PLDA to evaluate.
    embeddings : (num_embeddings, dimension) np.ndarray
        Embeddings of speakers that were not in the training data. If there are more
        than `MAX_EMBEDDINGS`, a fixed random subset is used.
    labels : (num_embeddings,) np.ndarray
        Speaker of each embedding.

    Returns
    -------
    rates : dict of float
        Between 0 and 1, of "cosine" and "PLDA".

    Raises
    ------
    ValueError
        If no speaker has two embeddings, or there is one speaker only.
    """
    if len(labels) > MAX_EMBEDDINGS:
        rng = np.random.default_rng(0)
        drawn = rng.choice(len(labels), MAX_EMBEDDINGS, replace=False)
        embeddings, labels = embeddings[drawn], labels[drawn]
    scores = {  # (num_embeddings, num_embeddings) each
        # minus the cosine distance: higher for the same speaker
        "cosine": -cdist(embeddings, embeddings, "cosine"),
        "PLDA": plda.log_likelihood_ratio(embeddings, embeddings),
    }
    return {
        name: pairwise_equal_error_rate(matrix, labels)
        for name, matrix in scores.items()
    }
