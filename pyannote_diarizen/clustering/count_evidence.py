# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Why a clustering found the number of speakers that it found."""

from dataclasses import dataclass

import numpy as np
from scipy.special import softmax


@dataclass(frozen=True, eq=False)
class CountEvidence:
    """What speaks for each number of speakers, and for each of those that are found.

    Attributes
    ----------
    num_speakers : (num_counts,) np.ndarray of int
        Numbers that were tried, in increasing order.
    log_evidence : (num_counts,) np.ndarray
        Lower bound of the evidence for the best partition into that number, in nats.
    log_prior : (num_counts,) np.ndarray
        What the expected number adds to it, at most 0; zeros if none is expected.
    found : int
        Number of speakers that is found without bounds on it.
    responsibilities : (num_embeddings, found) np.ndarray
        Probability that each embedding that was clustered belongs to each speaker.
    chunks, speakers : (num_embeddings,) np.ndarray
        Chunks and local speakers that the embeddings come from.
    separation : (found,) np.ndarray
        Log-odds, in nats, that the speaker is not the same person as any one of the
        others; infinite for an only speaker.
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
        """Probability (num_counts,) of each number among those that were tried.

        It takes embeddings at their word, which are many and repeat each other, so
        that it is close to 0 or 1: read differences of `log_evidence` first.
        """
        return softmax(self.log_evidence + self.log_prior)
