# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""How well a PLDA tells speakers apart, beside the cosine it replaces."""

import numpy as np
from scipy.spatial.distance import cdist

from pyannote_diarizen.clustering.plda import PLDA
from pyannote_diarizen.functional.equal_error_rate import pairwise_equal_error_rate

MAX_EMBEDDINGS = 4000
"""That many make eight million trials, which take half a gigabyte."""


def equal_error_rates(
    plda: PLDA, embeddings: np.ndarray, labels: np.ndarray
) -> dict[str, float]:
    """Equal error rates when every two embeddings are a trial.

    Parameters
    ----------
    plda : PLDA
    embeddings : (num_embeddings, dimension) np.ndarray
        Of speakers that nothing was trained on. `MAX_EMBEDDINGS` of them are drawn if
        there are more, the same each time.
    labels : (num_embeddings,) np.ndarray
        Their speakers.

    Returns
    -------
    rates : dict of float
        Between 0 and 1, of "cosine" and "PLDA".

    Raises
    ------
    ValueError
        If no speaker has two embeddings, or there is one speaker only.
    """
    if len(labels) > MAX_EMBEDDINGS:
        rng = np.random.default_rng(0)
        drawn = rng.choice(len(labels), MAX_EMBEDDINGS, replace=False)
        embeddings, labels = embeddings[drawn], labels[drawn]
    scores = {
        "cosine": -cdist(embeddings, embeddings, "cosine"),
        "PLDA": plda.log_likelihood_ratio(embeddings, embeddings),
    }
    return {
        name: pairwise_equal_error_rate(matrix, labels)
        for name, matrix in scores.items()
    }
