# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Embeddings of conversations whose speakers are known: what clusterings are tried on.

They come from a PLDA model, or from real voices, and are laid out in chunks of a few
local speakers as segmentation does.
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
"""Those of the published DiariZen pipelines."""
FEWEST, MOST = 16, 64
"""Embeddings of a speaker in a conversation: shares differ by a factor of four."""
OVERLAP = round(CHUNKS.duration / CHUNKS.step)
"""Successive embeddings of a speaker that have heard the same word."""
SHARED_CHUNKS = 0.1
"""Probability that an embedding shares its chunk with the next one."""
MIN_SPEECH = 6.0
"""Seconds of speech of a real voice; half as much would be the same words each time."""
SPREAD = 3.0
"""How much further from their mean than that is from zero embeddings are drawn."""

Voices = Callable[[np.ndarray, np.random.Generator], list[np.ndarray]]
"""From numbers of embeddings to that many of each of as many speakers."""


@dataclass(frozen=True, eq=False)
class Conversation:
    """What a clustering is given, and what it should answer.

    Attributes
    ----------
    embeddings : (num_chunks, num_local_speakers, dimension) np.ndarray
        NaN for silent speakers.
    segmentations : (num_chunks, num_frames, num_local_speakers) SlidingWindowFeature
    truth : (num_chunks, num_local_speakers) np.ndarray
        Who speaks, -2 for nobody.
    """

    embeddings: np.ndarray
    segmentations: SlidingWindowFeature
    truth: np.ndarray

    @property
    def num_speakers(self) -> int:
        """Number of speakers."""
        return int(self.truth.max()) + 1


def draw_conversation(
    voices: Voices, num_speakers: int, rng: np.random.Generator
) -> Conversation:
    """Let speakers of unequal shares talk."""
    shares = np.exp(rng.uniform(np.log(FEWEST), np.log(MOST), num_speakers))
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
        Those of each speaker.
    rng : np.random.Generator
        Draws their order, and who shares a chunk with the next one.
    num_local_speakers : int, optional
        Columns of a chunk, at least 2. Defaults to 2.
    num_frames : int, optional
        Two speakers of a chunk overlap during a fifth of it. Defaults to 20.
    """
    speakers = np.repeat(np.arange(len(embeddings)), [len(some) for some in embeddings])
    order = rng.permutation(len(speakers))
    speakers, vectors = speakers[order], np.concatenate(embeddings)[order]

    shares = rng.random(len(speakers)) < SHARED_CHUNKS
    second = np.zeros(len(speakers), dtype=bool)
    for index in range(1, len(speakers)):
        stranger = speakers[index] != speakers[index - 1]
        second[index] = shares[index] and stranger and not second[index - 1]
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
    """Speakers drawn from a PLDA model, heard through windows that overlap."""
    sqrt_psi = np.sqrt(plda.parameters.psi)
    dimension = len(sqrt_psi)

    def draw(shares: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
        speakers = []
        for share in shares:
            mean = sqrt_psi * rng.standard_normal(dimension)
            steps = rng.standard_normal((share + OVERLAP - 1, dimension))
            windows = sliding_window_view(steps, OVERLAP, axis=0)
            noise = windows.sum(axis=-1) / np.sqrt(OVERLAP)
            speakers.append(unproject(mean + noise, plda.parameters))
        return speakers

    return draw


def unproject(vectors: np.ndarray, parameters: PLDAParameters) -> np.ndarray:
    """Embeddings that a PLDA projects to `vectors`, but for their lengths.

    Centred embeddings and their projections before `tr` have lengths of their own,
    those of the two length normalisations of the PLDA.
    """
    to_embeddings = np.linalg.pinv(parameters.lda)
    normalized = vectors @ np.linalg.inv(parameters.tr).T + parameters.mu
    moving = normalized @ to_embeddings
    fixed = parameters.mean2 @ to_embeddings
    # the factor that gives `factor * moving + fixed` the length of a whitened vector
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
        Holds `utterances.tsv`, with speakers that no model has heard in training.
    num_crops : int, optional
        Of each speaker, 1.5 to 4 s long, which overlap where there is little speech.
    seed : int, optional
        Defaults to 0.

    Returns
    -------
    embeddings : (num_speakers * num_crops, dimension) np.ndarray
    labels : (num_speakers * num_crops,) np.ndarray of int
        Their speakers, in order.
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
    """Speakers drawn among those of `embed_speakers`."""
    crops = [embeddings[labels == speaker] for speaker in np.unique(labels)]

    def draw(shares: np.ndarray, rng: np.random.Generator) -> list[np.ndarray]:
        speakers = rng.choice(len(crops), len(shares), replace=False)
        return [
            rng.permutation(crops[speaker])[:share]
            for speaker, share in zip(speakers, shares, strict=True)
        ]

    return draw
