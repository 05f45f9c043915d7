# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""When people speak in a conversation: pauses, overlaps and interjections.

Speakers pass the *floor* to each other. After each turn, someone takes the floor: the
same speaker after a pause, or another one after a pause or before the turn has ended.
While one has the floor, others interject without taking it (backchannels). Simulating
turn changes rather than independent speakers follows Landini et al., "From simulated
mixtures to simulated conversations", Interspeech 2022.
"""

from dataclasses import dataclass

import numpy as np


@dataclass(frozen=True)
class TurnTaking:
    """Distribution of turns.

    Parameters
    ----------
    turn_duration : float, optional
        Median duration of a turn, in seconds. Defaults to 2.
    turn_spread : float, optional
        Standard deviation of its logarithm. Defaults to 0.8.
    same_speaker : float, optional
        Probability that the next turn is by the same speaker. Defaults to 0.25.
    pause : float, optional
        Mean pause between turns, in seconds. Defaults to 0.6.
    overlap_probability : float, optional
        Probability that a change of speaker begins before the turn has ended. Defaults
        to 0.4.
    overlap : float, optional
        Mean duration of that overlap, in seconds. Defaults to 0.6.
    backchannel_rate : float, optional
        Interjections per second of someone else's turn. Defaults to 0.08.
    backchannel_duration : float, optional
        Median duration of an interjection, in seconds. Defaults to 0.6.
    silence : float, optional
        Share of conversations in which nobody speaks. Defaults to 0.02.
    """

    turn_duration: float = 2.0
    turn_spread: float = 0.8
    same_speaker: float = 0.25
    pause: float = 0.6
    overlap_probability: float = 0.4
    overlap: float = 0.6
    backchannel_rate: float = 0.08
    backchannel_duration: float = 0.6
    silence: float = 0.02

    def draw_duration(self, rng: np.random.Generator) -> float:
        """Draw how long a turn would last, in seconds."""
        return self.turn_duration * np.exp(self.turn_spread * rng.standard_normal())

    def draw_gap(self, change: bool, rng: np.random.Generator) -> float:
        """Draw seconds between two turns, negative when they overlap."""
        if change and rng.random() < self.overlap_probability:
            return -rng.exponential(self.overlap)
        return rng.exponential(self.pause)

    def draw_backchannels(
        self, duration: float, rng: np.random.Generator
    ) -> list[tuple[float, float]]:
        """Draw (offset, duration) in seconds of interjections in someone's turn."""
        num = rng.poisson(self.backchannel_rate * duration)
        return [
            (
                duration * rng.random(),
                self.backchannel_duration * np.exp(0.4 * rng.standard_normal()),
            )
            for _ in range(num)
        ]
