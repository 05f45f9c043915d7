# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Script of a conversation: speaker, utterance and start of each piece.

Times are in samples. Sample 0 is the start of the waveform; the script starts before.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

from pyannote_diarizen.simulation.speech import SpeechPool
from pyannote_diarizen.simulation.turn_taking import TurnTaking

BEFORE = (5.0, 15.0)
"""Seconds between the start of a conversation and the start of its waveform."""
JOIN = (0.05, 0.2)
"""Seconds between two utterances of one turn."""
SHORTEST = 0.2
"""Minimum duration of a turn, and of a part of a segment, in seconds."""


@dataclass(frozen=True)
class Piece:
    """Part of an utterance, placed in a conversation.

    Parameters
    ----------
    speaker : int
        Index of the speaker in the conversation.
    utterance : int
        Index of the utterance in the pool.
    source : int
        First sample of the piece in the pool.
    start, end : int
        First sample, and last sample + 1, in the conversation.
    """

    speaker: int
    utterance: int
    source: int
    start: int
    end: int


class ScriptWriter:
    """Write scripts of conversations between speakers of a pool.

    Parameters
    ----------
    pool : SpeechPool
    speakers : (num_speakers,) sequence of int
        Indices of speakers in `pool.speakers`.
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
        """Write turns that start before sample `num_samples`."""
        rng, habits, rate = self.rng, self.turn_taking, self.pool.sample_rate
        num_speakers = len(self.speakers)
        share = rng.dirichlet(np.full(num_speakers, 3.0))  # of turns, per speaker
        holder = int(rng.integers(num_speakers))
        start = end = round(-rng.uniform(*BEFORE) * rate)
        silent_since = [start] * num_speakers
        pieces: list[Piece] = []
        while start < num_samples:
            # a turn that takes the floor ends after the turn before
            least = (end - start) / rate + SHORTEST
            turn = self._speak(holder, start, max(habits.draw_duration(rng), least))
            end = silent_since[holder] = turn[-1].end
            pieces += turn
            pieces += self._interject(holder, start, end, silent_since)
            change = num_speakers > 1 and rng.random() >= habits.same_speaker
            if change:
                # another speaker, in proportion to their shares
                odds = share * (np.arange(num_speakers) != holder)
                holder = int(rng.choice(num_speakers, p=odds / odds.sum()))
            # negative if the next turn overlaps this one
            gap = round(habits.draw_gap(change, (end - start) / rate, rng) * rate)
            start = max(end + gap, silent_since[holder])
        return pieces

    def _interject(
        self, holder: int, start: int, end: int, silent_since: list[int]
    ) -> list[Piece]:
        """Write backchannels of other speakers during a turn; update `silent_since`."""
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
        """Write consecutive segments of a speaker, for `duration` seconds."""
        pool, rate = self.pool, self.pool.sample_rate
        stop = start + round(max(duration, SHORTEST) * rate)
        utterances = pool.utterances_of[self.speakers[speaker]]
        pieces: list[Piece] = []
        while True:
            utterance = int(self.rng.choice(utterances))
            first, last = pool.first_segment[utterance : utterance + 2]
            segments = pool.segments[self.rng.integers(first, last) : last].tolist()
            offset = start - segments[0][0]
            for begin, end in segments:
                # neither start nor end with a fragment shorter than `SHORTEST`
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
    """Join the pieces of each speaker into turns between samples 0 and `num_samples`.

    Parameters
    ----------
    pieces : iterable of Piece
    num_samples : int
    min_pause : int
        Minimum number of samples of silence between two turns of a speaker.

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
