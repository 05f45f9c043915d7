# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Merge or split the speakers of VBx where the evidence changes least.

With responsibilities held fixed, the evidence lower bound of VBx is a sum over
speakers. The term of a speaker at its best mean and variance depends only on how many
embeddings it has and on their sum, so that what a merge or a split costs is known in
closed form, in the model and at the operating point of VBx itself.
"""

from dataclasses import dataclass

import numpy as np

from pyannote_diarizen.functional.linkage import linkage, topmost_nodes


@dataclass(frozen=True, eq=False)
class SpeakerEvidence:
    """Term of one speaker in the evidence lower bound of VBx.

    Attributes
    ----------
    phi : (dimension,) np.ndarray
        Variances between speakers, where the variance within a speaker is 1.
    Fa, Fb : float
        Weights of the embeddings and of the prior on speakers.
    """

    phi: np.ndarray
    Fa: float
    Fb: float

    def __call__(self, counts: np.ndarray, sums: np.ndarray) -> np.ndarray:
        """Evidence of speakers, up to a constant per embedding.

        Parameters
        ----------
        counts : (...) np.ndarray
            Embeddings of each speaker; responsibilities make them fractional.
        sums : (..., dimension) np.ndarray
            Sum of the embeddings of each speaker, in the PLDA space.

        Returns
        -------
        evidence : (...) np.ndarray
        """
        # (16) and (17) of VBx put into its bound (25)
        ratio = self.Fa / self.Fb
        variances = 1 / (1 + ratio * counts[..., None] * self.phi)
        fit = self.Fa * ratio * variances * self.phi * sums**2
        return 0.5 * np.sum(fit + self.Fb * np.log(variances), axis=-1)


def merge_speakers(
    embeddings: np.ndarray,
    responsibilities: np.ndarray,
    num_speakers: int,
    evidence: SpeakerEvidence,
) -> np.ndarray:
    """Merge pairs of speakers, the most alike first, until few enough are left.

    Parameters
    ----------
    embeddings : (num_embeddings, dimension) np.ndarray
        Embeddings in the PLDA space.
    responsibilities : (num_embeddings, num_speakers_before) np.ndarray
    num_speakers : int
        Largest number of speakers to keep, at least 1.
    evidence : SpeakerEvidence

    Returns
    -------
    responsibilities : (num_embeddings, num_speakers_after) np.ndarray
        Those of merged speakers are summed.
    """
    responsibilities = responsibilities.copy()
    counts = responsibilities.sum(axis=0)
    sums = responsibilities.T @ embeddings
    while len(counts) > num_speakers:
        alone = evidence(counts, sums)
        together = evidence(counts[:, None] + counts, sums[:, None] + sums)
        gain = together - alone[:, None] - alone
        gain[np.tril_indices(len(counts))] = -np.inf
        kept, merged = np.unravel_index(np.argmax(gain), gain.shape)

        for array in (responsibilities.T, counts, sums):
            array[kept] += array[merged]
        responsibilities = np.delete(responsibilities, merged, axis=1)
        counts, sums = np.delete(counts, merged), np.delete(sums, merged, axis=0)
    return responsibilities


def split_speakers(
    embeddings: np.ndarray,
    responsibilities: np.ndarray,
    num_speakers: int,
    evidence: SpeakerEvidence,
) -> np.ndarray:
    """Split speakers in two, the least alike halves first, until there are enough.

    Parameters
    ----------
    embeddings : (num_embeddings, dimension) np.ndarray
        Embeddings in the PLDA space.
    responsibilities : (num_embeddings, num_speakers_before) np.ndarray
    num_speakers : int
        Smallest number of speakers to return, at most `num_embeddings`.
    evidence : SpeakerEvidence

    Returns
    -------
    responsibilities : (num_embeddings, num_speakers_after) np.ndarray
        New speakers are the last columns.
    """
    while responsibilities.shape[1] < num_speakers:
        labels = responsibilities.argmax(axis=1)
        candidates = [
            _best_split(embeddings, np.flatnonzero(labels == speaker), evidence)
            for speaker in range(responsibilities.shape[1])
        ]
        speaker = int(np.argmax([gain for gain, _ in candidates]))
        leaving = candidates[speaker][1]

        newcomer = np.zeros(len(responsibilities))
        newcomer[leaving] = responsibilities[leaving, speaker]
        responsibilities = np.column_stack([responsibilities, newcomer])
        responsibilities[leaving, speaker] = 0
    return responsibilities


def _best_split(
    embeddings: np.ndarray, members: np.ndarray, evidence: SpeakerEvidence
) -> tuple[float, np.ndarray]:
    """Gain of evidence and members that leave, for the two Ward halves of a speaker."""
    if len(members) < 2:
        return -np.inf, members[:0]
    vectors = embeddings[members]
    # unlike `fcluster`, this finds two halves even if all members are equal
    nodes = topmost_nodes(linkage(vectors, method="ward")[:-1], len(vectors))
    second = nodes != nodes[0]
    halves = np.stack([~second, second]).astype(float)
    parts = evidence(halves.sum(axis=1), halves @ vectors).sum()
    whole = evidence(np.array(len(members)), vectors.sum(axis=0))
    return float(parts - whole), members[second]
