# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Agglomerative clustering in memory that grows with the number of vectors.

SciPy compares all pairs: for the 50,000 embeddings of a day of audio, it would need
20 GB. Above `MAX_VECTORS`, two stages take its place:

1. vectors are halved along their principal direction until blocks are small enough,
   and each block is clustered on its own; of all their merges, the closest ones are
   made, until `max_vectors` groups are left;
2. these groups are clustered in turn.

So the last merges, which decide the clusters, see all groups, and the first ones see
similar vectors only. Time is proportional to n log n, memory to n. The result is a
dendrogram in the format of SciPy.

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
"""Number of vectors whose distances take 130 MB."""


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
        Method of `scipy.cluster.hierarchy.linkage`. Defaults to "centroid".
    metric : str, optional
        Distance between vectors. Defaults to "euclidean".
    max_vectors : int, optional
        Maximum number of vectors for SciPy; more are clustered in two stages.

    Returns
    -------
    dendrogram : (num_vectors - 1, 4) np.ndarray
        The two nodes of each merge, their distance, and the number of their vectors.
        The second stage represents groups by sizes and centroids, which is exact for
        "centroid", "ward" and "average" of cosine distances. For other methods, a group
        counts as a vector at its centroid.

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
        Topmost node above each vector; vectors with the same node are one cluster.

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
        Maximum size of a block, at least 1.

    Returns
    -------
    blocks : list of (num_members,) np.ndarray
        Indices of the members of each block, which do not depend on the order of
        vectors unless some are equal.
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
    # heights never decrease within a block: a merge comes after the ones it needs
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

    `bounds` are lower bounds of the distances to the nearest groups. Merges can make
    them too low; the lowest one is corrected before it is used.
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
    """Distances (num_groups,) to the merged group; infinite for the merged ones."""
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
    # Lance-Williams formulas, Müllner, figure 2
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
