# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Evidence of speakers agrees with VBx."""

import numpy as np
import numpy.testing as npt
import pytest

from pyannote_diarizen.functional.speaker_evidence import SpeakerEvidence
from pyannote_diarizen.functional.vbx import vbx

PHI = np.linspace(6, 1, 5)


@pytest.fixture
def evidence() -> SpeakerEvidence:
    return SpeakerEvidence(PHI, Fa=0.3, Fb=0.8)


@pytest.fixture
def labels() -> np.ndarray:
    return np.repeat([0, 1, 2, 3], [20, 5, 12, 8])


@pytest.fixture
def embeddings(labels: np.ndarray, rng: np.random.Generator) -> np.ndarray:
    speakers = 3 * rng.standard_normal((4, 5)) * np.sqrt(PHI)
    return speakers[labels] + rng.standard_normal((len(labels), 5))


def test_single_speaker_is_the_bound_of_vbx(embeddings, evidence):
    posterior = vbx(
        embeddings, PHI, np.ones((len(embeddings), 1)), Fa=evidence.Fa, Fb=evidence.Fb
    )
    without_speaker = np.log(2 * np.pi) * embeddings.size + np.sum(embeddings**2)
    actual = evidence(np.array(len(embeddings)), embeddings.sum(axis=0))
    npt.assert_allclose(
        actual - evidence.Fa / 2 * without_speaker, posterior.elbo[-1], rtol=1e-6
    )


def test_nobody_has_no_evidence(evidence):
    assert evidence(np.array(0), np.zeros(5)) == 0
