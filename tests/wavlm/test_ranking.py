# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Pruning by magnitude and importance."""

import pytest
import torch
from torch.testing import assert_close

from pyannote_diarizen.wavlm import WavLM, add_gates
from pyannote_diarizen.wavlm.cost import num_macs, num_parameters
from pyannote_diarizen.wavlm.gates import HardConcrete
from pyannote_diarizen.wavlm.ranking import importances, magnitudes, prune_lowest


def loss_of(wavlm: WavLM, waveforms: torch.Tensor) -> torch.Tensor:
    return torch.stack(wavlm.extract_features(waveforms)[0]).square().mean()


@pytest.mark.parametrize("layer_norm", [True, False])
def test_importance_is_the_gradient_of_a_gate(tiny_config, monkeypatch, layer_norm):
    wavlm = WavLM(tiny_config(layer_norm)).double().eval()
    waveforms = torch.randn(2, 4000).double()
    wavlm.feature_extractor.dummy_weight.requires_grad_(True)
    loss_of(wavlm, waveforms).backward()
    scores = importances(wavlm)

    gated = add_gates(wavlm, ["conv", "head", "interm"])
    gates = {
        name: torch.ones(len(module.log_alpha)).double().requires_grad_()
        for name, module in gated.named_modules()
        if isinstance(module, HardConcrete)
    }
    for name, module in gated.named_modules():
        if name in gates:
            monkeypatch.setattr(module, "forward", lambda gate=gates[name]: gate)
    loss_of(gated, waveforms).backward()
    assert scores.keys() == gates.keys()
    for name, gate in gates.items():
        # gradients of the front end are scaled
        factor = 10 if name.startswith("feature_extractor") else 1
        assert_close(scores[name], factor * gate.grad.abs(), atol=1e-12, rtol=1e-6)
        assert scores[name].max() > 0


@pytest.mark.parametrize("measure", ["parameters", "macs"])
def test_as_few_units_are_removed_as_needed(tiny_config, measure):
    wavlm = WavLM(tiny_config())
    size = num_parameters if measure == "parameters" else num_macs
    pruned = prune_lowest(wavlm, magnitudes(wavlm), 0.4, measure)
    sparsity = 1 - size(pruned.config) / size(wavlm.config)
    # a channel takes 6 % of the MACs of this model
    tolerance = 0.05 if measure == "parameters" else 0.1
    assert 0.4 <= sparsity < 0.4 + tolerance
    again = prune_lowest(pruned, magnitudes(pruned), 0.1, measure)
    sparsity = 1 - size(again.config) / size(pruned.config)
    assert 0.1 <= sparsity < 0.1 + 2 * tolerance


def test_the_weakest_units_are_removed(tiny_config):
    wavlm = WavLM(tiny_config())
    first, second = wavlm.encoder.transformer.layers
    with torch.no_grad():
        # half of the units of one block
        first.feed_forward.intermediate_dense.weight[:24] *= 1e-3
        first.feed_forward.intermediate_dense.bias[:24] = 0.0
        first.feed_forward.output_dense.weight[:, :24] *= 1e-3
        second.attention.out_proj.weight[:, :8] *= 1e-3
        for name in ("q_proj", "k_proj", "v_proj"):
            getattr(second.attention, name).weight[:8] *= 1e-3
    share = (24 * 65 + 4 * 8 * 32) / num_parameters(wavlm.config)
    pruned = prune_lowest(wavlm, magnitudes(wavlm), share)
    assert pruned.config.encoder_ff_interm_features == (24, 48)
    assert pruned.config.encoder_remaining_heads == ((0, 1, 2, 3), (1, 2, 3))
    waveforms = torch.randn(1, 4000)
    expected = loss_of(wavlm.eval(), waveforms)
    assert_close(loss_of(pruned.eval(), waveforms), expected, atol=1e-4, rtol=0)


def test_a_sparsity_that_cannot_be_reached_is_refused(tiny_config):
    wavlm = WavLM(tiny_config())
    with pytest.raises(ValueError, match=r"At most \d\d\.\d% of the parameters"):
        prune_lowest(wavlm, magnitudes(wavlm), 0.98)


def test_exact_pruning_keeps_statistics_of_removed_channels(tiny_config):
    wavlm = WavLM(tiny_config()).double().eval()
    exact = prune_lowest(wavlm, magnitudes(wavlm), 0.4, exact=True)
    plain = prune_lowest(wavlm, magnitudes(wavlm), 0.4)
    assert any(exact.config.extractor_removed_channels)
    assert not any(plain.config.extractor_removed_channels)
