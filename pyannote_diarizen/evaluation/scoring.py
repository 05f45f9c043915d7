# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Scores of the files of a corpus, their sums, and their groups.

A row is the score of one file under one condition: a collar, and overlapped speech
scored or not. Rows of several files are pooled: errors and speech are summed before the
division, so that a file has the weight of its speech.
"""

import math
from bisect import bisect
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from operator import attrgetter
from typing import Any

from pyannote.core import Annotation, Timeline

from pyannote_diarizen.evaluation.metrics import (
    DiarizationScore,
    JaccardScore,
    SpeakerCountError,
    score_diarization,
    score_jaccard,
)

OVERLAP_LIMITS = (0.05, 0.1, 0.2)
"""Limits between groups of files, as shares of overlapped speech."""


@dataclass(frozen=True)
class Condition:
    """Collar and treatment of overlapped speech of a score.

    Parameters
    ----------
    collar : float
        Total width around each boundary of the reference that is not scored.
    skip_overlap : bool
        Leave out speech of several speakers.

    Examples
    --------
    >>> print(Condition(0.5, skip_overlap=True))
    collar 0.5 s (md-eval: 0.25), overlap skipped
    """

    collar: float = 0.0
    skip_overlap: bool = False

    def __post_init__(self) -> None:
        """Check the collar."""
        if not 0 <= self.collar < math.inf:
            raise ValueError(
                f"`collar` should be in seconds, from 0, got {self.collar}."
            )

    def __str__(self) -> str:
        """Return the collar in both conventions, and the treatment of overlap."""
        collar = (
            f"collar {self.collar:g} s (md-eval: {self.collar / 2:g})"
            if self.collar
            else "no collar"
        )
        return f"{collar}, overlap {'skipped' if self.skip_overlap else 'scored'}"


CONDITIONS = tuple(
    Condition(collar, skip_overlap)
    for skip_overlap in (False, True)
    for collar in (0.0, 0.25, 0.5)
)
"""Conditions of a benchmark: none, 0.25 of pyannote.metrics, and 0.25 of md-eval."""


@dataclass(frozen=True)
class FileScore:
    """Score of one file under one condition.

    Parameters
    ----------
    uri : str
        Name of the file.
    condition : Condition
    score : DiarizationScore
    jaccard : JaccardScore
    num_speakers, num_found : int
        Numbers of speakers of reference and hypothesis in the annotated part.
    overlap : float
        Share of the speech of the reference during which several speakers speak.
    """

    uri: str
    condition: Condition
    score: DiarizationScore
    jaccard: JaccardScore
    num_speakers: int
    num_found: int
    overlap: float

    def to_row(self) -> dict[str, Any]:
        """Return the columns of a table; times in seconds, rates as ratios."""
        return {
            "uri": self.uri,
            "collar": self.condition.collar,
            "skip_overlap": self.condition.skip_overlap,
            "error_rate": self.score.error_rate,
            **vars(self.score),
            "jaccard_error_rate": self.jaccard.error_rate,
            "jaccard_errors": self.jaccard.errors,
            "jaccard_speakers": self.jaccard.num_speakers,
            "num_speakers": self.num_speakers,
            "num_found": self.num_found,
            "overlap": self.overlap,
        }

    @classmethod
    def from_row(cls, row: Mapping[str, Any]) -> "FileScore":
        """Read the columns of a table, as text or as numbers.

        Raises
        ------
        KeyError, TypeError, ValueError
            If a column is missing or wrong.
        """
        names = DiarizationScore.__dataclass_fields__
        return cls(
            uri=str(row["uri"]),
            condition=Condition(
                float(row["collar"]), str(row["skip_overlap"]).lower() == "true"
            ),
            score=DiarizationScore(**{name: float(row[name]) for name in names}),
            jaccard=JaccardScore(
                float(row["jaccard_errors"]), int(row["jaccard_speakers"])
            ),
            num_speakers=int(row["num_speakers"]),
            num_found=int(row["num_found"]),
            overlap=float(row["overlap"]),
        )


@dataclass(frozen=True)
class Pooled:
    """Sum over files.

    Parameters
    ----------
    num_files : int
    score : DiarizationScore
    jaccard : JaccardScore
    count_error : float
        Mean absolute error of the number of speakers.
    """

    num_files: int = 0
    score: DiarizationScore = field(default_factory=DiarizationScore)
    jaccard: JaccardScore = field(default_factory=JaccardScore)
    count_error: float = 0.0

    @classmethod
    def of(cls, files: Sequence[FileScore]) -> "Pooled":
        """Sum the scores of files under one condition."""
        differences = [abs(file.num_found - file.num_speakers) for file in files]
        return cls(
            num_files=len(files),
            score=sum((file.score for file in files), DiarizationScore()),
            jaccard=sum((file.jaccard for file in files), JaccardScore()),
            count_error=sum(differences) / max(len(files), 1),
        )


def score_file(
    uri: str,
    reference: Annotation,
    hypothesis: Annotation,
    annotated: Timeline | None = None,
    conditions: Iterable[Condition] = CONDITIONS,
) -> list[FileScore]:
    """Score one file under several conditions.

    Parameters
    ----------
    uri : str
        Name of the file.
    reference, hypothesis : Annotation
        True turns of speakers, and turns that a system found; both may be empty.
    annotated : Timeline, optional
        Part of the file to score (UEM), possibly with holes. Defaults to the part from
        the first to the last turn of both.
    conditions : iterable of Condition, optional
        Default to `CONDITIONS`.

    Returns
    -------
    scores : list of FileScore
        One per condition.
    """
    if annotated is None:
        extent = (reference.get_timeline() | hypothesis.get_timeline()).extent()
        annotated = Timeline([extent] if extent else [])
    counted = SpeakerCountError.count(reference, hypothesis, annotated)
    overlap = overlap_share(reference.crop(annotated))
    return [
        FileScore(
            uri,
            condition,
            score_diarization(reference, hypothesis, annotated, **vars(condition)),
            score_jaccard(reference, hypothesis, annotated, **vars(condition)),
            *counted,
            overlap,
        )
        for condition in conditions
    ]


def overlap_share(reference: Annotation) -> float:
    """Return the share of speech during which several speakers speak.

    Examples
    --------
    >>> from pyannote.core import Segment
    >>> turns = Annotation()
    >>> turns[Segment(0, 4)], turns[Segment(3, 4), "b"] = "ann", "bob"
    >>> overlap_share(turns)
    0.25
    """
    speech = reference.get_timeline().support().duration()
    return reference.get_overlap().duration() / speech if speech else 0.0


def overlap_group(file: FileScore) -> str:
    """Return the name of the group of files with this share of overlap.

    Examples
    --------
    >>> score, jaccard = DiarizationScore(), JaccardScore()
    >>> overlap_group(FileScore("a", Condition(), score, jaccard, 2, 2, 0.07))
    '5 to 10 %'
    """
    limits = (0.0, *OVERLAP_LIMITS, 1.0)
    index = bisect(OVERLAP_LIMITS, file.overlap)
    return f"{100 * limits[index]:g} to {100 * limits[index + 1]:g} %"


GROUPS: Mapping[str, Callable[[FileScore], str]] = {
    "num_speakers": lambda file: str(file.num_speakers),
    "overlap": overlap_group,
}
"""Names of groups of files, by property."""


def group_files(files: Sequence[FileScore], by: str) -> dict[str, list[FileScore]]:
    """Group files of one condition by a key of `GROUPS`, in the order of its values."""
    groups: dict[str, list[FileScore]] = {}
    for file in sorted(files, key=attrgetter(by)):
        groups.setdefault(GROUPS[by](file), []).append(file)
    return groups
