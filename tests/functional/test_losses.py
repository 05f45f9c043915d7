# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Losses agree with PyTorch, or with cases by hand."""

import math

import pytest
import torch
import torch.nn.functional as F  # noqa: N812
from pyannote.audio.utils.powerset import Powerset
from safetensors.torch import load_file
from scipy.ndimage import gaussian_filter1d
from torch.testing import assert_close

from pyannote_diarizen.functional.losses import (
    balanced_class_weights,
    change_between_frames,
    cross_entropy,
    distance_to_smoothed,
    multilabel_cross_entropy,
)

POWERSET = Powerset(3, 2)
CLASSES = POWERSET.num_powerset_classes


@pytest.fixture
def log_probs() -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    scores = 3 * torch.randn(2, 20, CLASSES, dtype=torch.float64, generator=generator)
    return scores.log_softmax(-1).requires_grad_()


@pytest.fixture
def target() -> torch.Tensor:
    return torch.randint(CLASSES, (2, 20), generator=torch.Generator().manual_seed(2))


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_cross_entropy_is_that_of_torch(log_probs, target, smoothing):
    expected = F.cross_entropy(
        log_probs.transpose(1, 2), target, reduction="none", label_smoothing=smoothing
    )
    assert_close(cross_entropy(log_probs, target, label_smoothing=smoothing), expected)


@pytest.mark.parametrize("smoothing", [0.0, 0.2])
def test_weighted_cross_entropy_is_that_of_torch(log_probs, target, smoothing):
    options = {"label_smoothing": smoothing}
    weights = torch.linspace(0.1, 3, CLASSES, dtype=torch.float64)
    expected = F.cross_entropy(
        log_probs.transpose(1, 2), target, weights, reduction="none", **options
    )
    assert_close(
        cross_entropy(log_probs, target, class_weights=weights, **options), expected
    )


@pytest.mark.parity
@pytest.mark.parametrize("name", ["max2", "max4"])
def test_cross_entropy_is_that_of_the_original(parity, name):
    stored = load_file(parity / "train" / "loss_metrics.safetensors")
    loss = cross_entropy(stored[f"{name}.log_probs"], stored[f"{name}.powerset_target"])
    assert_close(loss.mean(), stored[f"{name}.loss"], atol=1e-6, rtol=0)


def test_focal_loss_by_hand():
    log_probs = torch.tensor([[[0.9, 0.1], [0.4, 0.6]]]).log()
    loss = cross_entropy(log_probs, torch.tensor([[0, 0]]), focal_gamma=2.0)
    assert_close(
        loss, torch.tensor([[-0.01 * math.log(0.9), -(0.6**2) * math.log(0.4)]])
    )


@pytest.mark.parametrize("focal_gamma", [0.5, 1.0, 2.0])
def test_certainty_has_a_gradient(focal_gamma):
    scores = torch.tensor([[[200.0, 0.0], [0.0, 200.0]]], requires_grad=True)
    target = torch.tensor([[0, 0]])
    loss = cross_entropy(scores.log_softmax(-1), target, focal_gamma=focal_gamma)
    loss.sum().backward()
    assert_close(loss.detach(), torch.tensor([[0.0, 200.0]]))
    assert_close(scores.grad, torch.tensor([[[0.0, 0.0], [-1.0, 1.0]]]))


def test_balanced_classes_have_the_same_part_in_the_loss():
    num_frames = torch.tensor([20.0, 60.0, 6.0])
    weights = balanced_class_weights(num_frames, POWERSET.cardinality)
    frequency = torch.tensor([20.0, *3 * [20], *3 * [2]]) / 86
    assert_close(weights * frequency, torch.full((CLASSES,), 1 / CLASSES))
    unchanged = balanced_class_weights(num_frames, POWERSET.cardinality, exponent=0.0)
    assert_close(unchanged, torch.ones(CLASSES))
    with pytest.raises(ValueError, match="at least one frame"):
        balanced_class_weights(torch.zeros(3), POWERSET.cardinality)


def test_activity_of_speakers_is_judged_as_by_torch(log_probs, target):
    speakers = POWERSET.mapping.double()
    activity = speakers[target]
    soft = POWERSET.double().to_multilabel(log_probs, soft=True)
    expected = F.binary_cross_entropy(soft, activity, reduction="none").mean(-1)
    assert_close(multilabel_cross_entropy(log_probs, speakers, activity), expected)


def test_activity_that_is_certain_and_wrong_has_a_gradient():
    scores = torch.zeros(1, 1, CLASSES)
    scores[..., 0] = 500.0
    log_probs = scores.log_softmax(-1).requires_grad_()
    loss = multilabel_cross_entropy(log_probs, POWERSET.mapping, torch.ones(1, 1, 3))
    loss.sum().backward()
    assert log_probs.grad.isfinite().all()
    assert loss.item() == pytest.approx(500 - math.log(3), rel=1e-5)


def test_change_between_frames_by_hand():
    certain = torch.tensor([[[1.0, 0.0], [1.0, 0.0], [0.0, 1.0]]]).log()
    assert_close(change_between_frames(certain), torch.tensor([[0.0, 0.0, 2.0]]))
    assert_close(change_between_frames(certain[:, :1]), torch.zeros(1, 1))


def test_smoothing_is_that_of_scipy(log_probs):
    probabilities = log_probs.detach().exp().numpy()
    smoothed = gaussian_filter1d(
        probabilities, sigma=1.5, axis=1, mode="nearest", truncate=3.0
    )
    expected = ((probabilities - smoothed) ** 2).sum(-1)
    assert_close(
        distance_to_smoothed(log_probs, sigma=1.5).detach(), torch.from_numpy(expected)
    )
    with pytest.raises(ValueError, match="greater than 0"):
        distance_to_smoothed(log_probs, sigma=0.0)


def test_what_does_not_change_is_smooth(log_probs):
    constant = log_probs[:, :1].expand(-1, 9, -1)
    zero = torch.zeros(2, 9, dtype=torch.float64)
    assert_close(change_between_frames(constant), zero)
    assert_close(distance_to_smoothed(constant, sigma=2.0), zero, atol=1e-12, rtol=0)


@pytest.mark.parametrize(
    "loss",
    [change_between_frames, lambda scores: distance_to_smoothed(scores, sigma=1.0)],
)
def test_a_flicker_costs_more_than_a_change_of_speaker(loss):
    change, flicker = torch.zeros(2, 1, 20, 2)
    change[:, 10:, 0] = flicker[:, 10, 0] = 10.0
    change, flicker = change.log_softmax(-1), flicker.log_softmax(-1)
    assert loss(flicker).sum() > 1.5 * loss(change).sum()
