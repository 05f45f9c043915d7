# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Partitions of embeddings into any number of speakers, reached from another number.

Speakers are merged and split where the evidence of the PLDA model is hurt least or
helped most, embeddings then go to the speaker whose posterior explains them best, and
finally speakers are merged and split in turn as long as the evidence grows. This is
VBx with certain responsibilities and with weights of its own: those that are tuned to
make superfluous speakers vanish would punish the ones that the caller asks for.

With the number given, 2 to 20 speakers of unequal shares, this is purer than k-means:
98.2 % instead of 95.1 % on real voices, 100 % instead of 99.6 % on embeddings drawn
from a model (`benchmarks/clustering.py`). The weight was chosen on the same voices: at
full weight, they are 97.7 % pure instead of 98.4 % in other conversations of theirs.
"""

from collections.abc import Iterator

import numpy as np
from scipy.sparse import csc_array

from pyannote_diarizen.functional.linkage import linkage, topmost_nodes
from pyannote_diarizen.functional.speaker_evidence import SpeakerEvidence

EVIDENCE_FA = 0.2
"""What an embedding is worth that has heard much of what its neighbours have."""
MAX_DENDROGRAM = 1000
"""Embeddings of a speaker that tell where it could be split, at most."""
MAX_EXCHANGES = 10
"""Times that a merge follows a split, at most; few help after the third."""
MAX_ROUNDS = 20
"""Times that embeddings are given to speakers, at most."""


class SpeakerPartitions:
    """Partitions of the same embeddings into different numbers of speakers.

    Parameters
    ----------
    embeddings : (num_embeddings, dimension) np.ndarray
        Embeddings in the PLDA space.
    phi : (dimension,) np.ndarray
        Variances between speakers, where the variance within a speaker is 1.
    weight : float, optional
        Of embeddings (Fa of VBx), 1 if they are independent. Defaults to 0.2.
    """

    def __init__(
        self, embeddings: np.ndarray, phi: np.ndarray, weight: float = EVIDENCE_FA
    ) -> None:
        self.embeddings = embeddings
        self._evidence = SpeakerEvidence(phi, Fa=weight, Fb=1.0)
        # most speakers stay as they are while one of them is split
        self._halves: dict[bytes, tuple[float, np.ndarray]] = {}

    def evidence(self, labels: np.ndarray) -> float:
        """Evidence of a partition, up to a constant.

        Parameters
        ----------
        labels : (num_embeddings,) np.ndarray of int
            Speaker of each embedding, from 0 without a gap.
        """
        return float(self._evidence(*self._statistics(labels)).sum())

    def separation(self, labels: np.ndarray) -> np.ndarray:
        """Evidence that each speaker is not the same person as another one.

        Parameters
        ----------
        labels : (num_embeddings,) np.ndarray of int

        Returns
        -------
        separation : (num_speakers,) np.ndarray
            What the evidence loses if the speaker is merged with the one for which
            that is least; infinite for an only speaker. Negative if it gains.
        """
        gains = self._merge_gains(labels)
        return -np.maximum(gains, gains.T).max(axis=1)

    def reach(self, labels: np.ndarray, num_speakers: int) -> np.ndarray:
        """Merge or split speakers until there are as many as wanted.

        Parameters
        ----------
        labels : (num_embeddings,) np.ndarray of int
            Speaker of each embedding, in any numbers.
        num_speakers : int
            Between 1 and `num_embeddings`.

        Returns
        -------
        labels : (num_embeddings,) np.ndarray of int
            From 0 to `num_speakers - 1`, each at least once.
        """
        _, labels = np.unique(labels, return_inverse=True)
        while labels.max() + 1 > num_speakers:
            labels = self._settle(self._merge(labels))
        while labels.max() + 1 < num_speakers:
            labels = self._settle(self._split(labels))
        return self._exchange(labels)

    def walk(
        self, labels: np.ndarray, fewest: int, most: int
    ) -> Iterator[tuple[int, np.ndarray]]:
        """Reach each number between bounds, from one to the next.

        Parameters
        ----------
        labels : (num_embeddings,) np.ndarray of int
            Where to start from.
        fewest, most : int
            Between 1 and `num_embeddings`.

        Yields
        ------
        num_speakers : int
            First those above the number in `labels`, then those below.
        labels : (num_embeddings,) np.ndarray of int
        """
        found = len(np.unique(labels))
        nearest = int(np.clip(found, fewest, most))
        first = current = self.reach(labels, nearest)
        yield nearest, first
        for num_speakers in range(nearest + 1, most + 1):
            current = self.reach(current, num_speakers)
            yield num_speakers, current
        current = first
        for num_speakers in range(nearest - 1, fewest - 1, -1):
            current = self.reach(current, num_speakers)
            yield num_speakers, current

    def _statistics(self, labels: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        """Count (num_speakers,) and sum (num_speakers, dimension) of each speaker."""
        counts = np.bincount(labels)
        one_each = np.ones(len(labels)), labels, np.arange(len(labels) + 1)
        membership = csc_array(one_each, shape=(len(counts), len(labels)))
        return counts, membership @ self.embeddings

    def _exchange(self, labels: np.ndarray) -> np.ndarray:
        """Split one speaker and merge two as long as the evidence grows."""
        if not 1 < labels.max() + 1 < len(labels):
            return labels
        best = self.evidence(labels)
        for _ in range(MAX_EXCHANGES):
            candidate = self._settle(self._merge(self._split(labels)))
            evidence = self.evidence(candidate)
            if evidence <= best:
                break
            labels, best = candidate, evidence
        return labels

    def _settle(self, labels: np.ndarray) -> np.ndarray:
        """Give embeddings to speakers until none moves, or somebody would have none."""
        num_speakers = labels.max() + 1
        for _ in range(MAX_ROUNDS):
            moved = self._closest(*self._statistics(labels))
            if len(np.unique(moved)) < num_speakers or np.array_equal(moved, labels):
                break
            labels = moved
        return labels

    def _spread(self, labels: np.ndarray, some: slice) -> np.ndarray:
        """Give all embeddings to the speakers of `some`, unless one would have none."""
        few = SpeakerPartitions(
            self.embeddings[some], self._evidence.phi, self._evidence.Fa
        )
        spread = self._closest(*few._statistics(labels[some]))
        return spread if len(np.unique(spread)) == labels.max() + 1 else labels

    def _closest(self, counts: np.ndarray, sums: np.ndarray) -> np.ndarray:
        """Speaker under whose posterior each embedding is likeliest."""
        phi, ratio = self._evidence.phi, self._evidence.Fa / self._evidence.Fb
        variances = 1 / (1 + ratio * counts[:, None] * phi)  # (17) of VBx
        means = ratio * variances * np.sqrt(phi) * sums  # (16)
        offsets = 0.5 * (variances + means**2) @ phi
        return np.argmax(self.embeddings @ (means * np.sqrt(phi)).T - offsets, axis=1)

    def _merge_gains(self, labels: np.ndarray) -> np.ndarray:
        """Evidence (num_speakers, num_speakers) that pairs gain, above the diagonal."""
        counts, sums = self._statistics(labels)
        alone = self._evidence(counts, sums)
        gains = np.full((len(counts), len(counts)), -np.inf)
        for first in range(len(counts) - 1):  # a row at a time, to save memory
            others = slice(first + 1, None)
            together = self._evidence(
                counts[first] + counts[others], sums[first] + sums[others]
            )
            gains[first, others] = together - alone[first] - alone[others]
        return gains

    def _merge(self, labels: np.ndarray) -> np.ndarray:
        """Merge the two speakers that are most alike."""
        gains = self._merge_gains(labels)
        kept, gone = np.unravel_index(np.argmax(gains), gains.shape)
        merged = np.where(labels == gone, kept, labels)
        return merged - (merged > gone)

    def _split(self, labels: np.ndarray) -> np.ndarray:
        """Split the speaker whose halves are least alike."""
        candidates = [
            self._best_halves(np.flatnonzero(labels == speaker))
            for speaker in range(labels.max() + 1)
        ]
        _, leaving = max(candidates, key=lambda candidate: candidate[0])
        labels = labels.copy()
        labels[leaving] = labels.max() + 1
        return labels

    def _best_halves(self, members: np.ndarray) -> tuple[float, np.ndarray]:
        """Gain of evidence, and members that leave, if a speaker is split in two."""
        key = members.tobytes()
        if key not in self._halves:
            self._halves[key] = self._halve(members)
        return self._halves[key]

    def _halve(self, members: np.ndarray) -> tuple[float, np.ndarray]:
        if len(members) < 2:
            return -np.inf, members[:0]
        evidence = self._evidence
        part = SpeakerPartitions(self.embeddings[members], evidence.phi, evidence.Fa)
        # of many, some that are spread evenly tell where all of them go
        some = slice(None, None, -(-len(members) // MAX_DENDROGRAM))
        dendrogram = linkage(part.embeddings[some], method="ward")
        top = topmost_nodes(dendrogram[:-1], len(dendrogram) + 1)
        halves = np.zeros(len(members), dtype=int)
        halves[some] = top == top[0]
        halves = part._settle(part._spread(halves, some))
        gain = part.evidence(halves) - part.evidence(np.zeros_like(halves))
        return gain, members[halves == 1]
