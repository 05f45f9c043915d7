# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Speakers of words, by the turns of a diarization.

1. Turns of the speaker cover the word.
2. Words of a speaker follow each other from the start to the end of a turn, without
   pauses, and do not overlap. This decides in overlapped speech.
3. A word in a pause belongs to the nearest turn, up to a limit.

A beam search finds the speakers that violate the first two rules for the fewest
seconds, over all words.

`benchmarks/words.py` compares this with the first rule alone, which whisperX applies.
"""

import heapq
from bisect import bisect_left
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field, replace
from typing import Any

from pyannote_diarizen.results.turns import Turn, Word

MAX_GAP = 1.0
"""Seconds between a word and the nearest turn."""

MAX_PAUSE = 0.2
"""Seconds; longer pauses within a turn count as this one: words may be missing."""

BEAM = 8
"""Number of hypotheses that the beam search keeps."""

_SHORTEST = 0.001
"""Seconds; words of 0 s are this long."""


def assign_speakers(
    words: Iterable[Word], turns: Iterable[Turn], max_gap: float = MAX_GAP
) -> list[Word]:
    """Give each word the speaker of a turn.

    Parameters
    ----------
    words : iterable of Word
        Their speakers are replaced.
    turns : iterable of Turn
        They may overlap.
    max_gap : float, optional
        Maximum seconds between a word and the nearest turn; 0 gives no speaker to words
        in pauses.

    Returns
    -------
    words : list of Word
        Sorted by start; the speaker is None if no turn is near.

    Examples
    --------
    >>> turns = [Turn(0.0, 2.0, "ann"), Turn(1.5, 4.0, "bob")]
    >>> words = [Word(1.0, 1.6, "well"), Word(4.5, 4.75, "yes"), Word(9, 9.5, "so")]
    >>> [word.speaker for word in assign_speakers(words, turns)]
    ['ann', 'bob', None]
    """
    if not 0 <= max_gap < float("inf"):
        raise ValueError(f"`max_gap` should be in seconds, at least 0, got {max_gap}.")
    turns = sorted(turns, key=lambda turn: (turn.start, turn.end))
    starts = [turn.start for turn in turns]
    words = sorted(words, key=lambda word: (word.start, word.end))
    active: list[Turn] = []
    before: Turn | None = None  # last to end before the word
    hypotheses = [_Hypothesis()]
    following = 0
    for word in words:
        end = max(word.end, word.start + _SHORTEST)
        while following < len(turns) and turns[following].start < end:
            active.append(turns[following])
            following += 1
        ended = [turn for turn in active if turn.end <= word.start]
        for turn in ended:
            hypotheses = [each.finish(turn) for each in hypotheses]
            before = max(before or turn, turn, key=lambda turn: turn.end)
        active = [turn for turn in active if turn.end > word.start]
        costs = _costs(word.start, end, active)
        if not costs:
            around = [] if before is None else [before]
            around += turns[bisect_left(starts, end) :][:1]
            costs = {_nearest(word.start, end, around, max_gap): (0.0, word.start)}
        hypotheses = _best(
            each.add(word, speaker, *cost)
            for each in hypotheses
            for speaker, cost in costs.items()
        )
    speakers = hypotheses[0].speakers()
    return [
        replace(word, speaker=speaker)
        for word, speaker in zip(words, speakers, strict=True)
    ]


@dataclass(frozen=True)
class _Hypothesis:
    """Speakers of the words so far.

    Parameters
    ----------
    cost : float
        Seconds of words without turn, of pauses within turns, and of overlap between
        words of one speaker.
    ends : Mapping
        End of the last word of each speaker.
    chain : (chain of the word before, speaker) or None
        Speaker of the last word, and the chain of those before it.
    """

    cost: float = 0.0
    ends: Mapping[str | None, float] = field(default_factory=dict)
    chain: tuple[Any, str | None] | None = None

    def add(
        self, word: Word, speaker: str | None, uncovered: float, start: float
    ) -> "_Hypothesis":
        """Add a word, with its seconds without turn, and the start of its turn."""
        gap = word.start - max(start, self.ends.get(speaker, start))
        cost = self.cost + uncovered + min(abs(gap), MAX_PAUSE)
        ends = {**self.ends, speaker: max(word.end, self.ends.get(speaker, 0.0))}
        return _Hypothesis(cost, ends, (self.chain, speaker))

    def finish(self, turn: Turn) -> "_Hypothesis":
        """Compare the end of a turn with that of its last word."""
        gap = turn.end - self.ends.get(turn.speaker, turn.start)
        return replace(self, cost=self.cost + min(abs(gap), MAX_PAUSE))

    def speakers(self) -> list[str | None]:
        """Return the speakers of all words."""
        speakers, chain = [], self.chain
        while chain is not None:
            chain, speaker = chain
            speakers.append(speaker)
        return speakers[::-1]


def _best(hypotheses: Iterable[_Hypothesis]) -> list[_Hypothesis]:
    return heapq.nsmallest(BEAM, hypotheses, key=lambda each: each.cost)


def _costs(
    start: float, end: float, turns: Sequence[Turn]
) -> dict[str | None, tuple[float, float]]:
    """Return seconds of a word without turn, and the start of the turn, by speaker."""
    costs: dict[str | None, tuple[float, float]] = {}
    for turn in turns:
        seconds = min(turn.end, end) - max(turn.start, start)
        if seconds > 0:  # a longer word before may have made later turns active
            rest, first = costs.get(turn.speaker, (end - start, turn.start))
            costs[turn.speaker] = max(0.0, rest - seconds), min(first, turn.start)
    return costs


def _nearest(
    start: float, end: float, turns: Sequence[Turn], max_gap: float
) -> str | None:
    """Return the speaker of the turn with the shortest pause; the first, if equal."""
    gaps = [(max(turn.start - end, start - turn.end), turn.speaker) for turn in turns]
    gap, speaker = min(gaps, key=lambda gap: gap[0], default=(max_gap + 1, None))
    return speaker if gap <= max_gap and max_gap > 0 else None
