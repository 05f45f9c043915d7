# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import json

import pytest
import torch
from safetensors.torch import load_file
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.testing import assert_close
from torch.utils.flop_counter import FlopCounterMode

from pyannote_diarizen.functional.hard_concrete import sparsity_penalty
from pyannote_diarizen.wavlm import (
    PREDEFINED,
    WavLM,
    WavLMConfig,
    add_gates,
    prune,
)
from pyannote_diarizen.wavlm.cost import (
    expected_num_macs,
    expected_num_parameters,
    max_sparsity,
    num_macs,
    num_parameters,
)

PUBLISHED = {
    "wavlm_base": (94_371_456, 6_911_374_336),
    "wavlm_large": (315_434_624, 17_810_762_752),
    "wavlm_base_s80_md": (18_872_523, 1_134_228_239),
    "wavlm_large_s80_md": (63_079_690, 3_681_184_026),
}
"""Parameters and MACs of one second, as DiariZen counts them."""
CHANGES = [
    {},
    {"aux_num_out": 5, "extractor_conv_bias": True},
    {"encoder_pos_conv_kernel": 15, "encoder_use_attention": [False, True]},
    {"encoder_remaining_heads": [[3, 1], [0]], "encoder_ff_interm_features": [5, 7]},
    {"encoder_use_feed_forward": [True, False]},
    {"encoder_remaining_heads": [[], [2]], "encoder_ff_interm_features": [0, 7]},
]


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_numbers(name):
    config = PREDEFINED[name]
    parameters, macs = PUBLISHED[name]
    assert num_parameters(config, positions=False) == parameters
    assert num_macs(config, positions=False) == macs
    with torch.device("meta"):
        wavlm = WavLM(config)
    assert num_parameters(config) == sum(p.numel() for p in wavlm.parameters())


@pytest.mark.parametrize("layer_norm", [True, False])
@pytest.mark.parametrize("changes", CHANGES, ids=str)
def test_numbers_are_those_of_the_model(tiny_config, layer_norm, changes):
    wavlm = WavLM(tiny_config(layer_norm, **changes)).eval()
    assert num_parameters(wavlm.config) == sum(p.numel() for p in wavlm.parameters())
    counter = FlopCounterMode(display=False)
    with counter, sdpa_kernel(SDPBackend.MATH), torch.inference_mode():
        wavlm(torch.randn(1, 4000))
    # two operations per MAC
    assert 2 * num_macs(wavlm.config, duration=0.25) == counter.get_total_flops()


@pytest.mark.parametrize("layer_norm", [True, False])
def test_expected_numbers_of_open_gates_are_those_of_the_model(tiny_config, layer_norm):
    wavlm = WavLM(tiny_config(layer_norm))
    assert expected_num_parameters(wavlm) == num_parameters(wavlm.config)
    assert expected_num_macs(wavlm) == num_macs(wavlm.config)
    gated = add_gates(wavlm, ("conv", "head", "attlayer", "interm", "ffnlayer"))
    with torch.no_grad():
        for name, parameter in gated.named_parameters():
            if "log_alpha" in name:
                parameter.fill_(99.0)
    assert expected_num_parameters(gated).item() == num_parameters(wavlm.config)
    assert expected_num_macs(gated).item() == pytest.approx(num_macs(wavlm.config))


def load_gated(parity, case) -> WavLM:
    folder = parity / "prune"
    config = json.loads((folder / f"{case}.config.json").read_text())
    wavlm = WavLM(WavLMConfig.from_dict(config))
    wavlm.load_state_dict(load_file(folder / f"{case}.state.safetensors"))
    return wavlm


@pytest.mark.parity
@pytest.mark.parametrize(
    "case",
    [
        *("base_head_interm", "base_head_interm_layers", "base_conv_head_interm"),
        *("base_conv_keep_last", "base_all_heads_dead", "large_head_interm"),
        *("large_head_interm_layers", "large_conv_head_interm"),
    ],
)
def test_expected_numbers_are_those_of_the_original(parity, case):
    wavlm = load_gated(parity, case)
    io = load_file(parity / "prune" / f"{case}.io.safetensors")
    expected = expected_num_parameters(wavlm, positions=False)
    assert_close(expected.double(), io["num_params"], atol=0, rtol=1e-6)
    macs = expected_num_macs(wavlm, positions=False)
    assert_close(macs.double(), io["num_macs"], atol=0, rtol=1e-6)
    sparsity = 1 - expected / io["n_teacher"]
    assert_close(sparsity, io["sparsity"], atol=1e-6, rtol=0)
    expected.backward()
    gates = [key for key in io if key.endswith(".dnumparams")]
    assert gates
    for key in gates:
        name = key.removeprefix("gate.").removesuffix(".dnumparams")
        gradient = wavlm.get_submodule(name).log_alpha.grad
        assert_close(gradient, io[key], atol=1e-6, rtol=1e-3, msg=key)


@pytest.mark.parity
def test_regulariser_alone_is_trained_as_by_the_original(parity):
    settings = json.loads((parity / "prune" / "lagrangian.config.json").read_text())
    io = load_file(parity / "prune" / "lagrangian.io.safetensors")
    wavlm = WavLM(WavLMConfig.from_dict(settings["model"]))
    gates = {k: p for k, p in wavlm.named_parameters() if "log_alpha" in k}
    for key, parameter in gates.items():
        parameter.data = io[f"init.{key}"].clone()
    multipliers = [torch.nn.Parameter(torch.zeros(())) for _ in range(2)]
    rate = settings["reg_lr"]
    optimizer = torch.optim.AdamW(
        [
            {"params": list(gates.values()), "lr": rate},
            # ascent
            {"params": multipliers, "lr": -rate},
        ],
        weight_decay=0.0,
    )
    history = {"expected": [], "target": [], "lambda1": [], "lambda2": [], "loss": []}
    for step in range(settings["steps"]):
        target = settings["target_sparsity"] * min(1, step / settings["warmup_steps"])
        size = expected_num_parameters(wavlm, positions=False)
        sparsity = 1 - size / io["n_orig"]
        loss = sparsity_penalty(sparsity, target, tuple(multipliers))
        optimizer.zero_grad()
        loss.backward()
        values = (
            sparsity.item(),
            target,
            *(m.item() for m in multipliers),
            loss.item(),
        )
        for key, value in zip(history, values, strict=True):
            history[key].append(value)
        optimizer.step()
    for key, values in history.items():
        actual = torch.tensor(values, dtype=torch.float64)
        assert_close(actual, io[f"traj.{key}"], atol=1e-4, rtol=0, msg=key)
    for key, parameter in gates.items():
        assert_close(parameter.data, io[f"final.{key}"], atol=1e-4, rtol=0, msg=key)


@pytest.mark.parametrize("measure", ["parameters", "macs"])
@pytest.mark.parametrize("units", [("conv", "head"), ("interm",), ("attlayer",)])
def test_highest_sparsity_is_that_of_closed_gates(tiny_config, measure, units):
    wavlm = WavLM(tiny_config())
    gated = add_gates(wavlm, units)
    for name, weight in gated.named_parameters():
        if name.endswith("log_alpha"):
            weight.data.fill_(-99.0)
            if "conv_layers" in name:
                weight.data[0] = 99.0
    # a block without units is removed, bias included, as with `attlayer`
    pruned = prune(gated).config
    size = num_parameters if measure == "parameters" else num_macs
    total = size(wavlm.config)
    highest = max_sparsity(gated.config, total, measure)
    assert highest == pytest.approx(1 - size(pruned) / total, abs=0.02)
    assert highest <= 1 - size(pruned) / total
