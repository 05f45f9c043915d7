# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Cases of scoring, and what md-eval of NIST computes for them.

    PATH=FOLDER:$PATH python tests/worked_cases.py SHARED

writes `md_eval.json`, by meeteval. FOLDER holds md-eval-22.pl of dscore, or that of the
SCTK of NIST with "%f secs" instead of "%10.2f secs". It needs a turn in both files.
SHARED/audio/ami holds excerpts of AMI.
"""

import json
import sys
from pathlib import Path
from subprocess import CalledProcessError

import numpy as np
from pyannote.core import Annotation, Segment, Timeline

from pyannote_diarizen.evaluation.scoring import CONDITIONS, Condition
from pyannote_diarizen.rttm import rttm_text

STORED = Path(__file__).with_name("md_eval.json")
Turns = list[tuple[float, float, str]]
Case = tuple[Turns, Turns, list[tuple[float, float]]]
"""Reference, hypothesis, annotated parts."""


def annotation(turns: Turns) -> Annotation:
    result = Annotation(uri="file")
    for track, (start, end, speaker) in enumerate(turns):
        result[Segment(start, end), track] = speaker
    return result


def _random(seed: int, speakers: str) -> Turns:
    rng = np.random.default_rng(seed)
    starts = rng.uniform(0, 90, 40).round(2)
    ends = starts + rng.exponential(3, 40).round(2) + 0.1
    drawn = rng.choice(list(speakers), 40)
    turns = annotation(list(zip(starts.tolist(), ends.tolist(), drawn, strict=True)))
    return [
        (turn.start, turn.end, str(speaker))
        for turn, _, speaker in turns.support().itertracks(yield_label=True)
    ]


CASES: dict[str, Case] = {
    "overlap": (
        [(0, 6, "a"), (4, 10, "b"), (12, 15, "a")],
        [(0, 5, "x"), (5, 10, "y"), (12, 14, "y")],
        [(0, 20)],
    ),
    "borders within a collar": (
        [(1, 5, "a"), (5, 9, "b")],
        [(0.9, 5.1, "x"), (5.1, 9.3, "y")],
        [(0, 10)],
    ),
    "one speaker overlaps itself": (
        [(0, 4, "a"), (2, 6, "a"), (5, 8, "b")],
        [(0, 6, "x"), (5, 7, "y")],
        [(0, 10)],
    ),
    "holes in the UEM": (
        [(0, 6, "a"), (4, 10, "b"), (12, 15, "a")],
        [(0, 8, "x"), (8, 18, "y")],
        [(0.5, 4.5), (5.5, 9), (13, 16)],
    ),
    "a speaker too many": (
        [(0, 10, "a"), (10, 20, "b")],
        [(0, 6, "x"), (6, 10, "z"), (10, 20, "y")],
        [(0, 20)],
    ),
    "random": (_random(1, "abcd"), _random(2, "xyz"), [(0, 100)]),
}


def ami_cases(shared: Path) -> dict[str, Case]:
    """Excerpts of AMI, and hypotheses with errors of each kind."""
    cases: dict[str, Case] = {}
    for path in sorted((shared / "audio" / "ami").glob("*.rttm")):
        for number, line in enumerate(path.read_text().splitlines()):
            _, uri, _, start, duration, _, _, speaker, *_ = line.split()
            first, last = float(start), round(float(start) + float(duration), 3)
            case = cases.setdefault(uri, ([], [], [(0.0, 30.0)]))
            case[0].append((first, last, speaker))
            if number % 7:  # others are missed
                label = "other" if number % 5 == 0 else speaker
                case[1].append((round(max(first - 0.3, 0), 3), last, label))
    return cases


def key(condition: Condition) -> str:
    return f"{condition.collar:g} {condition.skip_overlap}"


def md_eval(case: Case, condition: Condition) -> list[float] | None:
    """Total, missed, false alarm and confusion, in seconds; None after a crash."""
    from meeteval.der.api import md_eval_22
    from meeteval.io import RTTM
    from meeteval.io.uem import UEM, UEMLine

    reference, hypothesis, parts = case
    try:
        (score,) = md_eval_22(
            RTTM.parse(rttm_text(annotation(reference))),
            RTTM.parse(rttm_text(annotation(hypothesis))),
            collar=condition.collar / 2,
            regions="nooverlap" if condition.skip_overlap else "all",
            # `UEM.parse` refuses holes
            uem=UEM([UEMLine("file", 1, start, end) for start, end in parts]),
        ).values()
    except CalledProcessError:  # the collar leaves no speech
        return None
    times = ("scored_speaker", "missed_speaker", "falarm_speaker", "speaker_error")
    return [float(getattr(score, f"{time}_time")) for time in times]


def annotated(case: Case) -> Timeline:
    return Timeline([Segment(*part) for part in case[2]])


if __name__ == "__main__":
    cases = {**CASES, **ami_cases(Path(sys.argv[1]))}
    found = {
        name: {key(condition): md_eval(case, condition) for condition in CONDITIONS}
        for name, case in cases.items()
    }
    STORED.write_text(json.dumps(found, indent=1) + "\n", encoding="utf-8")
