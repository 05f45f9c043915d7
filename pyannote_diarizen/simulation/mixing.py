# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Chunks of two recordings played at once, each speaker with labels of their own.

pyannote.audio's `MixSpeakerDiarization` takes the larger of two label matrices whose
columns are in any order: speakers of different chunks that share a column become one.
Here columns are told apart by who they stand for.
"""

from collections.abc import Hashable, Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
from pyannote.core import SlidingWindowFeature

UNKNOWN = -1
"""Who speaks in a frame of real data, of overlapped speech or of silence."""


@dataclass(frozen=True)
class RecordingMixer:
    """Mix chunks of a batch.

    Parameters
    ----------
    share : float, optional
        Share of chunks to which another one is added. Defaults to 0.25.
    snr : (min, max), optional
        Level of a chunk over that of the one that is added, in dB. Defaults to 0 to 10.

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
        """Mix some chunks of a batch with others.

        Parameters
        ----------
        batch : sequence of dict
            Chunks as `prepare_chunk` of a task returns them: "X" (channel, sample), "y"
            with labels, "meta". Not changed.
        max_speakers : int
            Chunks that would hold more of them are left as they are.
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
            for who, active in zip(_identities(sample), columns, strict=True):
                speakers[who] = np.maximum(active, speakers.get(who, 0))
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
    """Tell who the columns of a chunk stand for, wherever they are heard."""
    scope, database, file = (
        int(sample["meta"][key]) for key in ("scope", "database", "file")
    )
    # scopes are file, database, global; labels of simulated chunks are global
    within = {0: (database, file), 1: (database,)}.get(scope, ())
    return [(scope, *within, label) for label in sample["y"].labels]
