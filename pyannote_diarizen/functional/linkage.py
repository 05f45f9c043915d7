# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Agglomerative clustering of more vectors than a distance matrix has room for.

SciPy compares all pairs: for 50,000 embeddings, those of a day of audio, it would need
20 GB. Above `MAX_VECTORS`, two stages take its place:

1. vectors are halved along their principal direction until blocks are small enough,
   and each block is clustered on its own; of all their merges, the closest ones are
   made, until `max_vectors` groups are left;
2. these groups are clustered in turn.

So the merges that matter, the distant ones, are made knowing all vectors, and the
others among vectors that are alike. Time is a multiple of n log n; memory grows with
the vectors alone. The result is a dendrogram like those of SciPy.

References
----------
D. Boley, "Principal direction divisive partitioning", Data Mining and Knowledge
Discovery 2(4), 1998 (blocks). D. Müllner, "Modern hierarchical, agglomerative
clustering algorithms", arXiv 1109.2378, 2011 (sections 2.2 and 3.1: distances after a
merge, and the generic algorithm).
"""

import numpy as np
from scipy.cluster import hierarchy
from scipy.linalg import eigh
from scipy.spatial.distance import cdist

MAX_VECTORS = 4000
"""Distances between that many take 130 MB."""


def linkage(
    vectors: np.ndarray,
    method: str = "centroid",
    metric: str = "euclidean",
    max_vectors: int = MAX_VECTORS,
) -> np.ndarray:
    """Cluster vectors agglomeratively.

    Parameters
    ----------
    vectors : (num_vectors, dimension) np.ndarray
        At least two, finite.
    method : str, optional
        As of `scipy.cluster.hierarchy.linkage`. Defaults to "centroid".
    metric : str, optional
        Distance between vectors. Defaults to "euclidean".
    max_vectors : int, optional
        Do as SciPy does up to that many vectors, proceed in two stages above.

    Returns
    -------
    dendrogram : (num_vectors - 1, 4) np.ndarray
        The two nodes of each merge, their distance, and how many vectors they hold.
        The second stage knows groups by their sizes and centroids, which is all that
        "centroid", "ward" and "average" of cosine distances depend on. Other methods
        take a group for a vector at its centroid.

    Raises
    ------
    ValueError
        If a vector is not finite, or SciPy does not know `method` or `metric`.
    """
    num_vectors = len(vectors)
    if num_vectors <= max_vectors:
        return hierarchy.linkage(vectors, method=method, metric=metric)
    if metric == "cosine":
        vectors = vectors / np.linalg.norm(vectors, axis=1, keepdims=True)
    merges = _merge_within_blocks(vectors, method, metric, max_vectors)
    roots, groups, sizes = np.unique(
        topmost_nodes(merges, num_vectors), return_inverse=True, return_counts=True
    )
    by_group = np.argsort(groups, kind="stable")
    starts = np.cumsum(sizes) - sizes
    centroids = np.add.reduceat(vectors[by_group], starts) / sizes[:, None]

    distances = _distances_between_groups(centroids, sizes, method, metric)
    last_merges = _merge_groups(distances, sizes, method)
    nodes = np.append(roots, num_vectors + np.arange(len(merges), num_vectors - 1))
    last_merges[:, :2] = np.sort(nodes[last_merges[:, :2].astype(int)])
    return np.vstack([merges, last_merges])


def topmost_nodes(merges: np.ndarray, num_vectors: int) -> np.ndarray:
    """Find the cluster of each vector after the given merges.

    Parameters
    ----------
    merges : (num_merges, 4) np.ndarray
        First rows of a dendrogram.
    num_vectors : int

    Returns
    -------
    nodes : (num_vectors,) np.ndarray of int
        The topmost node above each vector; those that agree are one cluster.

    Examples
    --------
    >>> dendrogram = linkage(np.array([[0.0], [5.0], [1.0]]))
    >>> topmost_nodes(dendrogram[:1], 3)
    array([3, 1, 3])
    """
    nodes = np.arange(num_vectors + len(merges))
    children = merges[:, :2].astype(int)
    for merge in range(len(merges) - 1, -1, -1):
        nodes[children[merge]] = nodes[num_vectors + merge]
    return nodes[:num_vectors]


def principal_blocks(vectors: np.ndarray, max_size: int) -> list[np.ndarray]:
    """Halve a set of vectors along its principal direction, again and again.

    Parameters
    ----------
    vectors : (num_vectors, dimension) np.ndarray
    max_size : int
        Of blocks, at least 1.

    Returns
    -------
    blocks : list of (num_members,) np.ndarray
        Indices of the members of each block. The order of vectors does not matter,
        unless there are equal ones.
    """
    blocks, pending = [], [np.arange(len(vectors))]
    while pending:
        members = pending.pop()
        if len(members) <= max_size:
            blocks.append(members)
            continue
        centred = vectors[members] - vectors[members].mean(axis=0)
        last = centred.shape[1] - 1
        _, direction = eigh(centred.T @ centred, subset_by_index=[last, last])
        order = np.argsort((centred @ direction)[:, 0], kind="stable")
        pending += np.array_split(members[order], 2)
    return blocks


def _merge_within_blocks(
    vectors: np.ndarray, method: str, metric: str, num_groups: int
) -> np.ndarray:
    """First rows of a dendrogram: the closest merges that blocks make."""
    num_merges = len(vectors) - num_groups
    blocks = principal_blocks(vectors, num_groups)
    dendrograms = [hierarchy.linkage(vectors[b], method, metric) for b in blocks]
    # a merge comes after those of its block before it, even if it is closer than they
    heights = [np.maximum.accumulate(dendrogram[:, 2]) for dendrogram in dendrograms]
    order = np.argsort(np.concatenate(heights), kind="stable")
    ranks = np.argsort(order)

    merges = np.empty((len(order), 4))
    first = 0
    for block, dendrogram in zip(blocks, dendrograms, strict=True):
        rows = ranks[first : first + len(dendrogram)]
        nodes = np.append(block, len(vectors) + rows)
        merges[rows, :2] = np.sort(nodes[dendrogram[:, :2].astype(int)])
        merges[rows, 2:] = dendrogram[:, 2:]
        first += len(dendrogram)
    return merges[:num_merges]


def _distances_between_groups(
    centroids: np.ndarray, sizes: np.ndarray, method: str, metric: str
) -> np.ndarray:
    if method == "average" and metric == "cosine":
        return 1 - centroids @ centroids.T  # mean over all pairs of unit vectors
    distances = cdist(centroids, centroids, metric)
    if method == "ward":
        distances *= np.sqrt(2 / (1 / sizes[:, None] + 1 / sizes))
    return distances


def _merge_groups(distances: np.ndarray, sizes: np.ndarray, method: str) -> np.ndarray:
    """Dendrogram of groups by the generic algorithm; destroys `distances`.

    `bounds` are lower bounds of the distances to the nearest groups: merges can make
    them too low, which is looked at only once they are the least of all.
    """
    num_groups = len(sizes)
    sizes, nodes = sizes.astype(float), np.arange(num_groups)
    np.fill_diagonal(distances, np.inf)
    nearest = distances.argmin(axis=1)
    bounds = distances[nodes, nearest]

    dendrogram = np.empty((num_groups - 1, 4))
    for merge in range(num_groups - 1):
        kept = bounds.argmin()
        while bounds[kept] < distances[kept, nearest[kept]]:
            nearest[kept] = distances[kept].argmin()
            bounds[kept] = distances[kept, nearest[kept]]
            kept = bounds.argmin()
        gone = nearest[kept]
        height = distances[kept, gone]

        updated = _after_merge(distances, sizes, kept, gone, method)
        sizes[kept] += sizes[gone]
        dendrogram[merge] = nodes[kept], nodes[gone], height, sizes[kept]
        nodes[kept] = num_groups + merge

        distances[kept] = distances[:, kept] = updated
        distances[gone] = distances[:, gone] = bounds[gone] = np.inf
        nearer = updated <= bounds
        nearest[nearer], bounds[nearer] = kept, updated[nearer]
        nearest[kept] = updated.argmin()
        bounds[kept] = updated[nearest[kept]]
    return dendrogram


def _after_merge(
    distances: np.ndarray, sizes: np.ndarray, kept: int, gone: int, method: str
) -> np.ndarray:
    """Distances (num_groups,) to what two groups become; those gone are at infinity."""
    a, b = distances[kept], distances[gone]
    if method == "single":
        updated = np.minimum(a, b)
    elif method == "complete":
        updated = np.maximum(a, b)
    elif method == "weighted":
        updated = (a + b) / 2
    else:
        updated = _weighted_by_size(a, b, sizes, kept, gone, method)
    updated[[kept, gone]] = np.inf
    return updated


def _weighted_by_size(
    a: np.ndarray, b: np.ndarray, sizes: np.ndarray, kept: int, gone: int, method: str
) -> np.ndarray:
    m, n = sizes[kept], sizes[gone]
    if method == "average":
        return (m * a + n * b) / (m + n)
    between = a[gone] ** 2
    if method == "ward":
        squares = (sizes + m) * a**2 + (sizes + n) * b**2 - sizes * between
        squares /= sizes + m + n
    else:
        m, n = (0.5, 0.5) if method == "median" else (m / (m + n), n / (m + n))
        squares = m * a**2 + n * b**2 - m * n * between  # centroid, median
    return np.sqrt(np.maximum(squares, 0))
