# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import pytest
import torch
from torch import Tensor

from pyannote_diarizen.tasks.verification_metric import PairwiseEqualErrorRate


@pytest.fixture
def embeddings() -> Tensor:
    """Two directions, twenty embeddings of any length around each, in turn."""
    torch.manual_seed(1)
    axes = torch.eye(2).repeat(20, 1)
    return (axes + 0.1 * torch.randn(40, 2)) * torch.rand(40, 1)


def rate(embeddings: Tensor, labels: Tensor) -> float:
    metric = PairwiseEqualErrorRate()
    for batch in torch.arange(40).split(16):
        metric.update(embeddings[batch], labels[batch])
    return float(metric.compute())


def test_separated_speakers_have_no_error(embeddings: Tensor) -> None:
    assert rate(embeddings, torch.arange(40) % 2) < 0.01


def test_labels_at_random_give_one_half(embeddings: Tensor) -> None:
    assert rate(embeddings, torch.arange(40) // 2 % 2) == pytest.approx(0.5, abs=0.1)


def test_embeddings_of_all_processes_are_compared(embeddings: Tensor) -> None:
    labels = torch.arange(40) // 2 % 2
    metrics = [PairwiseEqualErrorRate() for _ in range(2)]
    for metric, batch in zip(metrics, torch.arange(40).split(24), strict=True):
        metric.update(embeddings[batch], labels[batch])
    first, second = metrics
    theirs = iter([second.embeddings[0], second.labels[0]])
    first.distributed_available_fn = lambda: True
    first.dist_sync_fn = lambda own, group: [own, next(theirs)]
    assert float(first.compute()) == rate(embeddings, labels)
