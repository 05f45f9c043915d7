# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Diarization error rate: no forgiveness collar, overlapped speech scored.

Computed by pyannote.metrics; the components come along, and scores add up, so that a
corpus weighs each file by its speech.
"""

from dataclasses import dataclass

from pyannote.core import Annotation, Timeline
from pyannote.metrics.diarization import DiarizationErrorRate


@dataclass(frozen=True)
class DiarizationScore:
    """Errors of one file, or of several added up.

    Parameters
    ----------
    total : float
        Speech of the reference in seconds, overlapped speech once per speaker.
    missed_detection, false_alarm, confusion : float
        Seconds in which a speaker was missed, invented, or taken for another.

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
        """Seconds of error as a share of the speech of the reference."""
        return seconds / self.total if self.total else float(seconds > 0)

    def __add__(self, other: "DiarizationScore") -> "DiarizationScore":
        """Pool the errors of two files."""
        return DiarizationScore(
            self.total + other.total,
            self.missed_detection + other.missed_detection,
            self.false_alarm + other.false_alarm,
            self.confusion + other.confusion,
        )


def score_diarization(
    reference: Annotation, hypothesis: Annotation, annotated: Timeline
) -> DiarizationScore:
    """Score a diarization, with the mapping of speakers that suits it best.

    Parameters
    ----------
    reference, hypothesis : Annotation
        Who really speaks when, and who is said to.
    annotated : Timeline
        What was annotated (UEM); the rest is not scored.

    Returns
    -------
    score : DiarizationScore
        Errors of this file.
    """
    metric = DiarizationErrorRate(collar=0.0, skip_overlap=False)
    components = metric.compute_components(reference, hypothesis, uem=annotated)
    return DiarizationScore(
        total=components["total"],
        missed_detection=components["missed detection"],
        false_alarm=components["false alarm"],
        confusion=components["confusion"],
    )
