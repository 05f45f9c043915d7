# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import json

import pytest
import torch
import torch.nn.functional as F  # noqa: N812

from pyannote_diarizen.wavlm import get_config
from pyannote_diarizen.wavlm.frontend import FeatureExtractor, normalize_waveforms


def straightforward(extractor: FeatureExtractor, waveforms: torch.Tensor):
    """Compute features as papers write them, channels first throughout."""
    x = waveforms[:, None]
    for layer in extractor.conv_layers:
        x = layer.conv(x)
        if isinstance(layer.layer_norm, torch.nn.LayerNorm):
            x = layer.layer_norm(x.transpose(1, 2)).transpose(1, 2)
        elif layer.layer_norm is not None:
            x = layer.layer_norm(x)
        x = F.gelu(x)
    return x.transpose(1, 2) * extractor.dummy_weight


@pytest.mark.parametrize("layer_norm", [True, False])
@pytest.mark.parametrize("bias", [True, False])
def test_layout_in_memory_changes_no_value(tiny_config, layer_norm, bias):
    config = tiny_config(layer_norm, extractor_conv_bias=bias)
    extractor = FeatureExtractor(config)
    waveforms = torch.randn(2, 3000)
    torch.testing.assert_close(
        extractor(waveforms), straightforward(extractor, waveforms)
    )


def test_output_channels_are_scaled_by_the_dummy_weight(tiny_config):
    extractor = FeatureExtractor(tiny_config())
    waveforms = torch.randn(1, 800)
    before = extractor(waveforms)
    extractor.dummy_weight.data[3] = 0.25
    after = extractor(waveforms)
    assert not extractor.dummy_weight.requires_grad
    torch.testing.assert_close(after[..., 3], 0.25 * before[..., 3])
    torch.testing.assert_close(after[..., 4], before[..., 4])


@pytest.mark.parametrize("num_samples", [0, 1, 101, 102, 141, 142, 1000])
def test_number_of_frames_is_that_of_the_output(tiny_config, num_samples):
    extractor = FeatureExtractor(tiny_config())
    num_frames = extractor.num_frames(num_samples)
    if num_samples < extractor.receptive_field_size():
        assert num_frames == 0
    else:
        assert extractor(torch.randn(1, num_samples)).shape[1] == num_frames


def test_frame_depends_on_its_receptive_field_only(tiny_config):
    extractor = FeatureExtractor(tiny_config())
    waveforms = torch.randn(1, 1000, requires_grad=True)
    extractor(waveforms)[0, 2].sum().backward()
    seen = waveforms.grad[0].nonzero().flatten()
    step = extractor.receptive_field_size(2) - extractor.receptive_field_size(1)
    assert seen[0] == 2 * step
    assert seen[-1] == 2 * step + extractor.receptive_field_size() - 1
    assert seen[0] < extractor.receptive_field_center(2) < seen[-1]


@pytest.mark.parity
def test_frame_geometry_is_that_of_the_original(parity):
    expected = json.loads((parity / "wavlm" / "frames.json").read_text())
    with torch.device("meta"):
        extractor = FeatureExtractor(get_config("wavlm_base"))
    num_frames = [extractor.num_frames(n) for n in expected["num_samples"]]
    assert num_frames == expected["num_frames"]
    for num_frames, size in expected["rf_size"].items():
        assert extractor.receptive_field_size(int(num_frames)) == size
    for frame, center in expected["rf_center"].items():
        assert extractor.receptive_field_center(int(frame)) == center


def test_waveforms_get_zero_mean_and_unit_variance():
    waveforms = normalize_waveforms(3 + 5 * torch.randn(2, 1000))
    torch.testing.assert_close(waveforms.mean(1), torch.zeros(2), atol=1e-5, rtol=0)
    torch.testing.assert_close(waveforms.var(1, correction=0), torch.ones(2))


def test_padding_neither_counts_nor_stays():
    waveforms = 3 + 5 * torch.randn(2, 1000)
    normalized = normalize_waveforms(waveforms, torch.tensor([1000, 400]))
    torch.testing.assert_close(normalized[:1], normalize_waveforms(waveforms[:1]))
    torch.testing.assert_close(
        normalized[1:, :400], normalize_waveforms(waveforms[1:, :400])
    )
    assert not normalized[1, 400:].any()
