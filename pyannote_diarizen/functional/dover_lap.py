# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""DOVER-Lap: several diarizations of a recording vote for one, with overlapped speech.

Each system names speakers in its own way. Labels are mapped to a common space first;
then each part of the recording gets the number of speakers and the speakers that
systems vote for, by their weights.

Two choices differ from the package dover-lap 1.3.1, which needs numpy below 1.24: the
system that agrees most with the others has the highest weight, as in the paper (the
package gives it to the one that agrees least), and of speakers with equal votes, those
on whom systems agree more are taken (the package takes all of them).

References
----------
D. Raj et al., "DOVER-Lap: a method for combining overlap-aware diarization outputs",
SLT 2021.
"""

from collections.abc import Sequence

import numpy as np

from pyannote_diarizen.functional.frames import find_runs

RANK_EXPONENT = 0.1
"""Weight of the system of rank r: 1 / r ** 0.1, before normalization."""

MAX_TUPLES = 20_000_000
"""Limit of the tensor of costs: 160 megabytes."""

Turns = np.ndarray
"""(num_turns, 2) start and end of the turns of one speaker, without overlap."""


def fuse_turns(
    systems: Sequence[Sequence[Turns]], weights: Sequence[float] | None = None
) -> list[Turns]:
    """Combine the diarizations of several systems.

    Parameters
    ----------
    systems : sequence of sequence of (num_turns, 2) np.ndarray
        Turns of each speaker of each system; a system without speakers votes for
        silence.
    weights : sequence of float, optional
        Weight of each system, of any sum. Default: by rank, see `rank_weights`.

    Returns
    -------
    turns : list of (num_turns, 2) np.ndarray
        Turns of each speaker of the combination that has any.

    Raises
    ------
    ValueError
        If weights are negative, all zero or of another number than systems, or there
        are too many systems with too many speakers.

    Examples
    --------
    >>> one, two = [np.array([[0.0, 4.0]])], [np.array([[0.0, 5.0]])]
    >>> fuse_turns([one, two, two])
    [array([[0., 5.]])]
    """
    times = np.unique(
        np.concatenate([np.ravel(turns) for system in systems for turns in system])
        if any(len(system) for system in systems)
        else np.empty(0)
    )
    if len(times) < 2:
        return []
    # (num_speakers, num_regions) of each system; nothing changes inside a region
    activity = [_activity(system, times) for system in systems]
    overlaps = pairwise_overlaps(activity, np.diff(times))
    voters = _check_weights(weights, len(systems))
    if voters is None:
        voters = rank_weights(overlaps, len(systems))
    labels = map_labels(overlaps, [len(system) for system in systems])
    # (num_labels, num_regions): sum of the weights of systems in which a label speaks
    votes = np.zeros((1 + max(map(max, filter(None, labels))), len(times) - 1))
    for weight, active, mapped in zip(voters, activity, labels, strict=True):
        for label, speaks in zip(mapped, active, strict=True):
            votes[label] += weight * speaks
    chosen = [times[find_runs(active)] for active in elect(votes)]
    return [turns for turns in chosen if len(turns)]


def _activity(speakers: Sequence[Turns], times: np.ndarray) -> np.ndarray:
    """Return the (num_speakers, num_regions) activity between successive times."""
    active = np.zeros((len(speakers), len(times) - 1), dtype=bool)
    for index, turns in enumerate(speakers):
        for start, end in np.searchsorted(times, turns):
            active[index, start:end] = True
    return active


def pairwise_overlaps(
    activity: Sequence[np.ndarray], durations: np.ndarray
) -> dict[tuple[int, int], np.ndarray]:
    """Compute the relative overlap of speakers of different systems.

    Parameters
    ----------
    activity : sequence of (num_speakers, num_regions) np.ndarray
        Activity in each system.
    durations : (num_regions,) np.ndarray
        Seconds.

    Returns
    -------
    overlaps : dict of (num_speakers, num_speakers) np.ndarray
        Intersection over union of the speech of each pair of speakers, by the indices
        of two systems.
    """
    overlaps = {}
    for second in range(len(activity)):
        for first in range(second):
            one, two = activity[first] * durations, activity[second]
            shared = one @ two.T  # (num_speakers of first, num_speakers of second)
            union = one.sum(axis=1)[:, None] + (two @ durations)[None] - shared
            overlaps[first, second] = shared / np.maximum(union, 1e-9)
    return overlaps


def rank_weights(
    overlaps: dict[tuple[int, int], np.ndarray], num_systems: int
) -> np.ndarray:
    """Weight systems by the rank of their agreement with all others.

    Parameters
    ----------
    overlaps : dict of np.ndarray
        Result of `pairwise_overlaps`.
    num_systems : int

    Returns
    -------
    weights : (num_systems,) np.ndarray
        Positive, with sum 1; the first of equal systems has the higher one.
    """
    agreement = np.zeros(num_systems)
    for pair, overlap in overlaps.items():
        agreement[list(pair)] += overlap.sum()
    ranks = np.empty(num_systems)
    ranks[np.argsort(-agreement, kind="stable")] = np.arange(1, num_systems + 1)
    weights = ranks**-RANK_EXPONENT
    return weights / weights.sum()


def map_labels(
    overlaps: dict[tuple[int, int], np.ndarray], num_speakers: Sequence[int]
) -> list[list[int]]:
    """Map the speakers of all systems to common labels, greedily.

    A tuple holds one speaker per system. Its cost is minus the sum of the overlaps of
    all pairs in it. Tuples are chosen by cost, none with a speaker of another one. If a
    system has speakers left, tuples with these are chosen likewise, and give their
    labels to these only.

    Parameters
    ----------
    overlaps : dict of np.ndarray
        Result of `pairwise_overlaps`.
    num_speakers : sequence of int
        Number of speakers in each system.

    Returns
    -------
    labels : list of list of int
        Label of each speaker of each system; low labels have high agreement.

    Raises
    ------
    ValueError
        If there are more than `MAX_TUPLES` tuples.
    """
    # systems without speakers have no place in a tuple
    present = [index for index, number in enumerate(num_speakers) if number]
    sizes = [num_speakers[index] for index in present]
    if (num_tuples := int(np.prod(sizes, dtype=float))) > MAX_TUPLES:
        raise ValueError(
            f"{len(present)} systems with {', '.join(map(str, sizes))} speakers have "
            f"{num_tuples:,} combinations of speakers, more than {MAX_TUPLES:,}: fuse "
            "fewer systems."
        )
    agreement = np.zeros(sizes)
    for (first, second), overlap in overlaps.items():
        if first in present and second in present:
            shape = np.ones(len(sizes), dtype=int)
            for system in (first, second):
                shape[present.index(system)] = num_speakers[system]
            agreement += overlap.reshape(shape)  # broadcast over the other systems
    left = [np.ones(size, dtype=bool) for size in sizes]
    mapped = [np.zeros(size, dtype=int) for size in sizes]
    label = 0
    while any(each.any() for each in left):
        for chosen in _matching(agreement, left):
            for axis, speaker in enumerate(chosen):
                if left[axis][speaker]:
                    mapped[axis][speaker], left[axis][speaker] = label, False
            label += 1
    labels: list[list[int]] = [[] for _ in num_speakers]
    for system, each in zip(present, mapped, strict=True):
        labels[system] = each.tolist()
    return labels


def _matching(
    agreement: np.ndarray, left: Sequence[np.ndarray]
) -> list[tuple[int, ...]]:
    """Choose tuples with a speaker that is left, and no speaker twice."""
    usable = np.zeros(agreement.shape, dtype=bool)
    for axis, each in enumerate(left):
        shape = np.ones(agreement.ndim, dtype=int)
        shape[axis] = len(each)
        usable |= each.reshape(shape)
    values = np.where(usable, agreement, -np.inf)
    chosen: list[tuple[int, ...]] = []
    while True:
        best = np.unravel_index(np.argmax(values), values.shape)
        if values[best] == -np.inf:
            return chosen
        chosen.append(tuple(int(index) for index in best))
        for axis, index in enumerate(best):
            np.moveaxis(values, axis, 0)[index] = -np.inf


def elect(votes: np.ndarray) -> np.ndarray:
    """Choose the speakers of each region.

    Parameters
    ----------
    votes : (num_labels, num_regions) np.ndarray
        Sum of the weights of systems, with 1 for all of them.

    Returns
    -------
    active : (num_labels, num_regions) np.ndarray
        The number of speakers is the rounded sum of votes; these are the speakers with
        most votes, low labels first.
    """
    count = np.rint(votes.sum(axis=0))
    order = np.argsort(-votes, axis=0, kind="stable")
    active = np.zeros(votes.shape, dtype=bool)
    ranks = np.arange(len(votes))[:, None]  # (num_labels, 1)
    np.put_along_axis(active, order, ranks < count, axis=0)
    return active & (votes > 0)


def _check_weights(
    weights: Sequence[float] | None, num_systems: int
) -> np.ndarray | None:
    """Return weights with sum 1."""
    if weights is None:
        return None
    given = np.asarray(weights, dtype=float)
    if given.shape != (num_systems,) or not (given >= 0).all() or given.sum() <= 0:
        raise ValueError(
            f"`weights` should be {num_systems} numbers, one per system, none negative "
            f"and not all zero, got {list(weights)}."
        )
    return given / given.sum()
