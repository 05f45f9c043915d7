# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""VBx on x-vectors of a real meeting, against the code of its authors.

BUTSpeechFIT/VBx publishes x-vectors of AMI ES2005a and their PLDA; `expected.npz` holds
what its hidden Markov VBx makes of them.
"""

import struct
from pathlib import Path
from types import SimpleNamespace

import numpy as np
import numpy.testing as npt
import pytest

from pyannote_diarizen.clustering.kaldi_plda import read_kaldi_plda
from pyannote_diarizen.functional.speaker_number import (
    NumSpeakersPrior,
    settle_num_speakers,
)
from pyannote_diarizen.functional.vbx import VBxModel, smooth_labels, vbx

pytestmark = pytest.mark.parity
# operating point of `expected.npz`
HMM = {"Fa": 0.3, "Fb": 17, "loop_probability": 0.99}


def read_ark(path: Path) -> np.ndarray:
    """Vectors of a binary Kaldi archive of float vectors."""
    content, position, vectors = path.read_bytes(), 0, []
    while position < len(content):
        position = content.index(b" ", position) + 1
        assert content[position : position + 5] == b"\0BFV "
        _, size = struct.unpack_from("<bi", content, position + 5)
        vectors.append(np.frombuffer(content, "<f4", size, position + 10))
        position += 10 + 4 * size
    return np.array(vectors, dtype=np.float64)


def unit(vectors: np.ndarray) -> np.ndarray:
    return vectors / np.linalg.norm(vectors, axis=1, keepdims=True)


@pytest.fixture
def meeting(shared: Path) -> SimpleNamespace:
    folder = shared / "vbx_example"
    arrays = np.load(folder / "transform.npz")
    centred = unit(read_ark(folder / "ES2005a.ark") - arrays["mean1"])
    vectors = unit(centred @ arrays["lda"] - arrays["mean2"])
    plda = read_kaldi_plda(folder / "plda")
    return SimpleNamespace(
        embeddings=(vectors - plda.mu) @ plda.tr.T,
        phi=plda.psi,
        **np.load(folder / "expected.npz"),
    )


def test_hidden_markov_vbx_equals_the_authors(meeting):
    posterior = vbx(
        meeting.embeddings,
        meeting.phi,
        smooth_labels(meeting.initial_labels, 5.0),
        **HMM,
        max_iterations=40,
        epsilon=1e-6,
    )
    npt.assert_allclose(
        posterior.responsibilities, meeting.responsibilities, rtol=0, atol=1e-8
    )
    npt.assert_allclose(posterior.priors, meeting.priors, rtol=0, atol=1e-6)
    npt.assert_allclose(posterior.elbo, meeting.elbo, rtol=1e-6)


@pytest.mark.parametrize("operating_point", [(0.3, 17), (0.07, 0.8), (0.422, 2.07)])
def test_evidence_finds_five_speakers_at_any_operating_point(meeting, operating_point):
    """Four speakers, and one of coughs and laughter."""
    model = VBxModel(meeting.embeddings, meeting.phi, *operating_point)
    posterior = model.fit(smooth_labels(meeting.initial_labels))
    prior = NumSpeakersPrior()
    settled = settle_num_speakers(model, posterior, 1, len(meeting.embeddings), prior)
    assert len(settled.priors) == 5
