# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Who says what when, before any sound is made."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from pyannote_diarizen.simulation.speech import SpeechPool
from pyannote_diarizen.simulation.turn_taking import TurnTaking

BEFORE = (5.0, 15.0)
"""Seconds for which a conversation has been going on when its waveform begins."""
JOIN = (0.05, 0.2)
"""Seconds between two utterances of a turn: short ones follow each other."""
SHORTEST = 0.2
"""Seconds that are too short for a turn, or for the part of a phrase."""


@dataclass(frozen=True)
class Piece:
    """Stretch of an utterance on the time line of a conversation, in samples.

    Parameters
    ----------
    speaker : int
        Index among those of the conversation.
    utterance : int
        Index in the pool.
    source : int
        First sample in the pool.
    start, end : int
        First sample in the conversation, and one past the last.
    """

    speaker: int
    utterance: int
    source: int
    start: int
    end: int


class ScriptWriter:
    """Write conversations between some speakers of a pool.

    Parameters
    ----------
    pool : SpeechPool
    speakers : (num_speakers,) sequence of int
        Indices in `pool.speakers`.
    turn_taking : TurnTaking
    rng : np.random.Generator
    """

    def __init__(
        self,
        pool: SpeechPool,
        speakers: Sequence[int],
        turn_taking: TurnTaking,
        rng: np.random.Generator,
    ) -> None:
        self.pool = pool
        self.speakers = speakers
        self.turn_taking = turn_taking
        self.rng = rng

    def write(self, num_samples: int) -> list[Piece]:
        """Write turns from some time before sample 0 to `num_samples`."""
        rng, habits, rate = self.rng, self.turn_taking, self.pool.sample_rate
        num_speakers = len(self.speakers)
        share = rng.dirichlet(np.full(num_speakers, 3.0))  # some speak more
        holder = int(rng.integers(num_speakers))
        start = end = round(-rng.uniform(*BEFORE) * rate)
        silent_since = [start] * num_speakers
        pieces: list[Piece] = []
        while start < num_samples:
            # who takes the floor outlasts who had it
            least = (end - start) / rate + SHORTEST
            turn = self._speak(holder, start, max(habits.draw_duration(rng), least))
            end = silent_since[holder] = turn[-1].end
            pieces += turn
            pieces += self._interject(holder, start, end, silent_since)
            change = num_speakers > 1 and rng.random() >= habits.same_speaker
            if change:
                odds = share * (np.arange(num_speakers) != holder)
                holder = int(rng.choice(num_speakers, p=odds / odds.sum()))
            gap = round(habits.draw_gap(change, (end - start) / rate, rng) * rate)
            start = max(end + gap, silent_since[holder])
        return pieces

    def _interject(
        self, holder: int, start: int, end: int, silent_since: list[int]
    ) -> list[Piece]:
        """Backchannels of the others during a turn; updates `silent_since`."""
        rng, rate, num_speakers = self.rng, self.pool.sample_rate, len(self.speakers)
        if num_speakers == 1:
            return []
        pieces = []
        duration = (end - start) / rate
        for offset, seconds in self.turn_taking.draw_backchannels(duration, rng):
            other = (holder + int(rng.integers(1, num_speakers))) % num_speakers
            begin = start + round(offset * rate)
            if begin >= silent_since[other]:
                interjection = self._speak(other, begin, seconds)
                silent_since[other] = interjection[-1].end
                pieces += interjection
        return pieces

    def _speak(self, speaker: int, start: int, duration: float) -> list[Piece]:
        """Phrases of a speaker in a row, until `duration` seconds are reached."""
        pool, rate = self.pool, self.pool.sample_rate
        stop = start + round(max(duration, SHORTEST) * rate)
        utterances = pool.utterances_of[self.speakers[speaker]]
        pieces: list[Piece] = []
        while True:
            utterance = int(self.rng.choice(utterances))
            first, last = pool.first_phrase[utterance : utterance + 2]
            phrases = pool.phrases[self.rng.integers(first, last) : last].tolist()
            offset = start - phrases[0][0]
            for begin, end in phrases:
                # neither the first sounds of a phrase nor all but its last ones
                if pieces and stop - (begin + offset) < SHORTEST * rate:
                    return pieces
                if end + offset - stop > SHORTEST * rate:
                    end = stop - offset
                pieces.append(
                    Piece(speaker, utterance, begin, begin + offset, end + offset)
                )
            start = pieces[-1].end + round(self.rng.uniform(*JOIN) * rate)


def join_pieces(
    pieces: Iterable[Piece], num_samples: int, min_pause: int
) -> list[tuple[int, int, int]]:
    """Join pieces into the turns between sample 0 and `num_samples`.

    Parameters
    ----------
    pieces : iterable of Piece
    num_samples : int
    min_pause : int
        Samples of silence that end a turn; fewer are part of it.

    Returns
    -------
    turns : list of (start, end, speaker)
        Sorted.
    """
    turns: list[tuple[int, int, int]] = []
    latest: dict[int, tuple[int, int]] = {}
    for piece in sorted(pieces, key=lambda piece: piece.start):
        start, end = latest.get(piece.speaker, (piece.start, piece.start))
        if piece.start - end >= min_pause:
            turns.append((start, end, piece.speaker))
            start = piece.start
        latest[piece.speaker] = start, piece.end
    turns += [(start, end, speaker) for speaker, (start, end) in latest.items()]
    return sorted(
        (max(start, 0), min(end, num_samples), speaker)
        for start, end, speaker in turns
        if min(end, num_samples) > max(start, 0)
    )
