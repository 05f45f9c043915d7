# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Schedules of the original and of torch, and their ends."""

import json
import math

import numpy.testing as npt
import pytest
import torch

from pyannote_diarizen.functional.schedules import (
    constant,
    cosine,
    linear,
    noam,
    one_cycle,
)


@pytest.mark.parity
@pytest.mark.parametrize(
    ("name", "schedule", "num_steps"),
    [("constant_warmup5", constant, 20), ("linear_warmup5_total15", linear, 15)],
)
def test_rates_are_those_of_the_original(parity, name, schedule, num_steps):
    expected = json.loads((parity / "train" / "schedules.json").read_text())[name]
    factors = [schedule(step, num_steps, warm_up=5) for step in range(len(expected))]
    npt.assert_allclose(factors, expected, rtol=0, atol=1e-12)


def test_one_cycle_is_that_of_torch():
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    theirs = torch.optim.lr_scheduler.OneCycleLR(optimizer, max_lr=1.0, total_steps=40)
    for step in range(40):
        npt.assert_allclose(one_cycle(step, 40), theirs.get_last_lr()[0], atol=1e-12)
        if step < 39:
            optimizer.step()
            theirs.step()


def test_noam_grows_linearly_then_falls_with_the_square_root():
    factors = [noam(step, 1000, warm_up=100) for step in range(1000)]
    assert max(factors) == pytest.approx(1.0)
    assert factors.index(max(factors)) == 99
    assert factors[49] == pytest.approx(0.5)
    assert factors[399] == pytest.approx(0.5)


@pytest.mark.parametrize("schedule", [linear, cosine, one_cycle])
def test_a_schedule_with_an_end_has_to_know_it(schedule):
    with pytest.raises(ValueError, match=r"trainer\.max_epochs"):
        schedule(1, math.inf, warm_up=0)


@pytest.mark.parametrize("schedule", [constant, linear, cosine, one_cycle, noam])
def test_a_warm_up_below_one_is_a_share_of_the_steps(schedule):
    shares = [schedule(step, 200, warm_up=0.1) for step in range(200)]
    assert shares == [schedule(step, 200, warm_up=20) for step in range(200)]
    with pytest.raises(ValueError, match=r"trainer\.max_epochs"):
        schedule(1, math.inf, warm_up=0.1)
    with pytest.raises(ValueError, match="`warm_up` should be at least 0, got -1"):
        schedule(1, 200, warm_up=-1)
    assert math.isfinite(schedule(0, 200, warm_up=0))


def test_cosine_with_restarts_is_that_of_torch():
    optimizer = torch.optim.SGD([torch.zeros(1)], lr=1.0)
    theirs = torch.optim.lr_scheduler.CosineAnnealingWarmRestarts(optimizer, T_0=10)
    for step in range(40):
        ours = cosine(step, 40, cycles=4)
        npt.assert_allclose(ours, theirs.get_last_lr()[0], atol=1e-12)
        optimizer.step()
        theirs.step()
    assert cosine(40, 40, cycles=4) == 0
