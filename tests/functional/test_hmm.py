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
    initial = rng.dirichlet(np.ones(3))
    transitions = 0.7 * np.eye(3) + 0.3 * initial

    expected, choices = np.zeros((5, 3)), np.zeros(3)
    for path in product(range(3), repeat=5):
        weight = initial[path[0]] * np.prod(likelihoods[range(5), path])
        weight *= np.prod([transitions[i, j] for i, j in pairwise(path)])
        expected[range(5), path] += weight
        choices[path[0]] += weight
        for i, j in pairwise(path):
            choices[j] += weight * 0.3 * initial[j] / transitions[i, j]
    evidence = expected[0].sum()

    chain = forward_backward(np.log(likelihoods), 0.7, initial)
    npt.assert_allclose(chain.posteriors, expected / evidence, atol=1e-6)
    npt.assert_allclose(chain.choices, choices / evidence, atol=1e-6)
    npt.assert_allclose(chain.log_likelihood, np.log(evidence), atol=1e-6)


def test_sequences_are_independent(rng: np.random.Generator):
    log_likelihoods = rng.standard_normal((9, 4))
    initial = rng.dirichlet(np.ones(4))
    starts = np.isin(np.arange(9), [0, 4, 5])
    together = forward_backward(log_likelihoods, 0.8, initial, starts)
    alone = [
        forward_backward(part, 0.8, initial)
        for part in np.split(log_likelihoods, [4, 5])
    ]
    npt.assert_allclose(
        together.posteriors, np.concatenate([chain.posteriors for chain in alone])
    )
    npt.assert_allclose(together.choices, sum(chain.choices for chain in alone))
    npt.assert_allclose(
        together.log_likelihood, sum(chain.log_likelihood for chain in alone)
    )


def test_one_step_each_is_a_mixture(rng: np.random.Generator):
    log_likelihoods = rng.standard_normal((6, 3))
    initial = np.array([0.5, 0.3, 0.2])
    chain = forward_backward(log_likelihoods, 0.9, initial, np.ones(6, dtype=bool))
    joint = initial * np.exp(log_likelihoods)
    expected = joint / joint.sum(axis=1, keepdims=True)
    npt.assert_allclose(chain.posteriors, expected, atol=1e-7)
    npt.assert_allclose(chain.choices, expected.sum(axis=0), atol=1e-6)


@pytest.mark.parity
@pytest.mark.parametrize("case", range(5))
def test_equals_original(parity: Path, case: int):
    expected = np.load(parity / "vbx" / f"vbx_{case}.npz")
    transitions, initial = expected["fb_tr"], expected["fb_ip"]
    loop_probability = 0.8  # of the transitions
    npt.assert_allclose(
        transitions, 0.8 * np.eye(len(initial)) + 0.2 * initial, atol=1e-12
    )
    chain = forward_backward(expected["fb_lls"], loop_probability, initial)
    npt.assert_allclose(chain.posteriors, expected["fb_gamma"], atol=1e-9)
    npt.assert_allclose(chain.log_likelihood, expected["fb_tll"], atol=1e-7)
    npt.assert_allclose(chain.log_forward, expected["fb_lfw"], atol=1e-7)
    npt.assert_allclose(chain.log_backward, expected["fb_lbw"], atol=1e-7)
