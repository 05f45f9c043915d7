# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Simulation of conversations from isolated utterances, fast enough for training.

A conversation begins before its waveform, so that turns are cut at both ends, as in a
chunk from the middle of a recording.
"""

import math
from collections.abc import Iterable, Sequence

import numpy as np

from pyannote_diarizen.simulation.acoustics import Rooms
from pyannote_diarizen.simulation.conversation import SimulatedConversation
from pyannote_diarizen.simulation.energy_vad import MIN_PAUSE
from pyannote_diarizen.simulation.lazy_speech import LazySpeechPool
from pyannote_diarizen.simulation.recording import Mixing, Recorder
from pyannote_diarizen.simulation.script import Piece, ScriptWriter, join_pieces
from pyannote_diarizen.simulation.speech import SpeechPool
from pyannote_diarizen.simulation.turn_taking import TurnTaking

__all__ = ["ConversationSimulator", "Mixing", "SimulatedConversation", "TurnTaking"]


class ConversationSimulator:
    """Simulator of conversations.

    Parameters
    ----------
    pool : SpeechPool or LazySpeechPool
        Utterances. The probability of a speaker is proportional to the square root of
        the duration of their speech.
    rooms : Rooms, optional
        Defaults to none: speakers are close to the microphone.
    noises, babble : sequence of (num_samples,) np.ndarray, optional
        Recordings without speech, and recordings of voices that stay unlabelled, see
        `read_noises`. Default to none: noise is coloured noise.
    num_speakers : (min, max), optional
        Range of the number of speakers; some may stay silent. Defaults to 1 to 4.
    turn_taking : TurnTaking, optional
    mixing : Mixing, optional
    same_source : float, optional
        Probability that all speakers come from one source, so that they cannot be
        distinguished by their recording conditions. Defaults to 0.5.
    min_pause : float, optional
        Minimum pause between two turns of a speaker, in seconds. In corpora annotated
        by hand, it is up to one second. Defaults to `MIN_PAUSE`.
    speed : (min, max), optional
        Range of speed perturbation, which changes the pitch, too, and thus adds
        voices. Defaults to (1, 1).

    Examples
    --------
    >>> rng = np.random.default_rng(1)
    >>> tone = (8000 * np.sin(np.arange(32000))).astype(np.int16)
    >>> pool = SpeechPool.from_utterances([("tones", "a", tone), ("tones", "b", tone)])
    >>> simulator = ConversationSimulator(pool, num_speakers=(2, 2))
    >>> conversation = simulator.simulate(8.0, rng)
    >>> conversation.waveform.shape, sorted(conversation.speakers)
    ((128000,), ['a', 'b'])
    """

    def __init__(
        self,
        pool: SpeechPool | LazySpeechPool,
        *,
        rooms: Rooms | None = None,
        noises: Sequence[np.ndarray] | None = None,
        babble: Sequence[np.ndarray] | None = None,
        num_speakers: tuple[int, int] = (1, 4),
        turn_taking: TurnTaking | None = None,
        mixing: Mixing | None = None,
        same_source: float = 0.5,
        min_pause: float = MIN_PAUSE,
        speed: tuple[float, float] = (1.0, 1.0),
    ) -> None:
        if not 1 <= num_speakers[0] <= num_speakers[1] <= len(pool.speakers):
            raise ValueError(
                "`num_speakers` should be (min, max) between 1 and the "
                f"{len(pool.speakers)} speakers of the pool, got {num_speakers}."
            )
        if not 0 < speed[0] <= speed[1]:
            raise ValueError(f"`speed` should be (min, max) above 0, got {speed}.")
        self.pool = pool
        self.num_speakers = num_speakers
        self.speed = speed
        self.turn_taking = turn_taking or TurnTaking()
        self.recorder = Recorder(
            rooms, noises or (), babble or (), mixing, pool.sample_rate
        )
        self.same_source = same_source
        self.min_pause = min_pause
        self._weights = np.sqrt(pool.durations)
        self._sources = np.array(pool.sources)

    def simulate(
        self, duration: float, rng: np.random.Generator
    ) -> SimulatedConversation:
        """Simulate a conversation.

        Parameters
        ----------
        duration : float
            In seconds.
        rng : np.random.Generator
            The same state gives the same conversation.
        """
        num_samples = round(duration * self.pool.sample_rate)
        speed = self._draw_speed(rng)
        conversation = self._simulate(round(num_samples * speed), rng)
        return conversation if speed == 1 else change_speed(conversation, num_samples)

    def prepare(self, generators: Iterable[np.random.Generator]) -> None:
        """Decode the speakers of conversations, unless their pool has decoded all.

        Parameters
        ----------
        generators : iterable of np.random.Generator
            Argument of `simulate` for each conversation, in the same state.
        """
        if not isinstance(self.pool, LazySpeechPool):
            return
        drawn: set[int] = set()
        for rng in generators:
            self._draw_speed(rng)
            drawn.update(self._draw_speakers(rng))
            if len(drawn) == len(self.pool.speakers):
                break
        self.pool.prepare(sorted(drawn))

    def _draw_speed(self, rng: np.random.Generator) -> float:
        # log-uniform: x and 1 / x are equally probable
        slowest, fastest = self.speed
        if slowest == fastest:
            return fastest
        return math.exp(rng.uniform(math.log(slowest), math.log(fastest)))

    def _simulate(
        self, num_samples: int, rng: np.random.Generator
    ) -> SimulatedConversation:
        """Simulate without speed perturbation."""
        rate = self.pool.sample_rate
        pool, speakers = self.pool.select(self._draw_speakers(rng))
        pieces: list[Piece] = []
        if rng.random() >= self.turn_taking.silence and speakers:
            writer = ScriptWriter(pool, speakers, self.turn_taking, rng)
            pieces = writer.write(num_samples)
        speech = self._lay_out(pool, pieces, max(len(speakers), 1), num_samples, rng)
        turns = [
            (start / rate, end / rate, pool.speakers[speakers[speaker]])
            for start, end, speaker in join_pieces(
                pieces, num_samples, round(self.min_pause * rate)
            )
        ]
        waveform = self.recorder.record(speech, rng)
        return SimulatedConversation(waveform, in_milliseconds(turns), rate)

    def _draw_speakers(self, rng: np.random.Generator) -> list[int]:
        num_speakers = rng.integers(*self.num_speakers, endpoint=True)
        weights = self._weights
        if rng.random() < self.same_source:
            first = rng.choice(len(weights), p=weights / weights.sum())
            candidates = self._sources == self._sources[first]
            if candidates.sum() >= num_speakers:
                weights = weights * candidates
        probabilities = weights / weights.sum()
        return rng.choice(
            len(weights), num_speakers, replace=False, p=probabilities
        ).tolist()

    def _lay_out(
        self,
        pool: SpeechPool,
        pieces: list[Piece],
        num_speakers: int,
        num_samples: int,
        rng: np.random.Generator,
    ) -> np.ndarray:
        """Place pieces at root mean square 1: (num_speakers, lead + num_samples)."""
        lead = self.recorder.lead
        speech = np.zeros((num_speakers, lead + num_samples), dtype=np.float32)
        # level of each segment in dB, normal around 0
        spread = self.recorder.mixing.segment_spread
        gains = 10 ** (spread * rng.standard_normal(len(pieces)) / 20)
        fade = np.linspace(1, 0, pool.sample_rate // 100, dtype=np.float32)
        for piece, gain in zip(pieces, gains, strict=True):
            first, last = max(piece.start, -lead), min(piece.end, num_samples)
            if first >= last:
                continue
            # sample of the pool that is at sample 0 of the conversation
            source = piece.source - piece.start
            # int16 to root mean square 1, times the gain of the segment
            scale = np.float32(gain / (2**15 * pool.levels[piece.utterance]))
            samples = pool.samples[source + first : source + last] * scale
            if last == piece.end:  # fade out, as a segment may be cut
                ending = min(len(fade), len(samples))
                samples[-ending:] *= fade[-ending:]
            speech[piece.speaker, lead + first : lead + last] = samples
        return speech


def change_speed(
    conversation: SimulatedConversation, num_samples: int
) -> SimulatedConversation:
    """Resample a conversation to `num_samples`; its pitch changes with its speed.

    Linear interpolation takes little time. At 16 kHz, it attenuates 4 kHz by about 2 dB
    and 8 kHz by up to 8 dB.
    """
    speed = len(conversation.waveform) / num_samples
    instants = np.arange(num_samples) * speed
    given = np.arange(len(conversation.waveform))
    waveform = np.interp(instants, given, conversation.waveform).astype(np.float32)
    turns = [
        (start / speed, end / speed, speaker)
        for start, end, speaker in conversation.turns
    ]
    rate = conversation.sample_rate
    return SimulatedConversation(waveform, in_milliseconds(turns), rate)


def in_milliseconds(
    turns: Iterable[tuple[float, float, str]],
) -> list[tuple[float, float, str]]:
    """Round turns as RTTM files do, so that both give the same targets."""
    rounded = [(round(start, 3), round(end, 3), label) for start, end, label in turns]
    return [turn for turn in rounded if turn[0] < turn[1]]
