# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Conversations simulated on the fly from isolated utterances.

A conversation begins before the waveform does, so that turns are cut at both of its
edges, as in a chunk from the middle of a recording.
"""

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from pyannote.core import Annotation, Segment, SlidingWindow

from pyannote_diarizen.data.acoustics import Rooms, coloured_noise, equalise
from pyannote_diarizen.data.speech import MIN_PAUSE, SpeechPool
from pyannote_diarizen.data.turn_taking import TurnTaking


@dataclass(frozen=True)
class SimulatedConversation:
    """Waveform, and who speaks when.

    Parameters
    ----------
    waveform : (num_samples,) np.ndarray
        float32, between -1 and 1.
    turns : list of (start, end, speaker)
        In seconds, sorted by start. Turns of one speaker do not touch.
    sample_rate : int
    """

    waveform: np.ndarray
    turns: list[tuple[float, float, str]]
    sample_rate: int

    @property
    def duration(self) -> float:
        """Seconds."""
        return len(self.waveform) / self.sample_rate

    @property
    def speakers(self) -> list[str]:
        """Those heard, in the order of their first turns."""
        return list(dict.fromkeys(speaker for _, _, speaker in self.turns))

    def annotation(self, uri: str | None = None) -> Annotation:
        """Return turns as an annotation."""
        annotation = Annotation(uri=uri)
        for track, (start, end, speaker) in enumerate(self.turns):
            annotation[Segment(start, end), track] = speaker
        return annotation

    def activity(self, frames: SlidingWindow, num_frames: int) -> np.ndarray:
        """Who speaks in each frame, judged at its middle.

        Parameters
        ----------
        frames : SlidingWindow
            For instance, `model.receptive_field`.
        num_frames : int
            For instance, `model.num_frames(len(waveform))`.

        Returns
        -------
        activity : (num_frames, num_speakers) np.ndarray
            uint8, 0 or 1; speakers in the order of `self.speakers`.
        """
        speakers = self.speakers
        middle = (
            frames.start + frames.duration / 2 + frames.step * np.arange(num_frames)
        )
        activity = np.zeros((num_frames, len(speakers)), dtype=np.uint8)
        for start, end, speaker in self.turns:
            first, last = np.searchsorted(middle, (start, end))
            activity[first:last, speakers.index(speaker)] = 1
        return activity


@dataclass(frozen=True)
class Piece:
    """Stretch of speech on the time line of a conversation, in samples."""

    speaker: int
    utterance: int
    source: int
    num_samples: int
    start: int
    gain: float = 1.0


@dataclass(frozen=True)
class Mixing:
    """How speech is mixed with room, noise and channel.

    Parameters
    ----------
    level : (min, max), optional
        Level of speech in dB below full scale. Defaults to -35 to -18.
    speaker_spread : float, optional
        Standard deviation of speakers' levels in dB. Defaults to 3.
    turn_spread : float, optional
        That of a speaker's turns. Defaults to 1.
    room : float, optional
        Probability of a room; otherwise, speech is mixed close to the microphone.
        Defaults to 0.75.
    noise : float, optional
        Probability of a noise recording (otherwise, coloured noise). Defaults to 0.5.
    babble : float, optional
        Probability of distant voices besides. Defaults to 0.1.
    snr : (min, max), optional
        Speech over noise in dB. Defaults to 3 to 35.
    tilt : float, optional
        Standard deviation of the spectral tilt in dB per octave. Defaults to 1.
    telephone : float, optional
        Probability of a narrow channel. Defaults to 0.1.
    """

    level: tuple[float, float] = (-35.0, -18.0)
    speaker_spread: float = 3.0
    turn_spread: float = 1.0
    room: float = 0.75
    noise: float = 0.5
    babble: float = 0.1
    snr: tuple[float, float] = (3.0, 35.0)
    tilt: float = 1.0
    telephone: float = 0.1


class ConversationSimulator:
    """Simulate conversations.

    Parameters
    ----------
    pool : SpeechPool
        Who may speak.
    noises : sequence of (num_samples,) np.ndarray, optional
        Recordings without speech. Defaults to none: noise is coloured.
    babble : sequence of (num_samples,) np.ndarray, optional
        Recordings of voices that are not labelled. Defaults to none.
    rooms : Rooms, optional
        Defaults to none: speech is mixed as it is.
    num_speakers : (min, max), optional
        Speakers who take part; not all of them need be heard. Defaults to 1 to 4.
    turn_taking : TurnTaking, optional
    mixing : Mixing, optional
    same_source : float, optional
        Probability that all speakers come from one source, so that recording
        conditions do not tell them apart. Defaults to 0.5.

    Examples
    --------
    >>> pool = SpeechPool.from_folder("speech")                       # doctest: +SKIP
    >>> simulator = ConversationSimulator(pool, rooms=Rooms.simulate())
    ...                                                               # doctest: +SKIP
    >>> conversation = simulator.simulate(8.0, np.random.default_rng(1))
    ...                                                               # doctest: +SKIP
    """

    def __init__(
        self,
        pool: SpeechPool,
        *,
        noises: Sequence[np.ndarray] = (),
        babble: Sequence[np.ndarray] = (),
        rooms: Rooms | None = None,
        num_speakers: tuple[int, int] = (1, 4),
        turn_taking: TurnTaking | None = None,
        mixing: Mixing | None = None,
        same_source: float = 0.5,
    ) -> None:
        if not 1 <= num_speakers[0] <= num_speakers[1] <= len(pool.speakers):
            raise ValueError(
                "`num_speakers` should be (min, max) between 1 and the "
                f"{len(pool.speakers)} speakers of the pool, got {num_speakers}."
            )
        self.pool = pool
        self.noises = list(noises)
        self.babble = list(babble)
        self.rooms = rooms
        self.num_speakers = num_speakers
        self.turn_taking = turn_taking or TurnTaking()
        self.mixing = mixing or Mixing()
        self.same_source = same_source
        # between one speaker one share and one second one share
        self._weights = np.sqrt(pool.durations())
        self._sources = np.array(pool.sources)
        rng = np.random.default_rng(0)
        self._coloured = [
            coloured_noise(60 * pool.sample_rate, slope, rng)
            for slope in (0.0, 0.5, 1.0, 1.5, 2.0)
        ]

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
        sample_rate = self.pool.sample_rate
        num_samples = round(duration * sample_rate)
        pieces: list[Piece] = []
        speakers = self._draw_speakers(rng)
        if rng.random() >= self.turn_taking.silence:
            pieces = self._draw_pieces(speakers, num_samples, rng)
        waveform = self._mix(pieces, len(speakers), num_samples, rng)
        return SimulatedConversation(
            waveform, self._turns(pieces, speakers, num_samples), sample_rate
        )

    def _draw_speakers(self, rng: np.random.Generator) -> np.ndarray:
        low, high = self.num_speakers
        num_speakers = rng.integers(low, high + 1)
        weights = self._weights
        if rng.random() < self.same_source:
            anyone = rng.choice(len(weights), p=weights / weights.sum())
            among = self._sources == self._sources[anyone]
            if among.sum() >= num_speakers:
                weights = weights * among
        return rng.choice(
            len(weights), num_speakers, replace=False, p=weights / weights.sum()
        )

    def _draw_pieces(
        self, speakers: np.ndarray, num_samples: int, rng: np.random.Generator
    ) -> list[Piece]:
        """Who says what when: turn after turn, from some time before sample 0."""
        sample_rate = self.pool.sample_rate
        habits = self.turn_taking
        num_speakers = len(speakers)
        share = rng.dirichlet(np.full(num_speakers, 3.0))  # some speak more
        pieces: list[Piece] = []
        free = np.full(num_speakers, -(10**9))
        end = round(-rng.uniform(5.0, 15.0) * sample_rate)
        holder = int(rng.integers(num_speakers))
        while True:
            change = num_speakers > 1 and rng.random() >= habits.same_speaker
            if change:
                odds = share * (np.arange(num_speakers) != holder)
                holder = int(rng.choice(num_speakers, p=odds / odds.sum()))
            gap = round(habits.draw_gap(change, rng) * sample_rate)
            start = max(end + gap, free[holder])
            if start >= num_samples:
                return pieces
            turn = self._say(
                holder, speakers[holder], start, habits.draw_duration(rng), rng
            )
            pieces += turn
            free[holder] = turn[-1].start + turn[-1].num_samples
            end = max(end, free[holder])
            if num_speakers == 1:
                continue
            length = (free[holder] - start) / sample_rate
            for offset, seconds in habits.draw_backchannels(length, rng):
                other = int(rng.integers(num_speakers - 1))
                other += other >= holder
                when = start + round(offset * sample_rate)
                if when >= free[other]:
                    turn = self._say(other, speakers[other], when, seconds, rng)
                    pieces += turn
                    free[other] = turn[-1].start + turn[-1].num_samples

    def _say(
        self,
        speaker: int,
        who: int,
        start: int,
        duration: float,
        rng: np.random.Generator,
    ) -> list[Piece]:
        """Phrases of a speaker in a row, until `duration` seconds are reached."""
        pool = self.pool
        target = max(round(duration * pool.sample_rate), pool.sample_rate // 5)
        gain = 10 ** (self.mixing.turn_spread * rng.standard_normal() / 20)
        pieces: list[Piece] = []
        time = start
        while True:
            among = pool.utterances_of[who]
            utterance = int(among[rng.integers(len(among))])
            first, last = pool.first_phrase[utterance : utterance + 2]
            first = int(rng.integers(first, last))
            origin = pool.phrases[first, 0]
            for phrase_start, phrase_end in pool.phrases[first:last]:
                begin = time + int(phrase_start - origin)
                left = start + target - begin
                if left < pool.sample_rate // 10 and pieces:
                    return pieces
                length = min(int(phrase_end - phrase_start), left)
                pieces.append(
                    Piece(speaker, utterance, int(phrase_start), length, begin, gain)
                )
            time = begin + length + round(rng.uniform(0.05, 0.3) * pool.sample_rate)

    def _mix(
        self,
        pieces: list[Piece],
        num_speakers: int,
        num_samples: int,
        rng: np.random.Generator,
    ) -> np.ndarray:
        mixing = self.mixing
        room = self.rooms if rng.random() < mixing.room else None
        lead = 0 if room is None else room.num_samples
        dry = self._dry(pieces, num_speakers, lead, num_samples)
        gains = 10 ** (mixing.speaker_spread * rng.standard_normal(num_speakers) / 20)
        dry *= gains[:, None].astype(np.float32)
        if room is None:
            mixture = dry.sum(axis=0)
        else:
            positions = rng.permutation(room.num_positions)
            mixture = room.reverberate(
                dry,
                int(rng.integers(room.num_rooms)),
                np.resize(positions, num_speakers).tolist(),
            )
        noise = self._noise(num_samples, rng)
        # `_dry` brings speech to unit level
        mixture += noise * np.float32(10 ** (-rng.uniform(*mixing.snr) / 20))
        tilt = mixing.tilt * rng.standard_normal()
        band = None
        if rng.random() < mixing.telephone:
            band = (rng.uniform(100, 400), rng.uniform(3000, 5000))
        if band is not None or rng.random() < 0.5:
            mixture = equalise(mixture, tilt, band, self.pool.sample_rate)
        mixture *= np.float32(10 ** (rng.uniform(*mixing.level) / 20))
        peak = np.abs(mixture).max(initial=0.0)
        return mixture if peak < 1 else mixture / peak

    def _dry(
        self, pieces: list[Piece], num_speakers: int, lead: int, num_samples: int
    ) -> np.ndarray:
        """Lay out speech, brought to unit level; (num_speakers, lead + num_samples)."""
        pool = self.pool
        dry = np.zeros((num_speakers, lead + num_samples), dtype=np.float32)
        fade = np.linspace(0, 1, pool.sample_rate // 100, dtype=np.float32)
        for piece in pieces:
            end = piece.start + piece.num_samples
            if end <= -lead or piece.start >= num_samples:
                continue
            speech = pool.samples[piece.source : piece.source + piece.num_samples]
            level = 2**15 * pool.levels[piece.utterance]
            speech = speech * np.float32(piece.gain / level)
            speech[-len(fade) :] *= fade[::-1][-len(speech) :]
            first, last = max(piece.start, -lead), min(end, num_samples)
            dry[piece.speaker, lead + first : lead + last] = speech[
                first - piece.start : last - piece.start
            ]
        return dry

    def _noise(self, num_samples: int, rng: np.random.Generator) -> np.ndarray:
        mixing = self.mixing
        noises = self._coloured
        if self.noises and rng.random() < mixing.noise:
            noises = self.noises
        noise = _crop(noises, num_samples, rng)
        if self.babble and rng.random() < mixing.babble:
            for _ in range(rng.integers(3, 7)):
                noise += 0.5 * _crop(self.babble, num_samples, rng)
        return noise

    def _turns(
        self, pieces: list[Piece], speakers: np.ndarray, num_samples: int
    ) -> list[tuple[float, float, str]]:
        """Pieces inside the waveform, those of a speaker joined over short pauses."""
        sample_rate = self.pool.sample_rate
        turns: list[tuple[float, float, str]] = []
        for index, speaker in enumerate(speakers):
            spans = sorted(
                (max(p.start, 0), min(p.start + p.num_samples, num_samples))
                for p in pieces
                if p.speaker == index
                and p.start < num_samples
                and p.start + p.num_samples > 0
            )
            joined: list[list[int]] = []
            for start, end in spans:
                if joined and start - joined[-1][1] < MIN_PAUSE * sample_rate:
                    joined[-1][1] = end
                else:
                    joined.append([start, end])
            name = self.pool.speakers[speaker]
            turns += [(s / sample_rate, e / sample_rate, name) for s, e in joined]
        return sorted(turns)


def _crop(
    recordings: Sequence[np.ndarray], num_samples: int, rng: np.random.Generator
) -> np.ndarray:
    """Random stretch of unit level, repeated if too short."""
    recording = recordings[int(rng.integers(len(recordings)))]
    start = int(rng.integers(max(len(recording) - num_samples, 0) + 1))
    crop = np.resize(recording[start : start + num_samples], num_samples)
    crop = crop.astype(np.float32)
    return crop / np.float32(np.sqrt(np.mean(crop**2)) + 1e-6)
