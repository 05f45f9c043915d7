# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Cost and structure of models before and after pruning."""

import torch
from tiny_wavlm import CONFIG
from torch import nn

from pyannote_diarizen.evaluation.pruning_report import (
    compare_cost,
    draw_remaining,
    peak_memory,
)
from pyannote_diarizen.wavlm import WavLM
from pyannote_diarizen.wavlm.ranking import magnitudes, prune_lowest


class Products(nn.Module):
    """Some products of matrices of a million numbers each."""

    def __init__(self, number: int) -> None:
        super().__init__()
        self.number = number

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        x = torch.ones(1000, 1000)
        for _ in range(self.number):
            x = x @ x
            x = x / x.norm()
        return x


def test_fewer_operations_take_less_time():
    cost = compare_cost(Products(8), Products(1), torch.zeros(1))
    assert 2 < cost.speed_ratio < 20
    assert cost.lowest <= cost.speed_ratio <= cost.highest


def test_memory_is_that_of_tensors_that_live_at_once():
    # x, x @ x and its norm; or x / norm beside x @ x
    for number in (1, 5):
        assert 8e6 <= peak_memory(Products(number), torch.zeros(1)) <= 8.1e6
    assert peak_memory(nn.Flatten(), torch.zeros(1, 10)) in (0, 40)


def test_figure_shows_numbers_before_and_after():
    wavlm = WavLM(CONFIG)
    pruned = prune_lowest(wavlm, magnitudes(wavlm), 0.6).config
    channels, heads, widths = draw_remaining(CONFIG, pruned).axes
    for axes, before, after in (
        (heads, 4, [len(x) for x in pruned.encoder_remaining_heads]),
        (widths, 64, pruned.encoder_ff_interm_features),
        (channels, 16, [x for x, _, _ in pruned.extractor_conv_layer_config]),
    ):
        heights = [bar.get_height() for bar in axes.patches]
        assert heights == [*([before] * 3), *after]
