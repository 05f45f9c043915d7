# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Metrics: diarization error rate, Jaccard error rate, speaker count and equal errors.

The diarization error rate and the Jaccard error rate are those of pyannote.metrics, by
default without forgiveness collar and with overlapped speech. Components are kept and
summed over files, so that each file of a corpus has the weight of its speech. The
speaker count error is a metric in the sense of pyannote.metrics. The equal error rate
is that of speaker verification.

A collar is the total width of the part around each boundary of the reference that is
not scored, half of it on each side, as in pyannote.metrics. md-eval of NIST, dscore and
NeMo give the width of one side: their 0.25 is 0.5 here.
"""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
from pyannote.core import Annotation, Timeline
from pyannote.metrics.base import BaseMetric
from pyannote.metrics.diarization import DiarizationErrorRate, JaccardErrorRate
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


@dataclass(frozen=True)
class JaccardScore:
    """Jaccard errors of one file, or the sum over several files.

    Parameters
    ----------
    errors : float
        Sum over the speakers of the reference. The error of one is 1 minus the Jaccard
        index (intersection over union) of its speech and that of the speaker it is
        mapped to; 1 without such a speaker.
    num_speakers : int
        Number of speakers in the reference.

    Examples
    --------
    >>> (JaccardScore(0.5, 2) + JaccardScore(1.0, 1)).error_rate
    0.5
    """

    errors: float = 0.0
    num_speakers: int = 0

    @property
    def error_rate(self) -> float:
        """Mean over speakers, 0 without any."""
        return self.errors / max(self.num_speakers, 1)

    def __add__(self, other: "JaccardScore") -> "JaccardScore":
        """Sum the errors of two files."""
        num_speakers = self.num_speakers + other.num_speakers
        return JaccardScore(self.errors + other.errors, num_speakers)


def score_diarization(
    reference: Annotation,
    hypothesis: Annotation,
    annotated: Timeline,
    collar: float = 0.0,
    skip_overlap: bool = False,
) -> DiarizationScore:
    """Score a diarization, with the optimal mapping of speakers.

    Parameters
    ----------
    reference, hypothesis : Annotation
        True turns of speakers, and turns that a pipeline found. Overlapping turns of
        one speaker count once.
    annotated : Timeline
        Annotated part of the file (UEM); the rest is not scored.
    collar : float, optional
        Seconds around each boundary of `reference` that are not scored, half of them
        on each side. Defaults to 0.
    skip_overlap : bool, optional
        Score speech of one speaker and silence only. Defaults to False.

    Returns
    -------
    score : DiarizationScore
        Errors of this file.
    """
    metric = DiarizationErrorRate(collar=collar, skip_overlap=skip_overlap)
    components = metric.compute_components(
        merge_turns(reference), merge_turns(hypothesis), uem=annotated
    )
    return DiarizationScore(
        total=components["total"],
        missed_detection=components["missed detection"],
        false_alarm=components["false alarm"],
        confusion=components["confusion"],
    )


def score_jaccard(
    reference: Annotation,
    hypothesis: Annotation,
    annotated: Timeline,
    collar: float = 0.0,
    skip_overlap: bool = False,
) -> JaccardScore:
    """Compute Jaccard errors, see `score_diarization` for the parameters.

    References
    ----------
    N. Ryant et al., "The second DIHARD diarization challenge", Interspeech 2019.
    """
    metric = JaccardErrorRate(collar=collar, skip_overlap=skip_overlap)
    components = metric.compute_components(
        merge_turns(reference), merge_turns(hypothesis), uem=annotated
    )
    return JaccardScore(components["speaker error"], int(components["speaker count"]))


def reference_labels(
    hypothesis: Annotation, mapping: Mapping[str, str]
) -> dict[str, Hashable]:
    """Speaker of the reference of each speaker of a hypothesis.

    Parameters
    ----------
    hypothesis : Annotation
    mapping : dict of str
        Speaker of the reference by speaker of the hypothesis.

    Returns
    -------
    labels : dict
        Those of speakers in excess are pairs, since a speaker in excess may have the
        name of one of the reference.
    """
    return {
        label: mapping.get(label, ("in excess", label)) for label in hypothesis.labels()
    }


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
        expected, found = self.count(reference, hypothesis, uem)
        return {"difference": float(abs(found - expected)), "files": 1.0}

    @staticmethod
    def count(
        reference: Annotation, hypothesis: Annotation, uem: Timeline | None = None
    ) -> tuple[int, int]:
        """Count the speakers of both in the annotated part; names do not matter."""
        if uem is not None:
            reference, hypothesis = reference.crop(uem), hypothesis.crop(uem)
        return len(reference.labels()), len(hypothesis.labels())

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
