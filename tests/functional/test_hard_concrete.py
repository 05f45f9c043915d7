# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import pytest
import torch
from safetensors.torch import load_file
from torch.testing import assert_close

from pyannote_diarizen.functional.hard_concrete import (
    deterministic_gates,
    nonzero_probability,
    sample,
    sparsity_penalty,
)


@pytest.mark.parity
@pytest.mark.parametrize("case", range(4))
def test_gates_are_those_of_the_original(parity, case):
    vectors = load_file(parity / "prune" / "hardconcrete.safetensors")
    vector = {
        key.removeprefix(f"{case}."): value
        for key, value in vectors.items()
        if key.startswith(f"{case}.")
    }
    _, _, low, high, temperature, _ = vector["meta_n_initmean_l_r_beta_bias"].tolist()
    limits = (temperature, low, high)
    log_alpha = vector["log_alpha"].requires_grad_()
    samples = sample(log_alpha, vector["u"], *limits)
    assert_close(samples, vector["train_mask"], atol=1e-6, rtol=0)
    (gradient,) = torch.autograd.grad(samples.sum(), log_alpha)
    assert_close(gradient, vector["train_mask_sum_grad"], atol=1e-6, rtol=1e-3)
    size = nonzero_probability(log_alpha, *limits).sum()
    assert_close(size, vector["l0_norm"], atol=0, rtol=1e-6)
    (gradient,) = torch.autograd.grad(size, log_alpha)
    assert_close(gradient, vector["l0_grad"], atol=1e-6, rtol=1e-3)
    gates = deterministic_gates(log_alpha, *limits)
    assert_close(gates, vector["eval_mask"], atol=1e-6, rtol=0)


@pytest.mark.parametrize("log_alpha", [-2.0, 0.0, 3.0])
def test_probability_is_the_share_of_samples_above_zero(log_alpha):
    torch.manual_seed(0)
    samples = sample(torch.full((100_000,), log_alpha), torch.rand(100_000))
    assert 0 <= samples.min() <= samples.max() <= 1
    expected = nonzero_probability(torch.tensor(log_alpha))
    assert_close((samples > 0).float().mean(), expected, atol=0.005, rtol=0)


def test_as_many_gates_are_closed_as_expected():
    torch.manual_seed(0)
    log_alpha = 3 * torch.randn(1000)
    gates = deterministic_gates(log_alpha)
    num_open = round(nonzero_probability(log_alpha).sum().item())
    assert (gates > 0).sum() == num_open
    assert log_alpha[gates > 0].min() > log_alpha[gates == 0].max()
    assert 0 < gates[gates > 0].min() < gates.max() < 1


def test_penalty_pushes_towards_the_target_from_both_sides():
    multipliers = torch.tensor(0.5), torch.tensor(2.0)
    for excess, expected in ((0.1, 0.5 * 0.1 + 2 * 0.01), (-0.1, -0.05 + 0.02)):
        penalty = sparsity_penalty(torch.tensor(0.8 + excess), 0.8, multipliers)
        assert penalty.item() == pytest.approx(expected, abs=1e-6)
