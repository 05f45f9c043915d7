# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
from copy import deepcopy

import pytest
import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from pyannote.audio.models.blocks.pooling import StatsPool
from torch.testing import assert_close

from pyannote_diarizen.export.graphs import (
    BroadcastStatsPool,
    average_weights,
    build_graph,
    nearest_weights,
)

NAMES = ["segmentation", "embedding", "wavlm", "wavlm-pruned", "fbank", "wespeaker"]


@pytest.mark.parametrize("name", NAMES)
@torch.inference_mode()
def test_a_graph_gives_what_its_model_gives(build, name):
    model = build(name)
    before = {key: id(module) for key, module in model.named_modules()}
    graph = build_graph(model)
    inputs = graph.example(model)
    assert_close(graph(*inputs), model(*inputs), atol=1e-3, rtol=1e-3)
    assert {key: id(module) for key, module in model.named_modules()} == before


@pytest.mark.parametrize(
    ("num_weights", "num_frames"), [(6, 3), (7, 3), (3, 7), (1, 4), (117, 99)]
)
def test_weights_are_resampled_as_in_the_models(num_weights, num_frames):
    weights = (torch.arange(2.0 * num_weights) % 3).view(1, 2, num_weights)
    averages = F.adaptive_avg_pool1d(weights, num_frames)
    assert_close(average_weights(weights, num_frames), averages)
    nearest = F.interpolate(weights, size=num_frames, mode="nearest")
    assert_close(nearest_weights(weights, num_frames), nearest)


def test_statistics_are_those_of_pyannote():
    torch.manual_seed(0)
    sequences, weights = torch.randn(2, 5, 9), torch.rand(2, 3, 9)
    pooled = BroadcastStatsPool()(sequences, weights)
    assert_close(pooled, StatsPool()(sequences, weights))


def test_a_model_of_several_channels_is_an_error(build):
    model = build("fbank")

    class WithWeights(type(model)):
        channel_weights = None

    several = deepcopy(model)
    several.__class__ = WithWeights
    with pytest.raises(ValueError, match="WithWeights cannot be exported: besides"):
        build_graph(several)
