# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Turn taking: distributions of turns, pauses, overlaps and backchannels.

One speaker holds the *floor*. After a turn, the same speaker goes on after a
hesitation, or another speaker takes the floor, after a pause or before the turn has
ended. Backchannels are short turns of other speakers that do not take the floor.

As in F. Landini et al., "From Simulated Mixtures to Simulated Conversations as Training
Data for End-to-End Neural Diarization", Interspeech 2022, gaps between turns are drawn,
not independent speakers, and their distributions are estimated from real conversations.
"""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from fnmatch import fnmatchcase
from pathlib import Path

import numpy as np
from pyannote.core import Annotation
from pyannote.database.util import load_rttm

from pyannote_diarizen.simulation.energy_vad import MIN_PAUSE


@dataclass(frozen=True)
class TurnTaking:
    """Distributions of turns. Times are in seconds.

    By default, turns are shorter and backchannels more frequent than in meetings, so
    that chunks of a few seconds have several speakers.

    Parameters
    ----------
    turn_duration : float, optional
        Median of the log-normal duration of turns. Defaults to 2.
    turn_spread : float, optional
        Standard deviation of its logarithm. Defaults to 0.8.
    same_speaker : float, optional
        Probability that the next turn is by the same speaker. Defaults to 0.2.
    hesitation : float, optional
        Mean pause before the next turn of the same speaker, exponential above
        `MIN_PAUSE` (a shorter pause does not end a turn). Defaults to 0.8.
    pause : float, optional
        Mean pause before the turn of another speaker, exponential. Defaults to 0.6.
    overlap_probability : float, optional
        Probability that the turn of another speaker begins before the turn ends.
        Defaults to 0.45.
    overlap : float, optional
        Mean duration of that overlap, exponential, at most 80 % of the turn. Defaults
        to 1.
    backchannel_rate : float, optional
        Mean number of backchannels per second of a turn. Defaults to 0.12.
    backchannel_duration : float, optional
        Median of the log-normal duration of backchannels. Defaults to 0.6.
    backchannel_spread : float, optional
        Standard deviation of its logarithm. Defaults to 0.6.
    silence : float, optional
        Probability of a conversation without any turn. Defaults to 0.02.
    """

    turn_duration: float = 2.0
    turn_spread: float = 0.8
    same_speaker: float = 0.2
    hesitation: float = 0.8
    pause: float = 0.6
    overlap_probability: float = 0.45
    overlap: float = 1.0
    backchannel_rate: float = 0.12
    backchannel_duration: float = 0.6
    backchannel_spread: float = 0.6
    silence: float = 0.02

    def __post_init__(self) -> None:
        """Check probabilities and durations."""
        for name in ("same_speaker", "overlap_probability", "silence"):
            if not 0 <= getattr(self, name) <= 1:
                raise ValueError(
                    f"`{name}` should be between 0 and 1, got {getattr(self, name)}."
                )
        for name in ("turn_duration", "backchannel_duration"):
            if getattr(self, name) == 0:
                raise ValueError(f"`{name}` should be above 0, got 0.")
        for name, value in vars(self).items():
            if not 0 <= value < 600:
                raise ValueError(
                    f"`{name}` should be from 0 to 600, got {value}: is it in seconds?"
                )

    def draw_duration(self, rng: np.random.Generator) -> float:
        """Draw the intended duration of a turn."""
        # log-normal: exp(mu + sigma z), with exp(mu) the median
        return self.turn_duration * np.exp(self.turn_spread * rng.standard_normal())

    def draw_gap(
        self, change: bool, turn_duration: float, rng: np.random.Generator
    ) -> float:
        """Draw the gap after a turn, negative if the next turn overlaps it."""
        if not change:
            return MIN_PAUSE + rng.exponential(self.hesitation)
        if rng.random() < self.overlap_probability:
            return -min(rng.exponential(self.overlap), 0.8 * turn_duration)
        return rng.exponential(self.pause)

    def draw_backchannels(
        self, turn_duration: float, rng: np.random.Generator
    ) -> list[tuple[float, float]]:
        """Draw (offset, duration) of the backchannels inside a turn."""
        backchannels = []
        for _ in range(rng.poisson(self.backchannel_rate * turn_duration)):
            spread = self.backchannel_spread * rng.standard_normal()
            duration = self.backchannel_duration * np.exp(spread)
            if duration < turn_duration:
                offset = rng.uniform(0, turn_duration - duration)
                backchannels.append((offset, duration))
        return backchannels

    @classmethod
    def from_annotations(
        cls, annotations: Iterable[Annotation], silence: float = 0.02
    ) -> "TurnTaking":
        """Estimate distributions from annotations of real conversations.

        Gaps are measured between turns that hold the floor; a turn that ends before the
        turn it overlaps is a backchannel. Parameters without observation keep their
        defaults.

        Parameters
        ----------
        annotations : iterable of Annotation
        silence : float, optional
            Not estimated. Defaults to 0.02.
        """
        turns, backchannels, hesitations, gaps = [], [], [], []
        for annotation in annotations:
            joined = annotation.support(collar=MIN_PAUSE)
            end, holder = -np.inf, None
            for segment, _, speaker in joined.itertracks(yield_label=True):
                if not segment:  # of no duration
                    continue
                if segment.end <= end:
                    backchannels.append(segment.duration)
                    continue
                turns.append(segment.duration)
                if holder is not None:
                    gap = segment.start - end
                    if speaker == holder:
                        hesitations.append(gap - MIN_PAUSE)
                    else:
                        gaps.append(gap)
                end, holder = segment.end, speaker
        if len(turns) < 2:
            raise ValueError("At least two turns are needed to estimate turn taking.")
        overlaps = [-gap for gap in gaps if gap < 0]
        pauses = [gap for gap in gaps if gap >= 0]
        default = cls()
        turn_duration, turn_spread = _log_normal(turns)
        duration, spread = (
            _log_normal(backchannels)
            if backchannels
            else (default.backchannel_duration, default.backchannel_spread)
        )
        return cls(
            turn_duration=turn_duration,
            turn_spread=turn_spread,
            same_speaker=_share(hesitations, gaps, default.same_speaker),
            hesitation=_mean(hesitations, default.hesitation),
            pause=_mean(pauses, default.pause),
            overlap_probability=_share(overlaps, pauses, default.overlap_probability),
            overlap=_mean(overlaps, default.overlap),
            backchannel_rate=len(backchannels) / sum(turns),
            backchannel_duration=duration,
            backchannel_spread=spread,
            silence=silence,
        )

    @classmethod
    def from_rttm(
        cls, path: str | Path, exclude: Iterable[str] = (), silence: float = 0.02
    ) -> "TurnTaking":
        """Estimate distributions from an RTTM file, possibly compressed (.rttm.gz).

        Parameters
        ----------
        path : str or Path
        exclude : iterable of str, optional
            Recordings to leave out, for instance a test set, by shell-style patterns
            such as "ES2003*". Defaults to none.
        silence : float, optional
            Defaults to 0.02.
        """
        if not Path(path).is_file():
            raise FileNotFoundError(f"{path} does not exist.")
        patterns = tuple(exclude)
        annotations = [
            annotation
            for uri, annotation in load_rttm(path).items()
            if not any(fnmatchcase(uri, pattern) for pattern in patterns)
        ]
        if not annotations:
            raise ValueError(
                f"{path} has no recording except the excluded ones: {patterns}."
            )
        return cls.from_annotations(annotations, silence)


def _log_normal(durations: Sequence[float]) -> tuple[float, float]:
    # maximum likelihood: mean and deviation of logarithms; exp(mean) is the median
    logarithms = np.log(durations)
    return float(np.exp(logarithms.mean())), float(logarithms.std())


def _share(some: Sequence, others: Sequence, default: float) -> float:
    total = len(some) + len(others)
    return len(some) / total if total else default


def _mean(values: Sequence[float], default: float) -> float:
    return float(np.mean(values)) if values else default
