# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Comparison of a diarization with its reference: errors in time, and their sums.

Speakers are mapped so that the diarization error rate is lowest, without collar and
with overlapped speech. pyannote.metrics compares each turn with all others, which takes
minutes for hours of speech: here it is given one block of the recording after another.
"""

from collections import Counter, defaultdict
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Literal

import numpy as np
from pyannote.core import Annotation, Segment
from pyannote.metrics.errors.identification import IdentificationErrorAnalysis
from scipy.optimize import linear_sum_assignment

from pyannote_diarizen.corpora.protocols import merge_turns
from pyannote_diarizen.evaluation.metrics import DiarizationScore, reference_labels

_BLOCK_DURATION = 300.0

Kind = Literal["missed", "false alarm", "confusion"]
_KINDS: dict[str, Kind] = {
    "missed detection": "missed",
    "false alarm": "false alarm",
    "confusion": "confusion",
}
_ERRORS = IdentificationErrorAnalysis()


@dataclass(frozen=True)
class DiarizationError:
    """One error of a diarization.

    Parameters
    ----------
    start, end : float
        Seconds.
    kind : {"missed", "false alarm", "confusion"}
    reference : str or None
        Speaker of the reference; None for false alarms.
    hypothesis : str or None
        Speaker of the diarization; None for missed speech.
    """

    start: float
    end: float
    kind: Kind
    reference: str | None
    hypothesis: str | None


@dataclass(frozen=True)
class Comparison:
    """Errors of a diarization.

    Parameters
    ----------
    mapping : dict of str
        Speaker of the reference by speaker of the diarization; speakers in excess are
        absent.
    errors : list of DiarizationError
        Sorted by start.
    score : DiarizationScore
        Sums of the errors in seconds.
    """

    mapping: dict[str, str]
    errors: list[DiarizationError]
    score: DiarizationScore


def _map_speakers(reference: Annotation, hypothesis: Annotation) -> dict[str, str]:
    """Map speakers of a diarization to those of the reference.

    Returns
    -------
    mapping : dict of str
        Speaker of the reference by speaker of the diarization. Speakers that share no
        speech with the one that is left for them are absent.
    """
    seconds: Counter[tuple[str, str]] = Counter()
    for first, second in _blocks(reference, hypothesis):
        for (turn, track), (other, other_track) in first.co_iter(second):
            pair = first[turn, track], second[other, other_track]
            seconds[pair] += (turn & other).duration
    expected, found = reference.labels(), hypothesis.labels()
    # (num_speakers of the reference, num_speakers of the hypothesis)
    shared = np.array([[seconds[one, two] for two in found] for one in expected])
    if shared.size == 0:
        return {}
    pairs = zip(*linear_sum_assignment(shared, maximize=True), strict=True)
    return {found[two]: expected[one] for one, two in pairs if shared[one, two] > 0}


def compare(reference: Annotation, hypothesis: Annotation) -> Comparison:
    """Compare a diarization with its reference.

    Parameters
    ----------
    reference, hypothesis : Annotation
        True turns of speakers, and turns that a pipeline found. Overlapping turns of
        one speaker count once.

    Returns
    -------
    comparison : Comparison
        Mapping and errors of the whole recording.
    """
    reference, hypothesis = merge_turns(reference), merge_turns(hypothesis)
    mapping = _map_speakers(reference, hypothesis)
    found = reference_labels(hypothesis, mapping)
    names = {key: label for label, key in found.items()}
    difference = Annotation()
    for first, second in _blocks(reference, hypothesis.rename_labels(found)):
        # a block scores where any of the two speaks
        annotated = first.get_timeline().union(second.get_timeline()).support()
        difference.update(_ERRORS.difference(first, second, uem=annotated))
    errors = [
        DiarizationError(
            start=segment.start,
            end=segment.end,
            kind=_KINDS[status],
            reference=right,
            hypothesis=names.get(wrong),
        )
        # the support joins what the borders of blocks cut
        for segment, _, (status, right, wrong) in difference.support().itertracks(
            yield_label=True
        )
        if status in _KINDS
    ]
    return Comparison(mapping, errors, _sum(reference, errors))


def _blocks(
    first: Annotation, second: Annotation
) -> Iterator[tuple[Annotation, Annotation]]:
    """Yield both annotations in blocks of the recording."""
    end = max(each.get_timeline().extent().end for each in (first, second))
    for start in np.arange(0.0, end, _BLOCK_DURATION):
        block = Segment(start, start + _BLOCK_DURATION)
        yield first.crop(block), second.crop(block)


def _sum(reference: Annotation, errors: list[DiarizationError]) -> DiarizationScore:
    seconds: dict[Kind, float] = defaultdict(float)
    for error in errors:
        seconds[error.kind] += error.end - error.start
    return DiarizationScore(
        total=sum(reference.label_duration(label) for label in reference.labels()),
        missed_detection=seconds["missed"],
        false_alarm=seconds["false alarm"],
        confusion=seconds["confusion"],
    )
