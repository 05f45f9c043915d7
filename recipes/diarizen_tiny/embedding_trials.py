# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Embeddings of labelled speech, close to the microphone or far from it."""

from collections.abc import Callable
from pathlib import Path

import numpy as np
import torch
from torch import Tensor

from pyannote_diarizen.data.acoustics import Rooms, read_noises
from pyannote_diarizen.data.excerpts import cut_excerpts, read_excerpt
from pyannote_diarizen.data.recording import Mixing, Recorder
from pyannote_diarizen.data.speech import SpeechPool
from pyannote_diarizen.functional.equal_error_rate import equal_error_rate

Network = Callable[[Tensor], np.ndarray]
"""(batch, 1, num_samples) waveforms to (batch, dimension) embeddings."""
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


@torch.inference_mode()
def embed(
    network: Network,
    pool: SpeechPool,
    duration: tuple[float, float],
    recorder: Recorder | None = None,
    seed: int = 0,
    batch_size: int = 32,
) -> tuple[np.ndarray, np.ndarray]:
    """Embed one crop of each excerpt of 5 s of a pool.

    Parameters
    ----------
    network : callable
    pool : SpeechPool
    duration : (min, max)
        Of crops, in seconds; those of a batch have the same.
    recorder : Recorder, optional
        Defaults to none: crops are heard as they are.
    seed : int, optional
        Defaults to 0.
    batch_size : int, optional
        Defaults to 32.

    Returns
    -------
    embeddings : (num_excerpts, dimension) np.ndarray
    labels : (num_excerpts,) np.ndarray
        Index of their speakers.
    """
    rng = np.random.default_rng(seed)
    excerpts = cut_excerpts(pool, 5.0, min_duration=2.0)
    embeddings = []
    for first in range(0, len(excerpts), batch_size):
        num_samples = round(rng.uniform(*duration) * pool.sample_rate)
        crops = []
        for excerpt in excerpts[first : first + batch_size]:
            start = int(rng.integers(max(excerpt.num_samples - num_samples, 0) + 1))
            crop = read_excerpt(pool, excerpt, start=start, num_samples=num_samples)
            crop = np.resize(crop, num_samples)  # repeated if too short
            if recorder is not None:
                level = np.sqrt(np.mean(crop**2)) + np.float32(1e-6)
                speech = np.pad(crop / level, (recorder.lead, 0))
                crop = recorder.record(speech[None], rng)
            crops.append(crop)
        embeddings.append(network(torch.from_numpy(np.stack(crops)[:, None])))
    return np.concatenate(embeddings), np.array([e.speaker for e in excerpts])


def cosine(a: np.ndarray, b: np.ndarray) -> np.ndarray:
    """Cosine of each embedding of `a` with each one of `b`."""
    a, b = (x / np.linalg.norm(x, axis=1, keepdims=True) for x in (a, b))
    return a @ b.T


def error_rate(embeddings: np.ndarray, labels: np.ndarray, scores: Scores) -> float:
    """Equal error rate over all pairs of embeddings, in percent."""
    first, second = np.triu_indices(len(labels), k=1)
    same = labels[first] == labels[second]
    return 100 * equal_error_rate(same, scores(embeddings, embeddings)[first, second])
