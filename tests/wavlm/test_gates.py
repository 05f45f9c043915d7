# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import json

import pytest
import torch
from torch.testing import assert_close

from pyannote_diarizen.wavlm import WavLM, WavLMConfig, add_gates
from pyannote_diarizen.wavlm.gates import HardConcrete

ALL = ("conv", "head", "attlayer", "interm", "ffnlayer")


@pytest.mark.parity
@pytest.mark.parametrize("case", ["False", "1-1", "2-3"])
@pytest.mark.parametrize("layout", ["full", "noattn2"])
def test_layers_of_a_range_have_the_gates_of_the_original(parity, case, layout):
    expected = json.loads((parity / "prune" / "layerwise_gates.json").read_text())
    config = WavLMConfig.dense(
        embed_dim=16,
        num_layers=3,
        num_heads=2,
        feed_forward_dim=8,
        layer_norm=False,
        use_layerwise_prune=False if case == "False" else case,
        encoder_use_attention=[True, True, layout == "full"],
    )
    keys = [key for key in WavLM(config).state_dict() if "log_alpha" in key]
    assert sorted(keys) == sorted(expected[f"{case}|{layout}"])


def test_each_kind_of_unit_has_its_gates(tiny_config):
    names = {
        "conv": ["hard_concrete"] * 3,
        "head": ["hard_concrete_for_heads"] * 2,
        "attlayer": ["hard_concrete_for_layer"] * 2,
        "interm": ["hard_concrete_for_intermediate"] * 2,
        "ffnlayer": ["hard_concrete_for_layer"] * 2,
    }
    for unit, expected in names.items():
        gated = add_gates(WavLM(tiny_config()), [unit])
        found = [
            name.rpartition(".")[2]
            for name, module in gated.named_modules()
            if isinstance(module, HardConcrete)
        ]
        assert found == expected


def test_new_gates_are_open_but_for_half_closed_feed_forward_units(tiny_config):
    gated = add_gates(WavLM(tiny_config()), ALL)
    layer = gated.encoder.transformer.layers[0]
    heads = layer.attention.hard_concrete_for_heads
    assert heads.expected_size().item() == pytest.approx(4 * 0.998, abs=0.01)
    units = layer.feed_forward.hard_concrete_for_intermediate
    assert units.expected_size().item() == pytest.approx(48 * 0.832, abs=0.5)
    assert_close(units.log_alpha.sigmoid().mean().item(), 0.5, atol=0.01, rtol=0)


def test_samples_are_new_in_training_and_none_in_evaluation():
    gate = HardConcrete(50, 0.5, 2 / 3, -0.1, 1.1)
    assert not torch.equal(gate(), gate())
    gate.eval()
    assert torch.equal(gate(), gate())


def test_gates_follow_their_parameter_in_evaluation():
    gate = HardConcrete(3, 0.5, 2 / 3, -0.1, 1.1).eval()
    gate()
    with torch.no_grad():
        gate.log_alpha.copy_(torch.tensor([5.0, -9.0, -9.0]))
    assert gate().tolist() == pytest.approx([0.9975, 0, 0], abs=1e-4)
    gate.load_state_dict({"log_alpha": torch.tensor([-9.0, -9.0, 5.0])})
    assert gate().tolist() == pytest.approx([0, 0, 0.9975], abs=1e-4)


@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
def test_number_of_zeros_survives_half_precision(dtype):
    torch.manual_seed(0)
    gate = HardConcrete(3000, 0.5, 2 / 3, -0.1, 1.1).to(dtype).eval()
    single = HardConcrete(3000, 0.5, 2 / 3, -0.1, 1.1).eval()
    single.log_alpha.data = gate.log_alpha.data.float()
    assert gate().dtype == dtype
    assert (gate() == 0).sum() == (single() == 0).sum()


@pytest.mark.parametrize("layer_norm", [True, False])
def test_gates_and_weights_get_gradients(tiny_config, layer_norm):
    gated = add_gates(WavLM(tiny_config(layer_norm)), ALL)
    gated(torch.randn(1, 2000))[0].square().mean().backward()
    for name, parameter in gated.named_parameters():
        assert (parameter.grad is not None) == parameter.requires_grad, name
        if "log_alpha" in name:
            assert parameter.grad.isfinite().all(), name


@pytest.mark.parametrize("layer_norm", [True, False])
@torch.inference_mode()
def test_closed_units_do_not_count(tiny_config, layer_norm):
    """Weights behind a closed gate may be anything."""
    gated = add_gates(WavLM(tiny_config(layer_norm)), ["head", "interm"]).eval()
    for name, parameter in gated.named_parameters():
        if "log_alpha" in name:
            parameter.fill_(9.0)[1:3] = -9.0
    waveforms = torch.randn(1, 2000)
    before = gated(waveforms)[0]
    attention = gated.encoder.transformer.layers[1].attention
    attention.out_proj.weight[:, 8:24] = 7.0
    feed_forward = gated.encoder.transformer.layers[0].feed_forward
    feed_forward.intermediate_dense.weight[1:3] = 7.0
    assert_close(gated(waveforms)[0], before)
    attention.out_proj.weight[:, :8] = 7.0
    assert not torch.allclose(gated(waveforms)[0], before, atol=1e-2)


def test_unknown_units_are_an_error(tiny_config):
    with pytest.raises(ValueError, match=r"in `units`: heads. Did you mean head\?"):
        add_gates(WavLM(tiny_config()), ["heads"])


def test_a_model_with_gates_is_not_for_transformers(tiny_config, tmp_path):
    with pytest.raises(ValueError, match="no gates: call `prune` first"):
        add_gates(WavLM(tiny_config())).save_huggingface(tmp_path / "a")


def test_a_model_with_gates_is_the_same_once_saved_and_loaded(tiny_config, tmp_path):
    gated = add_gates(WavLM(tiny_config()), ALL, layers="1-2")
    gated.save(tmp_path / "a.bin")
    loaded = WavLM.from_pretrained(tmp_path / "a.bin")
    assert loaded.config == gated.config
    for key, weight in gated.state_dict().items():
        assert torch.equal(loaded.state_dict()[key], weight), key
