# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Embeddings of four speakers in a PLDA space of five dimensions."""

import numpy as np

PHI = np.linspace(6, 1, 5)
EQUAL = np.repeat(np.arange(4), 20)


def draw(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    speakers = 3 * rng.standard_normal((4, 5)) * np.sqrt(PHI)
    return speakers[labels] + rng.standard_normal((len(labels), 5))


def same_partition(found: np.ndarray, labels: np.ndarray) -> bool:
    pairs = {*zip(found, labels, strict=True)}
    return len(pairs) == len({*found}) == len({*labels})
