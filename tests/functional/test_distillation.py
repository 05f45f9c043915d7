# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import math

import pytest
import torch

from pyannote_diarizen.functional.distillation import cosine_loss, posterior_divergence


def test_cosine_losses_of_same_and_opposite_directions():
    x = torch.randn(2, 3, 4)
    assert cosine_loss(2 * x, x).item() == pytest.approx(-1, abs=1e-6)
    assert cosine_loss(-x, x).item() == pytest.approx(1, abs=1e-6)
    expected = math.log(1 + math.exp(-1))
    assert cosine_loss(x, x, "log_sig").item() == pytest.approx(expected, abs=1e-6)


@pytest.mark.parametrize("temperature", [1.0, 3.0])
def test_divergence_is_that_of_two_classes_by_hand(temperature):
    student, teacher = torch.tensor([[[0.0, 0.0]]]), torch.tensor([[[1.0, 0.0]]])
    p = 1 / (1 + math.exp(-1 / temperature))
    by_hand = p * math.log(2 * p) + (1 - p) * math.log(2 * (1 - p))
    divergence = posterior_divergence(student, teacher, temperature)
    assert divergence.item() == pytest.approx(temperature**2 * by_hand, abs=1e-6)
    assert posterior_divergence(teacher + 5, teacher).item() == pytest.approx(0)
