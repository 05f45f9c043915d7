# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The default loss is that of DiariZen; the loss is permutation-invariant."""

import pytest
import torch
from pyannote.audio.torchmetrics import (
    DiarizationErrorRate,
    FalseAlarmRate,
    MissedDetectionRate,
    SpeakerConfusionRate,
)
from pyannote.audio.utils.permutation import permutate
from pyannote.audio.utils.powerset import Powerset
from safetensors.torch import load_file
from torch.testing import assert_close

from pyannote_diarizen.tasks.segmentation_loss import (
    PARTS,
    SegmentationLoss,
    make_loss,
)

POWERSET = Powerset(4, 2)
ALL = SegmentationLoss(1.0, 0.5, 0.25, 0.125, focal_gamma=2.0, label_smoothing=0.1)


@pytest.fixture
def scores() -> torch.Tensor:
    generator = torch.Generator().manual_seed(1)
    scores = 3 * torch.randn(3, 40, POWERSET.num_powerset_classes, generator=generator)
    return scores.log_softmax(-1)


@pytest.fixture
def target() -> torch.Tensor:
    generator = torch.Generator().manual_seed(2)
    return (torch.rand(3, 40, 4, generator=generator) < 0.3).to(torch.uint8)


@pytest.mark.parity
@pytest.mark.parametrize("max_speakers", [2, 4])
def test_default_loss_and_metrics_are_those_of_the_original(parity, max_speakers):
    stored = load_file(parity / "train" / "loss_metrics.safetensors")
    prefix = f"max{max_speakers}."
    stored = {key: value for key, value in stored.items() if key.startswith(prefix)}
    scores, target = stored[f"{prefix}log_probs"], stored[f"{prefix}target"]
    powerset = Powerset(4, max_speakers)
    loss, parts = SegmentationLoss()(scores, target, powerset)
    assert_close(loss, stored[f"{prefix}loss"], atol=1e-6, rtol=0)
    assert list(parts) == ["cross_entropy"]

    multilabel = powerset.to_multilabel(scores)
    metrics = (
        DiarizationErrorRate(0.5),
        SpeakerConfusionRate(0.5),
        MissedDetectionRate(0.5),
        FalseAlarmRate(0.5),
    )
    computed = [metric(multilabel.mT, target.mT) for metric in metrics]
    assert_close(
        torch.stack(computed),
        stored[f"{prefix}metrics_der_conf_miss_fa"],
        atol=1e-6,
        rtol=0,
    )


def test_the_loss_is_the_weighted_sum_of_its_parts(scores, target):
    loss, parts = ALL(scores, target, POWERSET)
    assert tuple(parts) == PARTS
    weights = torch.tensor([1.0, 0.5, 0.25, 0.125])
    assert_close(loss, (weights * torch.stack(list(parts.values()))).sum())


def test_the_order_of_speakers_does_not_matter(scores, target):
    expected, _ = ALL(scores, target, POWERSET)
    for order in ([1, 0, 2, 3], [3, 2, 0, 1]):
        assert_close(ALL(scores, target[..., order], POWERSET)[0], expected)


@pytest.mark.parametrize("options", [{}, {"binary_cross_entropy": 1.0}])
def test_the_loss_of_the_truth_is_near_zero(target, options):
    loss = SegmentationLoss(**options)
    target[target.sum(-1) > 2] = 0
    truth = POWERSET.to_powerset(target.float()).float() * 20
    right, _ = loss(truth.log_softmax(-1), target, POWERSET)
    wrong, _ = loss(truth.roll(7, dims=1).log_softmax(-1), target, POWERSET)
    assert right < 1e-5 < 0.1 < wrong


def test_weights_of_classes_are_those_given(scores, target):
    target[:] = 0
    weights = torch.linspace(3, 1, POWERSET.num_powerset_classes)
    plain, _ = SegmentationLoss()(scores, target, POWERSET)
    weighted, _ = SegmentationLoss()(scores, target, POWERSET, weights)
    assert_close(weighted, 3 * plain)


def test_gradients_are_finite_in_half_precision(target):
    scores = torch.randn(3, 40, POWERSET.num_powerset_classes, dtype=torch.bfloat16)
    scores = (50 * scores).requires_grad_()
    with torch.autocast("cpu", torch.bfloat16):
        loss, _ = ALL(scores.log_softmax(-1), target, POWERSET)
    loss.backward()
    assert loss.dtype == torch.float32
    assert scores.grad.isfinite().all()


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"cross_entropy": -1}, "not be negative"),
        ({"smoothness": float("nan")}, "not be negative"),
        ({"label_smoothing": 1}, "below 1"),
        ({"sigma": 0}, "greater than 0"),
        ({"pos_weight": 2.0}, "`pos_weight` has no effect without `binary_cross_ent"),
        ({"sigma": 2.0}, "`sigma` has no effect without `smoothness`"),
        (
            {"cross_entropy": 0, "binary_cross_entropy": 1, "focal_gamma": 2},
            "`focal_gamma` has no effect without `cross_entropy`",
        ),
        (
            {"cross_entropy": 0, "temporal_consistency": 1},
            "do not depend on the labels",
        ),
        (
            {"focal_gama": 2},
            r"focal_gama\. Did you mean focal_gamma\? Known keys are cross_entropy",
        ),
    ],
)
def test_options_that_make_no_sense_are_refused(options, message):
    with pytest.raises(ValueError, match=message):
        SegmentationLoss.from_options(options)


def test_weight_of_active_speakers_is_that_of_torch(scores, target):
    loss = SegmentationLoss(0.0, 1.0, pos_weight=3.0)
    powerset = Powerset(4, 4)
    logits = torch.randn(3, 40, 4, generator=torch.Generator().manual_seed(3))
    # independent speakers: the product of their probabilities
    members = powerset.mapping.bool()  # (num_classes, 4)
    log_active = torch.nn.functional.logsigmoid(logits)[:, :, None]
    log_silent = torch.nn.functional.logsigmoid(-logits)[:, :, None]
    classes = torch.where(members, log_active, log_silent).sum(dim=-1)
    computed, _ = loss(classes, target, powerset)
    active, _ = permutate(powerset.to_multilabel(classes), target)
    expected = torch.nn.functional.binary_cross_entropy_with_logits(
        logits, active.float(), pos_weight=torch.tensor(3.0)
    )
    assert_close(computed, expected, atol=1e-5, rtol=0)
    with pytest.raises(ValueError, match="`pos_weight` should be greater"):
        SegmentationLoss(pos_weight=0)


def test_what_is_no_loss_is_refused():
    with pytest.raises(TypeError, match="a callable, got 3"):
        make_loss(3)
