# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""One speaker at a time, for turns without frame-level scores."""

import heapq
from collections.abc import Sequence
from itertools import pairwise

from pyannote_diarizen.results.turns import Turn


def resolve_overlap(turns: Sequence[Turn]) -> tuple[Turn, ...]:
    """Give overlapped speech to the speaker of the longest turn.

    A long turn thus keeps its speech during short interjections. If turns last equally
    long, the first one wins.

    Parameters
    ----------
    turns : sequence of Turn
        Sorted by start.

    Returns
    -------
    exclusive : tuple of Turn
        Parts of `turns` without overlap, sorted.

    Examples
    --------
    >>> long, short = Turn(0.0, 4.0, "ann"), Turn(3.0, 5.0, "bob")
    >>> [(turn.start, turn.speaker) for turn in resolve_overlap([long, short])]
    [(0.0, 'ann'), (4.0, 'bob')]
    """
    if all(first.end <= second.start for first, second in pairwise(turns)):
        return tuple(turns)
    # (start, end, index of the turn) of each stretch
    stretches: list[tuple[float, float, int]] = []
    active: list[tuple[float, int]] = []  # heap of (-duration, index)
    times = sorted({time for turn in turns for time in (turn.start, turn.end)})
    following = 0
    for start, end in pairwise(times):
        while following < len(turns) and turns[following].start <= start:
            heapq.heappush(active, (-turns[following].duration, following))
            following += 1
        while active and turns[active[0][1]].end <= start:
            heapq.heappop(active)
        if not active:
            continue
        index = active[0][1]
        if stretches and stretches[-1][1:] == (start, index):
            start = stretches.pop()[0]
        stretches.append((start, end, index))
    return tuple(
        Turn(start, end, turns[index].speaker, turns[index].confidence)
        for start, end, index in stretches
    )
