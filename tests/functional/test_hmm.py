# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Forward-backward against enumeration of every path."""

from itertools import pairwise, product
from pathlib import Path

import numpy as np
import numpy.testing as npt
import pytest

from pyannote_diarizen.functional.hmm import forward_backward


def test_posteriors_are_those_of_enumerated_paths(rng: np.random.Generator):
    likelihoods = rng.uniform(0.1, 1, (5, 3))
    transitions = rng.dirichlet(np.ones(3), size=3)
    initial = rng.dirichlet(np.ones(3))

    expected = np.zeros((5, 3))
    for path in product(range(3), repeat=5):
        weight = initial[path[0]] * np.prod(likelihoods[range(5), path])
        weight *= np.prod([transitions[i, j] for i, j in pairwise(path)])
        expected[range(5), path] += weight

    chain = forward_backward(np.log(likelihoods), transitions, initial)
    npt.assert_allclose(chain.posteriors, expected / expected[0].sum(), atol=1e-6)
    npt.assert_allclose(chain.log_likelihood, np.log(expected[0].sum()), atol=1e-6)


@pytest.mark.parity
@pytest.mark.parametrize("case", range(5))
def test_equals_original(parity: Path, case: int):
    expected = np.load(parity / "vbx" / f"vbx_{case}.npz")
    chain = forward_backward(expected["fb_lls"], expected["fb_tr"], expected["fb_ip"])
    npt.assert_allclose(chain.posteriors, expected["fb_gamma"], atol=1e-9)
    npt.assert_allclose(chain.log_likelihood, expected["fb_tll"], atol=1e-7)
    npt.assert_allclose(chain.log_forward, expected["fb_lfw"], atol=1e-7)
    npt.assert_allclose(chain.log_backward, expected["fb_lbw"], atol=1e-7)
