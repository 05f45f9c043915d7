# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""A simulated conversation: waveform and turns."""

from dataclasses import dataclass

import numpy as np
from pyannote.core import Annotation, Segment, SlidingWindow

from pyannote_diarizen.functional.frames import draw_turns


@dataclass(frozen=True, eq=False)
class SimulatedConversation:
    """A waveform and its turns.

    Parameters
    ----------
    waveform : (num_samples,) np.ndarray
        float32, between -1 and 1.
    turns : list of (start, end, speaker)
        In seconds, sorted. Turns of one speaker do not touch.
    sample_rate : int
    """

    waveform: np.ndarray
    turns: list[tuple[float, float, str]]
    sample_rate: int

    @property
    def duration(self) -> float:
        """Duration in seconds."""
        return len(self.waveform) / self.sample_rate

    @property
    def speakers(self) -> list[str]:
        """Active speakers, in the order of their first turns."""
        return list(dict.fromkeys(speaker for _, _, speaker in self.turns))

    def annotation(self, uri: str | None = None) -> Annotation:
        """Return turns as an annotation."""
        annotation = Annotation(uri=uri)
        for track, (start, end, speaker) in enumerate(self.turns):
            annotation[Segment(start, end), track] = speaker
        return annotation

    def activity(self, frames: SlidingWindow, num_frames: int) -> np.ndarray:
        """Draw turns on frames; see `draw_turns`.

        Parameters
        ----------
        frames : SlidingWindow
            For instance `model.receptive_field`.
        num_frames : int
            For instance `model.num_frames(num_samples)`.

        Returns
        -------
        activity : (num_frames, num_speakers) np.ndarray
            uint8, 0 or 1; speakers in the order of `self.speakers`.

        Examples
        --------
        >>> conversation = SimulatedConversation(
        ...     np.zeros(16000), [(0.0, 0.5, "a"), (0.25, 0.75, "b")], 16000
        ... )
        >>> conversation.activity(SlidingWindow(0.25, 0.25), 4).tolist()
        [[1, 0], [1, 1], [0, 1], [0, 0]]
        """
        speakers = self.speakers
        return draw_turns(
            np.array([turn[0] for turn in self.turns], dtype=float) - frames.start,
            np.array([turn[1] for turn in self.turns], dtype=float) - frames.start,
            np.array([speakers.index(turn[2]) for turn in self.turns], dtype=int),
            (num_frames, len(speakers)),
            frames.duration,
            frames.step,
        )
