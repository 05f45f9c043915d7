# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import pytest
import torch
from torch import nn
from torch.testing import assert_close

from pyannote_diarizen.wavlm.layer_norm import PrunedLayerNorm, rotate_removed


def split_norm(norm: nn.LayerNorm, num_channels: int) -> PrunedLayerNorm:
    """Layer norm of which all but the first channels were removed."""
    pruned = PrunedLayerNorm(num_channels, len(norm.weight) - num_channels)
    pruned.weight.data = norm.weight.data[:num_channels]
    pruned.bias.data = norm.bias.data[:num_channels]
    return pruned.to(norm.weight.dtype)


@pytest.mark.parametrize("num_inputs", [3, 7, 40])
@pytest.mark.parametrize("num_channels", [1, 9, 19])
def test_removed_channels_count_as_before(num_inputs, num_channels):
    norm = nn.LayerNorm(20).double()
    nn.init.normal_(norm.weight)
    nn.init.normal_(norm.bias)
    rows = torch.randn(20, num_inputs, dtype=torch.double)
    inputs = 1 + torch.randn(5, num_inputs, dtype=torch.double)
    expected = norm(inputs @ rows.T)[:, :num_channels]
    kept, removed = rows[:num_channels], rows[num_channels:]
    components = rotate_removed(removed, 0, len(removed))
    assert len(components) == min(len(removed), num_inputs + 1)
    pruned = split_norm(norm, num_channels)
    x = inputs @ torch.cat([kept, components]).T
    assert_close(pruned(x), expected)


def test_components_are_on_the_device_of_the_rows():
    rows = torch.randn(5, 3, device="meta")
    assert rotate_removed(rows, 0, 5).device.type == "meta"


def test_channels_may_be_removed_one_after_another():
    norm = nn.LayerNorm(20).double()
    rows = torch.randn(20, 6, dtype=torch.double)
    inputs = 1 + torch.randn(5, 6, dtype=torch.double)
    components = rows[:0]
    for first, last in ((20, 12), (12, 11), (11, 2)):
        stacked = torch.cat([components, rows[last:first]])
        components = rotate_removed(stacked, 20 - first, 20 - last)
        pruned = split_norm(norm, last)
        x = inputs @ torch.cat([rows[:last], components]).T
        assert_close(pruned(x), norm(inputs @ rows.T)[:, :last])


def test_half_precision_has_statistics_in_single():
    pruned = PrunedLayerNorm(3, 4)
    x = 1000 + torch.randn(5, 6)
    half = pruned.to(torch.bfloat16)(x.to(torch.bfloat16))
    assert half.dtype == torch.bfloat16
    expected = pruned.float()(x.to(torch.bfloat16).float())
    assert_close(half.float(), expected, atol=0.02, rtol=0.01)
