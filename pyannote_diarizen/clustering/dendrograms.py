# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Dendrograms that are kept: whoever clusters the same embeddings again only cuts them.

Hyper-parameters and numbers of speakers change where a dendrogram is cut, not the
dendrogram, which takes most of the time of a trial: 3 of 6 s for an hour of audio.
"""

import hashlib
from collections import OrderedDict
from threading import Lock

import numpy as np

from pyannote_diarizen.functional.linkage import linkage

MAX_BYTES = 64_000_000
"""Those of 200 hours of audio."""

_kept: OrderedDict[tuple, np.ndarray] = OrderedDict()
_lock = Lock()


def dendrogram_of(
    vectors: np.ndarray, method: str = "centroid", metric: str = "euclidean"
) -> np.ndarray:
    """Cluster vectors agglomeratively, unless the same ones were a while ago.

    Parameters
    ----------
    vectors, method, metric
        See `functional.linkage.linkage`.

    Returns
    -------
    dendrogram : (num_vectors - 1, 4) np.ndarray
        The caller's own.
    """
    digest = hashlib.sha256(vectors.tobytes()).digest()
    key = digest, vectors.shape, vectors.dtype, method, metric
    with _lock:
        dendrogram = _kept.pop(key, None)
    if dendrogram is None:
        dendrogram = linkage(vectors, method, metric)
    with _lock:
        _kept[key] = dendrogram
        while sum(kept.nbytes for kept in _kept.values()) > MAX_BYTES:
            _kept.popitem(last=False)
    return dendrogram.copy()
