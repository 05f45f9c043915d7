# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Requested number of speakers, and the evidence for the number that is found.

The mathematics is in `functional.speaker_number`.
"""

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np
from scipy.special import softmax

from pyannote_diarizen.clustering.local_speakers import UNASSIGNED
from pyannote_diarizen.functional.speaker_number import NumSpeakersPrior


@dataclass(frozen=True)
class NumSpeakersRequest:
    """Bounds on the number of speakers, and how to choose between them.

    Attributes
    ----------
    fewest, most : int
        Bounds.
    prior : NumSpeakersPrior or None, optional
        Prior of the number that the evidence chooses. None (default) keeps the number
        of VBx as far as the bounds allow.
    """

    fewest: int
    most: int
    prior: NumSpeakersPrior | None = None


def sorted_numbers(num_speakers: Iterable[int], num_embeddings: int) -> np.ndarray:
    """Sort numbers of speakers, without repetition.

    Raises
    ------
    ValueError
        If there is none, or one is not between 1 and `num_embeddings`.
    """
    numbers = np.unique(list(num_speakers))
    if not (len(numbers) and numbers[0] >= 1 and numbers[-1] <= num_embeddings):
        raise ValueError(
            f"`num_speakers` should be between 1 and {num_embeddings}, the number of "
            f"clustered embeddings, got {numbers.tolist()}."
        )
    return numbers


@dataclass(frozen=True, eq=False)
class NumSpeakersEvidence:
    """Evidence for each number of speakers, and for each speaker that is found.

    Attributes
    ----------
    num_speakers : (num_numbers,) np.ndarray of int
        Numbers that were tried, in increasing order.
    log_evidence : (num_numbers,) np.ndarray
        Evidence of the best partition into that number, in nats, up to a constant.
    log_prior : (num_numbers,) np.ndarray
        Logarithm of the prior of that number, at most 0; zeros without expected number.
    found : int
        Number of speakers that the clustering finds without bounds.
    responsibilities : (num_embeddings, found) np.ndarray
        Probability that each clustered embedding belongs to each speaker.
    chunks, speakers : (num_embeddings,) np.ndarray
        Chunk and local speaker of each clustered embedding.
    separation : (found,) np.ndarray
        Log-odds, in nats, that the speaker differs from the speaker most like it;
        infinite for a single speaker.
    elbo : (num_iterations,) np.ndarray
        Evidence lower bound after each iteration of VBx.
    """

    num_speakers: np.ndarray
    log_evidence: np.ndarray
    log_prior: np.ndarray
    found: int
    responsibilities: np.ndarray
    chunks: np.ndarray
    speakers: np.ndarray
    separation: np.ndarray
    elbo: np.ndarray

    @property
    def posterior(self) -> np.ndarray:
        """Probability (num_numbers,) of each number that was tried.

        Close to 0 or 1, because the evidence still overrates embeddings that overlap:
        look at differences of `log_evidence` first.
        """
        return softmax(self.log_evidence + self.log_prior)


def fill_empty_clusters(
    hard_clusters: np.ndarray,
    responsibilities: np.ndarray,
    chunks: np.ndarray,
    speakers: np.ndarray,
) -> None:
    """Give each empty cluster the embedding with the highest responsibility, in place.

    A cluster can lose all its embeddings to closer centroids, and the number that the
    caller asked for would not come out.

    Parameters
    ----------
    hard_clusters : (num_chunks, num_speakers) np.ndarray
        Cluster of each speaker, -2 if none.
    responsibilities : (num_embeddings, num_clusters) np.ndarray
        Probability that each embedding belongs to each cluster.
    chunks, speakers : (num_embeddings,) np.ndarray
        Chunk and local speaker of each embedding.
    """
    num_clusters = responsibilities.shape[1]
    for cluster in range(num_clusters):
        sizes = np.bincount(
            hard_clusters[hard_clusters != UNASSIGNED], minlength=num_clusters
        )
        if sizes[cluster] > 0:
            continue
        current = hard_clusters[chunks, speakers]  # (num_embeddings,)
        # an embedding that is alone in its cluster would leave that one empty
        movable = (current == UNASSIGNED) | (sizes[current] > 1)
        best = np.argmax(np.where(movable, responsibilities[:, cluster], -1))
        hard_clusters[chunks[best], speakers[best]] = cluster
