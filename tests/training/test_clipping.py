# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Clipping to a percentile: the original's numbers, and gradients that overflow."""

import json
import math

import numpy.testing as npt
import pytest
import torch
from lightning.pytorch import LightningModule, Trainer
from lightning.pytorch.strategies import DeepSpeedStrategy

from pyannote_diarizen.training.clipping import PercentileClipping


@pytest.fixture
def optimizer() -> torch.optim.Optimizer:
    """Of two parameters whose gradients are (3, 0) and (0, 4): their norm is 5."""
    weights = [torch.nn.Parameter(torch.zeros(2)) for _ in range(2)]
    weights[0].grad = torch.tensor([3.0, 0.0])
    weights[1].grad = torch.tensor([0.0, 4.0])
    return torch.optim.SGD([{"params": weights[:1]}, {"params": weights[1:]}])


def clip(clipping: PercentileClipping, optimizer: torch.optim.Optimizer) -> list:
    clipping.on_before_optimizer_step(Trainer, LightningModule, optimizer)
    groups = [group["params"] for group in optimizer.param_groups]
    return [weight.grad for weights in groups for weight in weights]


@pytest.mark.parity
def test_limits_are_those_of_the_original(parity):
    expected = json.loads((parity / "prune" / "grad_clip.json").read_text())
    clipping = PercentileClipping(expected["percentile"], expected["history_size"])
    weight = torch.nn.Parameter(torch.zeros(1, dtype=torch.float64))
    optimizer = torch.optim.SGD([weight])
    for norm, limit in zip(expected["norms"], expected["clip_values"], strict=True):
        weight.grad = torch.full_like(weight, norm)
        clip(clipping, optimizer)
        npt.assert_allclose(clipping.limit, limit, rtol=1e-12)
        npt.assert_allclose(weight.grad.item(), min(norm, limit), rtol=1e-5)


def test_the_norm_is_that_of_all_groups_together(optimizer):
    clipping = PercentileClipping(percentile=0)
    clipping.norms.append(1.0)
    first, second = clip(clipping, optimizer)
    assert clipping.norm == 5.0
    assert clipping.limit == 1.0
    npt.assert_allclose(first, [0.6, 0.0], rtol=1e-5)
    npt.assert_allclose(second, [0.0, 0.8], rtol=1e-5)


@pytest.mark.parametrize("value", [math.inf, math.nan])
def test_gradients_that_overflow_change_neither_weights_nor_history(optimizer, value):
    clipping = PercentileClipping()
    clipping.norms.append(1.0)
    (weight,) = optimizer.param_groups[0]["params"]
    weight.grad[0] = value
    assert clip(clipping, optimizer) == [None, None]
    optimizer.step()
    assert list(clipping.norms) == [1.0]
    assert weight.tolist() == [0.0, 0.0]


def test_the_history_is_kept_and_bounded(optimizer):
    clipping = PercentileClipping(history=3)
    for norm in (1.0, 2.0, 3.0):
        clipping.norms.append(norm)
    resumed = PercentileClipping(history=3)
    resumed.load_state_dict(clipping.state_dict())
    clip(resumed, optimizer)
    assert list(resumed.norms) == [2.0, 3.0, 5.0]


def test_strategies_that_split_gradients_are_refused():
    class Split:
        strategy = object.__new__(DeepSpeedStrategy)

    with pytest.raises(ValueError, match=r"trainer\.gradient_clip_val"):
        PercentileClipping().setup(Split, LightningModule, "fit")


@pytest.mark.parametrize("options", [{"percentile": 101}, {"history": 0}])
def test_options_out_of_range_are_refused(options):
    with pytest.raises(ValueError, match=f"{next(iter(options))}.* got"):
        PercentileClipping(**options)


def test_groups_can_be_left_out():
    weights = [torch.nn.Parameter(torch.zeros(1)) for _ in range(2)]
    optimizer = torch.optim.SGD(
        [{"params": weights[:1]}, {"params": weights[1:], "is_clipped": False}], lr=1.0
    )
    clipping = PercentileClipping(percentile=0)
    for norm in (1.0, 4.0):
        for weight in weights:
            weight.grad = torch.full((1,), norm)
        clipping.on_before_optimizer_step(None, None, optimizer)
    assert [weight.grad.item() for weight in weights] == pytest.approx([1.0, 4.0])
    assert list(clipping.norms) == [1.0, 4.0]
