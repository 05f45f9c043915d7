# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Embeddings of speech with known speakers, to train and evaluate a PLDA.

Each embedding comes from a short crop, as in diarization, where a speaker is often
active for a second or two of a chunk.
"""

from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from itertools import islice
from typing import Any

import numpy as np
import torch
from torch import Tensor

from pyannote_diarizen.audio.reader import AudioReader
from pyannote_diarizen.corpora.single_speaker import turn_excerpts
from pyannote_diarizen.simulation.recording import Recorder

Network = Callable[[Tensor], np.ndarray]
"""(batch, 1, num_samples) waveforms to (batch, dimension) embeddings."""


@torch.inference_mode()
def embed_excerpts(
    network: Network,
    excerpts: Iterable[tuple[Any, np.ndarray]],
    duration: tuple[float, float],
    recorder: Recorder | None = None,
    seed: int = 0,
    batch_size: int = 32,
    sample_rate: int = 16000,
) -> tuple[np.ndarray, np.ndarray]:
    """Embed one crop of each excerpt.

    Parameters
    ----------
    network : callable
        Maps (batch, 1, num_samples) waveforms to (batch, dimension) embeddings.
    excerpts : iterable of (speaker, (num_samples,) np.ndarray)
        Speech of one speaker each, float32, repeated if shorter than its crop.
    duration : (min, max)
        Duration of crops, in seconds; the same for all crops of a batch.
    recorder : Recorder, optional
        Adds reverberation and noise to crops. Defaults to None, clean crops.
    seed : int, optional
        Seed of durations, positions and recording conditions. Defaults to 0.
    batch_size : int, optional
        Number of crops in one pass of the network. Defaults to 32.
    sample_rate : int, optional
        Sample rate of excerpts, in Hz. Defaults to 16000.

    Returns
    -------
    embeddings : (num_excerpts, dimension) np.ndarray
        One embedding per excerpt.
    labels : (num_excerpts,) np.ndarray
        Speaker of each embedding.

    Raises
    ------
    ValueError
        If there is no excerpt.
    """
    rng = np.random.default_rng(seed)
    embeddings, labels = [], []
    for batch in _batches(excerpts, batch_size):
        # one duration per batch, so that its crops make one tensor without padding
        num_samples = round(rng.uniform(*duration) * sample_rate)
        crops = [_crop(excerpt, num_samples, recorder, rng) for _, excerpt in batch]
        embeddings.append(network(torch.from_numpy(np.stack(crops)[:, None])))
        labels += [speaker for speaker, _ in batch]
    if not labels:
        raise ValueError(
            "No speaker is long enough without overlap: there is no excerpt."
        )
    return np.concatenate(embeddings), np.array(labels)


def embed_files(
    embedding: Any,
    files: Sequence[Mapping[str, Any]],
    duration: tuple[float, float] = (1.0, 4.0),
    batch_size: int = 32,
    hook: Callable[[int], None] | None = None,
) -> tuple[np.ndarray, np.ndarray]:
    """Embed the speech of labelled files that does not overlap.

    Parameters
    ----------
    embedding : PretrainedSpeakerEmbedding
        Embedding of pyannote.audio.
    files : sequence of Mapping
        Files of a protocol, with "audio" and "annotation". One is in memory at a time.
    duration : (min, max), optional
        Duration of crops, in seconds. Defaults to 1 to 4.
    batch_size : int, optional
        Number of crops in one pass of the network. Defaults to 32.
    hook : callable, optional
        Called with the number of files read so far.

    Returns
    -------
    embeddings : (num_excerpts, dimension) np.ndarray
        One for every `max` seconds of each speaker.
    labels : (num_excerpts,) np.ndarray of str
        Speaker of each embedding, distinct within the scope of the labels.

    Raises
    ------
    ValueError
        If a file has no labels, or no speaker has `min` seconds without overlap.
    AudioFileError
        If a file cannot be read.
    """
    shortest, longest = duration
    if not 0 < shortest <= longest:
        raise ValueError(
            "`duration` should be the shortest and longest crop, in seconds, "
            f"got {shortest:g} and {longest:g}."
        )
    audio = AudioReader(embedding.sample_rate)

    def excerpts() -> Iterator[tuple[str, np.ndarray]]:
        for completed, file in enumerate(files, start=1):
            yield from turn_excerpts(file, audio, longest, min_duration=shortest)
            if hook is not None:
                hook(completed)

    return embed_excerpts(
        embedding,
        excerpts(),
        duration,
        batch_size=batch_size,
        sample_rate=embedding.sample_rate,
    )


def mean_embeddings(
    embeddings: np.ndarray, labels: np.ndarray, size: int = 4
) -> tuple[np.ndarray, np.ndarray]:
    """Average the embeddings of successive crops, as speaker recognition does.

    Parameters
    ----------
    embeddings : (num_embeddings, dimension) np.ndarray
        Embeddings of crops.
    labels : (num_embeddings,) np.ndarray
        Speaker of each embedding.
    size : int, optional
        Number of crops per mean; lower for speakers with too few crops for two means.
        Defaults to 4.

    Returns
    -------
    means : (num_means, dimension) np.ndarray
        Mean embeddings.
    labels : (num_means,) np.ndarray
        Speaker of each mean.

    Examples
    --------
    >>> embeddings, labels = np.array([[1.0], [3.0], [5.0], [6.0]]), [0, 0, 0, 1]
    >>> mean_embeddings(embeddings, np.array(labels))
    (array([[2.],
           [5.],
           [6.]]), array([0, 0, 1]))
    """
    means, speakers = [], []
    for speaker in np.unique(labels):
        own = embeddings[labels == speaker]
        # at least two groups if possible: a single mean has no pair to compare with
        groups = np.array_split(own, max(len(own) // size, min(len(own), 2)))
        means += [group.mean(axis=0) for group in groups]
        speakers += [speaker] * len(groups)
    return np.array(means), np.array(speakers)


def _batches(
    excerpts: Iterable[tuple[Any, np.ndarray]], size: int
) -> Iterator[list[tuple[Any, np.ndarray]]]:
    remaining = iter(excerpts)
    while batch := list(islice(remaining, size)):
        yield batch


def _crop(
    excerpt: np.ndarray,
    num_samples: int,
    recorder: Recorder | None,
    rng: np.random.Generator,
) -> np.ndarray:
    start = int(rng.integers(max(len(excerpt) - num_samples, 0) + 1))
    crop = np.resize(excerpt[start:], num_samples)  # repeats a short excerpt
    if recorder is None:
        return crop
    level = np.sqrt(np.mean(crop**2)) + np.float32(1e-6)  # root mean square
    # of unit level, as the recorder expects, behind its lead (here silent)
    return recorder.record(np.pad(crop / level, (recorder.lead, 0))[None], rng)
