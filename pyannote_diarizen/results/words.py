# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Speakers of words, by the turns of a diarization.

1. A word belongs to the speaker whose turns cover most of it.
2. Several speakers cover a word about equally in overlapped speech. Then the word
   belongs to the speaker whose previous word ends, or whose turn starts, nearest to its
   start: words of a turn follow each other, and do not overlap.
3. A word in a pause belongs to the nearest turn, up to a limit.

`benchmarks/words.py` compares this with the first rule alone, which whisperX applies.
"""

from bisect import bisect_left
from collections.abc import Iterable, Sequence
from dataclasses import replace

from pyannote_diarizen.results.turns import Turn, Word

MAX_GAP = 1.0
"""Seconds between a word and the nearest turn."""

TOLERANCE = 0.1
"""Difference of coverage, as a share of the word, that counts as equal."""

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
    active: list[Turn] = []  # neither ended before the word, nor later than it
    before: Turn | None = None  # last to end before the word
    spoken: dict[str, float] = {}  # end of the last word of each speaker
    following, assigned = 0, []
    for word in sorted(words, key=lambda word: (word.start, word.end)):
        end = max(word.end, word.start + _SHORTEST)
        while following < len(turns) and turns[following].start < end:
            active.append(turns[following])
            following += 1
        for turn in (turn for turn in active if turn.end <= word.start):
            if before is None or turn.end > before.end:
                before = turn
        active = [turn for turn in active if turn.end > word.start]
        # a longer word before this one may have made later turns active
        covering = [turn for turn in active if turn.start < end]
        speaker = _covering(word.start, end, covering, spoken)
        if speaker is None:
            after = bisect_left(starts, end)
            around = ([] if before is None else [before]) + turns[after : after + 1]
            speaker = _nearest(word.start, end, around, max_gap)
        else:
            spoken[speaker] = word.end
        assigned.append(replace(word, speaker=speaker))
    return assigned


def _covering(
    start: float, end: float, turns: Sequence[Turn], spoken: dict[str, float]
) -> str | None:
    """Return the speaker of a word that turns cover; see the rules of this module."""
    covered: dict[str, float] = {}
    expected: dict[str, float] = {}  # time of the next word of each speaker
    for turn in turns:
        seconds = min(turn.end, end) - max(turn.start, start)
        covered[turn.speaker] = covered.get(turn.speaker, 0.0) + seconds
        earliest = max(turn.start, spoken.get(turn.speaker, 0.0))
        expected[turn.speaker] = min(earliest, expected.get(turn.speaker, earliest))
    if not covered:
        return None
    least = min(max(covered.values()), end - start) - TOLERANCE * (end - start)
    equal = [speaker for speaker, seconds in covered.items() if seconds >= least]
    return min(equal, key=lambda speaker: abs(start - expected[speaker]))


def _nearest(
    start: float, end: float, turns: Sequence[Turn], max_gap: float
) -> str | None:
    """Return the speaker of the turn with the shortest pause; the first, if equal."""
    gaps = [(max(turn.start - end, start - turn.end), turn.speaker) for turn in turns]
    gap, speaker = min(gaps, key=lambda gap: gap[0], default=(max_gap + 1, None))
    return speaker if gap <= max_gap and max_gap > 0 else None
