# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Embeddings of conversations with known speakers, to benchmark clusterings.

They are drawn from a PLDA model or taken from real voices, and placed in chunks with a
few local speakers, like the output of a segmentation.
"""

from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import torch
from numpy.lib.stride_tricks import sliding_window_view
from pyannote.audio import Model
from pyannote.core import SlidingWindow, SlidingWindowFeature

from pyannote_diarizen.clustering import PLDA
from pyannote_diarizen.functional.plda import PLDAParameters
from pyannote_diarizen.pipelines.labelled_embeddings import embed_excerpts
from pyannote_diarizen.simulation.excerpts import cut_excerpts, read_excerpt
from pyannote_diarizen.simulation.speech import SpeechPool

CHUNKS = SlidingWindow(duration=16.0, step=1.6)
"""Chunks of the published DiariZen pipelines."""
FEWEST, MOST = 16, 64
"""Embeddings of a speaker in a conversation: shares differ by a factor of four."""
OVERLAP = round(CHUNKS.duration / CHUNKS.step)
"""Number of successive embeddings whose chunks contain the same word."""
SHARED_CHUNKS = 0.1
"""Probability that an embedding shares its chunk with the next one."""
MIN_SPEECH = 6.0
"""Minimum speech of a real voice, in seconds; with less, crops share their words."""
SPREAD = 3.0
"""Distance of embeddings from their mean, relative to the norm of the mean."""

Voices = Callable[[np.ndarray, np.random.Generator], list[np.ndarray]]
"""Maps the number of embeddings of each speaker to these embeddings."""


@dataclass(frozen=True, eq=False)
class Conversation:
    """Input of a clustering, and its correct output.

    Attributes
    ----------
    embeddings : (num_chunks, num_local_speakers, dimension) np.ndarray
        NaN for silent speakers.
    segmentations : (num_chunks, num_frames, num_local_speakers) SlidingWindowFeature
        Activity, 0 or 1.
    truth : (num_chunks, num_local_speakers) np.ndarray
        Index of each local speaker, -2 for silence.
    """

    embeddings: np.ndarray
    segmentations: SlidingWindowFeature
    truth: np.ndarray

    @property
    def num_speakers(self) -> int:
        """Number of speakers."""
        return int(self.truth.max()) + 1


def draw_conversation(
    voices: Voices,
    num_speakers: int,
    rng: np.random.Generator,
    fewest: int = FEWEST,
    most: int = MOST,
) -> Conversation:
    """Draw a conversation with `fewest` to `most` embeddings of each speaker."""
    shares = np.exp(rng.uniform(np.log(fewest), np.log(most), num_speakers))
    return lay_out(voices(shares.round().astype(int), rng), rng)


def lay_out(
    embeddings: list[np.ndarray],
    rng: np.random.Generator,
    num_local_speakers: int = 2,
    num_frames: int = 20,
) -> Conversation:
    """Put the embeddings of speakers into chunks, one or two in each.

    Parameters
    ----------
    embeddings : list of (num_embeddings, dimension) np.ndarray
        Embeddings of each speaker.
    rng : np.random.Generator
        Generator of their order, and of the pairs that share a chunk.
    num_local_speakers : int, optional
        Columns of a chunk, at least 2. Defaults to 2.
    num_frames : int, optional
        Frames of a chunk; two speakers overlap in a fifth of them. Defaults to 20.

    Returns
    -------
    conversation : Conversation
        Embeddings in chunks.
    """
    speakers = np.repeat(np.arange(len(embeddings)), [len(some) for some in embeddings])
    order = rng.permutation(len(speakers))
    speakers, vectors = speakers[order], np.concatenate(embeddings)[order]

    shares = rng.random(len(speakers)) < SHARED_CHUNKS
    second = np.zeros(len(speakers), dtype=bool)
    for index in range(1, len(speakers)):
        other = speakers[index] != speakers[index - 1]
        second[index] = shares[index] and other and not second[index - 1]
    chunk = np.cumsum(~second) - 1
    place = chunk, second.astype(int)

    shape = (chunk[-1] + 1, num_local_speakers)
    laid_out = np.full((*shape, vectors.shape[1]), np.nan, dtype=np.float32)
    laid_out[place] = vectors
    truth = np.full(shape, -2)
    truth[place] = speakers
    activity = np.zeros((shape[0], num_frames, num_local_speakers), dtype=np.uint8)
    activity[:, : round(0.6 * num_frames), 0] = 1
    activity[chunk[second], round(0.4 * num_frames) :, 1] = 1
    return Conversation(laid_out, SlidingWindowFeature(activity, CHUNKS), truth)


def simulated_voices(plda: PLDA) -> Voices:
    """Draw speakers from a PLDA model, in windows that overlap."""
    # latent space of the PLDA: between-speaker covariance psi, within-speaker identity
    sqrt_psi = np.sqrt(plda.parameters.psi)
    dimension = len(sqrt_psi)

    def draw(shares: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
        speakers = []
        for share in shares:
            mean = sqrt_psi * rng.standard_normal(dimension)
            steps = rng.standard_normal((share + OVERLAP - 1, dimension))
            windows = sliding_window_view(steps, OVERLAP, axis=0)
            # unit variance, and correlation of chunks that share words
            noise = windows.sum(axis=-1) / np.sqrt(OVERLAP)
            speakers.append(unproject(mean + noise, plda.parameters))
        return speakers

    return draw


def unproject(vectors: np.ndarray, parameters: PLDAParameters) -> np.ndarray:
    """Invert the projection of a PLDA, up to its two length normalisations.

    The projection is x -> w = sqrt(d) (x - mean1) / |x - mean1|, then
    y = w lda - mean2, then (y - mu) tr', up to the norm of y.
    """
    to_embeddings = np.linalg.pinv(parameters.lda)
    normalized = vectors @ np.linalg.inv(parameters.tr).T + parameters.mu
    moving = normalized @ to_embeddings
    fixed = parameters.mean2 @ to_embeddings
    # w = f moving + fixed with |w|^2 = d, the positive root of
    # a f^2 + 2 b f - missing = 0
    a, b = np.sum(moving**2, axis=1), moving @ fixed
    missing = len(fixed) - fixed @ fixed
    factor = (np.sqrt(b**2 + a * missing) - b) / a
    whitened = factor[:, None] * moving + fixed
    length = SPREAD * np.linalg.norm(parameters.mean1)
    return parameters.mean1 + length / np.sqrt(len(fixed)) * whitened


def embed_speakers(
    model: Model, speech: Path, num_crops: int = MOST, seed: int = 0
) -> tuple[np.ndarray, np.ndarray]:
    """Embed crops of the development speakers.

    Parameters
    ----------
    model : Model
        Embedding model.
    speech : Path
        Folder of `utterances.tsv`, with speakers outside of all training data.
    num_crops : int, optional
        Number of crops per speaker, 1.5 to 4 s long; they overlap if speech is short.
    seed : int, optional
        Seed of the crops. Defaults to 0.

    Returns
    -------
    embeddings : (num_speakers * num_crops, dimension) np.ndarray
        Embeddings of crops.
    labels : (num_speakers * num_crops,) np.ndarray of int
        Speaker of each embedding, in order.
    """
    pool = SpeechPool.from_folder(speech, "dev")
    all_speech = cut_excerpts(pool, duration=3600.0, min_duration=MIN_SPEECH)
    drawn = (
        (excerpt.speaker, read_excerpt(pool, excerpt))
        for excerpt in all_speech
        for _ in range(num_crops)
    )

    def network(waveforms: torch.Tensor) -> np.ndarray:
        return model(waveforms).numpy()

    return embed_excerpts(network, drawn, (1.5, 4.0), seed=seed)


def real_voices(embeddings: np.ndarray, labels: np.ndarray) -> Voices:
    """Draw speakers from the output of `embed_speakers`."""
    crops = [embeddings[labels == speaker] for speaker in np.unique(labels)]

    def draw(shares: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
        speakers = rng.choice(len(crops), len(shares), replace=False)
        return [
            rng.permutation(crops[speaker])[:share]
            for speaker, share in zip(speakers, shares, strict=True)
        ]

    return draw
