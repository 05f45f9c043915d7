# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Weights of losses adapt to their parts."""

import pytest
import torch
from pyannote.audio.utils.powerset import Powerset

from pyannote_diarizen.tasks.adaptive_loss import AdaptiveLoss

WEIGHTS = {"cross_entropy": 1.0, "temporal_consistency": 0.5}


@pytest.fixture
def batch():
    torch.manual_seed(0)
    powerset = Powerset(2, 2)
    scores = torch.randn(3, 20, powerset.num_powerset_classes).log_softmax(-1)
    active = (torch.rand(3, 20, 2) > 0.5).float()
    return scores, active, powerset


def test_it_begins_with_the_constant_weights(batch):
    loss = AdaptiveLoss(**WEIGHTS)
    parts = loss.loss.parts(*batch)
    expected = parts["cross_entropy"] + 0.5 * parts["temporal_consistency"]
    torch.testing.assert_close(loss(*batch), expected)
    assert set(loss.log_variances) == set(WEIGHTS)


def test_log_variances_become_the_logarithms_of_the_parts(batch):
    loss = AdaptiveLoss(**WEIGHTS)
    optimizer = torch.optim.Adam(loss.parameters(), lr=0.1)
    for _ in range(300):
        optimizer.zero_grad()
        loss(*batch).backward()
        optimizer.step()
    for part, value in loss.loss.parts(*batch).items():
        assert loss.log_variances[part].item() == pytest.approx(
            value.log().item(), abs=0.01
        )


def test_weights_are_checked():
    with pytest.raises(ValueError, match="should be above 0"):
        AdaptiveLoss(cross_entropy=0)
