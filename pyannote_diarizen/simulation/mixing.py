# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Mixing of two chunks of a batch, with one label column per speaker.

pyannote.audio's `MixSpeakerDiarization` takes the maximum of two label matrices whose
columns are in arbitrary order, so that speakers of different chunks are merged if they
share a column. Here, columns are matched by the identity of their speakers.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pyannote.core import SlidingWindowFeature

UNKNOWN = -1
"""Speaker of a frame with silence or overlap, or of a real recording."""


@dataclass(frozen=True)
class RecordingMixer:
    """Mix chunks of a batch.

    Parameters
    ----------
    share : float, optional
        Share of chunks that are mixed with another one. Defaults to 0.25.
    snr : (min, max), optional
        Range of the level of a chunk relative to the added one, in dB. Defaults to 0
        to 10.

    Raises
    ------
    ValueError
        If an option is out of range.
    """

    share: float = 0.25
    snr: tuple[float, float] = (0.0, 10.0)

    def __post_init__(self) -> None:
        """Check options."""
        if not 0 <= self.share <= 1 or self.snr[0] > self.snr[1]:
            raise ValueError(
                "`share` should be between 0 and 1 and `snr` (min, max), got "
                f"{self.share} and {self.snr}."
            )

    def __call__(
        self,
        batch: Sequence[dict[str, Any]],
        max_speakers: int,
        rng: np.random.Generator,
    ) -> list[dict[str, Any]]:
        """Mix chunks of a batch with other chunks of it.

        Parameters
        ----------
        batch : sequence of dict
            Chunks of `prepare_chunk` of a task: "X" (channel, sample), "y" (frame,
            speaker) with labels, "meta". They are not changed.
        max_speakers : int
            Chunks are not mixed if they have more speakers together.
        rng : np.random.Generator

        Returns
        -------
        mixed : list of dict
        """
        others = rng.permutation(len(batch))
        return [
            self._mix(chunk, batch[other], max_speakers, rng)
            if rng.random() < self.share
            else chunk
            for chunk, other in zip(batch, others, strict=True)
        ]

    def _mix(
        self,
        chunk: dict[str, Any],
        other: dict[str, Any],
        max_speakers: int,
        rng: np.random.Generator,
    ) -> dict[str, Any]:
        speakers: dict[Hashable, np.ndarray] = {}
        for sample in (chunk, other):
            columns = sample["y"].data.T
            for speaker, active in zip(_identities(sample), columns, strict=True):
                speakers[speaker] = np.maximum(active, speakers.get(speaker, 0))
        if chunk is other or len(speakers) > max_speakers:
            return chunk
        gain = 10 ** (-rng.uniform(*self.snr) / 20)
        level, added = (sample["X"].square().mean().sqrt() for sample in (chunk, other))
        frames = chunk["y"]
        drawn = np.stack([*speakers.values()], axis=1) if speakers else frames.data
        labels = list(range(drawn.shape[1]))
        mixed = {
            **chunk,
            "X": chunk["X"] + gain * level / added.clamp(min=1e-8) * other["X"],
            "y": SlidingWindowFeature(drawn, frames.sliding_window, labels=labels),
        }
        if "speaker" in chunk:
            mixed["speaker"] = np.full_like(chunk["speaker"], UNKNOWN)
        return mixed


def _identities(sample: dict[str, Any]) -> list[Hashable]:
    """Identify the speaker of each column, across chunks."""
    scope, database, file = (
        int(sample["meta"][key]) for key in ("scope", "database", "file")
    )
    # scopes are file, database, global; labels of simulated chunks are global
    within = {0: (database, file), 1: (database,)}.get(scope, ())
    return [(scope, *within, label) for label in sample["y"].labels]
