# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Confidence of the turns and speakers of a document."""

from collections import defaultdict
from collections.abc import Iterable
from dataclasses import replace

from pyannote.core import Segment

from pyannote_diarizen.pipelines.features import Features
from pyannote_diarizen.pipelines.turn_confidence import TurnConfidence
from pyannote_diarizen.results.document import DiarizationDocument
from pyannote_diarizen.results.turns import Turn


def add_confidence(
    document: DiarizationDocument,
    confidence: TurnConfidence | None,
    features: Features | None,
) -> DiarizationDocument:
    """Compute the confidence of all turns and speakers.

    Parameters
    ----------
    document : DiarizationDocument
    confidence : TurnConfidence or None
        Value of `DiariZen.turn_confidence`.
    features : Features or None
        Features of the recording.

    Returns
    -------
    document : DiarizationDocument
        The same one, if there are no features. The key `confidence` of its `pipeline`
        is "calibrated" or "agreement of chunks". The confidence of a speaker is the
        mean over the time of its turns.
    """
    if features is None or confidence is None:
        return document
    annotation = document.annotation()

    def evaluated(turns: Iterable[Turn]) -> list[Turn]:
        turns = list(turns)
        wanted = [(Segment(turn.start, turn.end), turn.speaker) for turn in turns]
        values = confidence(features, annotation, wanted)
        return [
            replace(turn, confidence=float(value))
            for turn, value in zip(turns, values, strict=True)
        ]

    turns = evaluated(document.turns)
    sums: dict[str, float] = defaultdict(float)
    seconds: dict[str, float] = defaultdict(float)
    for turn in turns:
        sums[turn.speaker] += turn.duration * (turn.confidence or 0.0)
        seconds[turn.speaker] += turn.duration
    return replace(
        document,
        turns=turns,
        exclusive_turns=evaluated(document.exclusive_turns or ()),
        pipeline={**document.pipeline, "confidence": confidence.kind},
        speaker_confidence={name: sums[name] / seconds[name] for name in sums},
    )
