# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Excerpts of labelled speech, how to record them elsewhere, and how to score pairs."""

from collections.abc import Callable, Iterator
from pathlib import Path

import numpy as np

from pyannote_diarizen.functional.detection import pairwise_equal_error_rate
from pyannote_diarizen.simulation.acoustics import Rooms, read_noises
from pyannote_diarizen.simulation.excerpts import cut_excerpts, read_excerpt
from pyannote_diarizen.simulation.recording import Mixing, Recorder
from pyannote_diarizen.simulation.speech import SpeechPool

Scores = Callable[[np.ndarray, np.ndarray], np.ndarray]
"""Embeddings to the (num_a, num_b) scores of their pairs."""


def make_recorder(speech: Path) -> Recorder:
    """Rooms, noises and babble."""
    return Recorder(
        Rooms.simulate(num_rooms=128, num_positions=3),
        read_noises(sorted((speech / "noise").glob("*.opus"))),
        read_noises(sorted((speech / "picovoice_s2i").glob("*.opus"))),
        Mixing(telephone=0.25),
    )


def pool_excerpts(pool: SpeechPool) -> Iterator[tuple[int, np.ndarray]]:
    """Excerpts of 5 s, with the index of their speaker; the last of each is shorter."""
    for excerpt in cut_excerpts(pool, 5.0, min_duration=2.0):
        yield excerpt.speaker, read_excerpt(pool, excerpt)


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cosine of each embedding of `a` with each one of `b`."""
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
    return a @ b.T


def error_rate(embeddings: np.ndarray, labels: np.ndarray, scores: Scores) -> float:
    """Equal error rate over all pairs of embeddings, in percent."""
    return 100 * pairwise_equal_error_rate(scores(embeddings, embeddings), labels)
