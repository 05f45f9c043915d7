# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Batches of conversations without audio: utterances, their places and levels.

Half of the conversations have the turns of windows of real meetings, half the turns
that `TurnTaking` draws. Worker processes draw them; `gpu.recorder` adds the audio.
"""

from collections import defaultdict
from collections.abc import Iterator
from fnmatch import fnmatchcase
from pathlib import Path
from typing import NamedTuple

import numpy as np
import torch
from pyannote.database.util import load_rttm
from torch import Tensor
from torch.utils.data import IterableDataset, get_worker_info

from pyannote_diarizen.simulation.script import Piece, ScriptWriter, join_pieces
from pyannote_diarizen.simulation.speech import SpeechPool
from pyannote_diarizen.simulation.turn_taking import TurnTaking

SAMPLE_RATE = 16000
DURATION = 10.0
NUM_SAMPLES = round(DURATION * SAMPLE_RATE)
MAX_SPEAKERS = 3
LEAD = 8192
"""Samples before the chunk whose reverberation lasts into it."""
EXCLUDED = ["ES2003*", *(f"EN200{number}*" for number in (1, 2, 3, 4, 5, 6, 9))]
"""Meetings whose openings are test or development audio."""
MEETING_PAUSE, DRAWN_PAUSE = 1.0, 0.5
"""Pauses in seconds over which turns are joined: as annotators of meetings did, and of
drawn turns."""


class ConversationBatch(NamedTuple):
    """Pieces of speech of a batch of chunks, and who speaks when.

    Attributes
    ----------
    pieces : (num_pieces, 5) Tensor
        Chunk, local speaker, first sample in the chunk, number of samples, first
        sample in the speech of all voices.
    gains : (num_pieces,) Tensor
    activity : (num_chunks, num_frames, MAX_SPEAKERS) Tensor
        uint8.
    """

    pieces: Tensor
    gains: Tensor
    activity: Tensor

    def to(self, device: torch.device) -> "ConversationBatch":
        """Move to a device."""
        return ConversationBatch(*(t.to(device, non_blocking=True) for t in self))


Meeting = list[tuple[float, float, str]]


def read_meetings(path: Path) -> list[Meeting]:
    """Read turns of training meetings."""
    return [
        [(turn.start, turn.end, name) for turn, _, name in meeting.itertracks(True)]
        for uri, meeting in load_rttm(path).items()
        if not any(fnmatchcase(uri, pattern) for pattern in EXCLUDED)
    ]


class ConversationDataset(IterableDataset):
    """Endless batches of conversations.

    Parameters
    ----------
    pool : SpeechPool
        Utterances of all voices, without samples.
    meetings : list of list of (start, end, speaker)
    middles : (num_frames,) np.ndarray
        Middles of frames, in seconds.
    batch_size : int
    num_voices : int
        Voices of each speaker.
    seed : int
    """

    def __init__(
        self,
        pool: SpeechPool,
        meetings: list[Meeting],
        middles: np.ndarray,
        batch_size: int,
        num_voices: int,
        seed: int,
    ) -> None:
        self.pool, self.meetings, self.middles = pool, meetings, middles
        self.batch_size, self.seed, self.num_voices = batch_size, seed, num_voices
        self.num_speakers = len(pool.speakers) // num_voices
        self.weights = np.sqrt(pool.durations[: self.num_speakers])
        self.sources = np.array(pool.sources[: self.num_speakers])

    def __iter__(self) -> Iterator[ConversationBatch]:
        """Draw batches."""
        worker = get_worker_info()
        rng = np.random.default_rng([self.seed, 0 if worker is None else worker.id])
        while True:
            yield self._batch(rng)

    def _batch(self, rng: np.random.Generator) -> ConversationBatch:
        rows, gains = [], []
        shape = self.batch_size, len(self.middles), MAX_SPEAKERS
        activity = np.zeros(shape, dtype=np.uint8)
        for chunk in range(self.batch_size):
            pieces, pause = self._conversation(rng)
            turns = join_pieces(pieces, NUM_SAMPLES, round(pause * SAMPLE_RATE))
            for start, end, speaker in turns:
                first, last = np.searchsorted(
                    self.middles, (start / SAMPLE_RATE, end / SAMPLE_RATE)
                )
                activity[chunk, first:last, speaker] = 1
            for piece in pieces:
                start, end = max(piece.start, -LEAD), min(piece.end, NUM_SAMPLES)
                if end > start:
                    source = piece.source + start - piece.start
                    rows.append((chunk, piece.speaker, start, end - start, source))
                    gains.append(self._gain(piece, rng))
        return ConversationBatch(
            torch.tensor(rows, dtype=torch.int64).reshape(-1, 5),
            torch.tensor(gains, dtype=torch.float32),
            torch.from_numpy(activity),
        )

    def _gain(self, piece: Piece, rng: np.random.Generator) -> float:
        """Draw a gain to unit level; short interjections are up to 12 dB lower."""
        decibels = 2.0 * rng.standard_normal()
        if piece.end - piece.start < 0.7 * SAMPLE_RATE and rng.random() < 0.6:
            decibels -= rng.uniform(0, 12)
        return 10 ** (decibels / 20) / (2**15 * self.pool.levels[piece.utterance])

    def _conversation(self, rng: np.random.Generator) -> tuple[list[Piece], float]:
        """Draw the pieces of a chunk, and the pauses over which turns are joined."""
        if rng.random() < 0.5:
            turns = self._meeting_turns(rng)
            speakers = self._draw_speakers(
                1 + max((t[2] for t in turns), default=0), rng
            )
            writer = ScriptWriter(self.pool, speakers, TurnTaking(), rng)
            pieces = []
            for start, end, speaker in turns:
                pieces += writer._speak(
                    speaker, round(start * SAMPLE_RATE), end - start
                )
            return pieces, MEETING_PAUSE
        speakers = self._draw_speakers(int(rng.choice(3, p=[0.2, 0.4, 0.4])) + 1, rng)
        habits = TurnTaking(
            turn_duration=np.exp(rng.uniform(np.log(0.8), np.log(5))),
            same_speaker=rng.uniform(0.1, 0.4),
            hesitation=rng.uniform(0.3, 1.5),
            pause=rng.uniform(0.2, 1.5),
            overlap_probability=rng.uniform(0.1, 0.6),
            overlap=rng.uniform(0.3, 1.2),
            backchannel_rate=rng.uniform(0.0, 0.25),
            backchannel_duration=rng.uniform(0.3, 0.7),
        )
        if rng.random() < 0.04:
            return [], DRAWN_PAUSE
        pieces = ScriptWriter(self.pool, speakers, habits, rng).write(NUM_SAMPLES)
        return pieces, DRAWN_PAUSE

    def _meeting_turns(
        self, rng: np.random.Generator
    ) -> list[tuple[float, float, int]]:
        """Draw the turns of the three most active speakers in a window of a meeting."""
        meeting = self.meetings[rng.integers(len(self.meetings))]
        pace = np.exp(rng.uniform(-0.25, 0.25))
        span = DURATION * pace
        origin = rng.uniform(0, max(max(end for _, end, _ in meeting) - span, 1))
        turns = [
            (max(start - origin, -2.0) / pace, min(end - origin, span + 2) / pace, name)
            for start, end, name in meeting
            if end > origin and start < origin + span
        ]
        shares: dict[str, float] = defaultdict(float)
        for start, end, name in turns:
            shares[name] += min(end, DURATION) - max(start, 0)
        kept = sorted(shares, key=lambda name: -shares[name])[:MAX_SPEAKERS]
        rng.shuffle(kept)
        return [(s, e, kept.index(n)) for s, e, n in turns if n in kept]

    def _draw_speakers(self, num: int, rng: np.random.Generator) -> list[int]:
        weights = self.weights
        if rng.random() < 0.6:  # equal recording conditions
            first = rng.choice(len(weights), p=weights / weights.sum())
            alike = self.sources == self.sources[first]
            weights = weights * alike
        chosen = rng.choice(len(weights), num, replace=False, p=weights / weights.sum())
        voices = rng.integers(self.num_voices, size=num)
        return (chosen + voices * self.num_speakers).tolist()
