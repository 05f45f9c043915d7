# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Equal error rates of a PLDA and of the cosine."""

import numpy as np
import pytest

from pyannote_diarizen.clustering.plda import PLDA
from pyannote_diarizen.evaluation import verification
from pyannote_diarizen.evaluation.verification import equal_error_rates

NOISE = np.array([0.2, 0.2, 0.2, 0.2, 3, 3, 3, 3])


def draw(
    rng: np.random.Generator, num_speakers: int, num_each: int
) -> tuple[np.ndarray, np.ndarray]:
    """Embeddings that are as noisy as said in half of their dimensions."""
    labels = np.repeat(np.arange(num_speakers), num_each)
    speakers = rng.standard_normal((num_speakers, 8))
    return speakers[labels] + rng.standard_normal((len(labels), 8)) * NOISE, labels


def test_plda_knows_what_to_look_at(rng: np.random.Generator):
    rates = equal_error_rates(PLDA.fit(*draw(rng, 60, 5)), *draw(rng, 30, 5))
    assert list(rates) == ["cosine", "PLDA"]
    assert rates["PLDA"] < 0.1
    assert rates["cosine"] > 0.3


def test_a_part_of_many_embeddings_will_do(rng: np.random.Generator, monkeypatch):
    plda, trials = PLDA.fit(*draw(rng, 60, 5)), draw(rng, 60, 5)
    everything = equal_error_rates(plda, *trials)
    monkeypatch.setattr(verification, "MAX_EMBEDDINGS", 150)
    some = equal_error_rates(plda, *trials)
    assert some != everything
    assert some == equal_error_rates(plda, *trials)
    assert some["cosine"] == pytest.approx(everything["cosine"], abs=0.05)
