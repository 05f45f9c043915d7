# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Pruning by the rule of the original, and exact pruning."""

import json
from pathlib import Path

import pytest
import torch
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st
from safetensors.torch import load_file
from torch.testing import assert_close

from pyannote_diarizen.wavlm import WavLM, WavLMConfig, add_gates, prune

TOLERANCE = {"atol": 5e-5, "rtol": 1e-5}
ALL = ("conv", "head", "attlayer", "interm", "ffnlayer")
SAME_OUTPUT = [
    *("base_head_interm", "base_head_interm_layers", "base_conv_keep_last"),
    *("large_head_interm", "large_head_interm_layers"),
]
CASES = [
    *SAME_OUTPUT,
    *("base_conv_head_interm", "large_conv_head_interm", "base_all_heads_dead"),
]


def load_gated(parity: Path, case: str) -> tuple[WavLM, dict[str, torch.Tensor]]:
    stem = parity / "prune" / case
    config = json.loads(Path(f"{stem}.config.json").read_text())
    wavlm = WavLM(WavLMConfig.from_dict(config)).eval()
    wavlm.load_state_dict(load_file(f"{stem}.state.safetensors"))
    return wavlm, load_file(f"{stem}.io.safetensors")


@torch.inference_mode()
def outputs(wavlm: WavLM, waveforms: torch.Tensor) -> torch.Tensor:
    return torch.stack(wavlm.extract_features(waveforms)[0])


@pytest.mark.parity
@pytest.mark.parametrize("case", CASES)
def test_gated_model_is_that_of_the_original(parity, case):
    wavlm, io = load_gated(parity, case)
    masks = [key for key in io if key.endswith(".eval_mask")]
    assert masks
    for key in masks:
        gate = wavlm.get_submodule(key.removeprefix("gate.").removesuffix(".eval_mask"))
        assert_close(gate(), io[key], atol=1e-6, rtol=0)
    assert_close(outputs(wavlm, io["waveform"]), io["reps_gated"], **TOLERANCE)


@pytest.mark.parity
@pytest.mark.parametrize("case", CASES)
def test_pruned_model_is_that_of_the_original(parity, case):
    wavlm, io = load_gated(parity, case)
    pruned = prune(wavlm)
    stem = parity / "prune" / case
    expected = json.loads(Path(f"{stem}.pruned_config.json").read_text())
    assert pruned.config.to_dict() == expected
    weights = load_file(f"{stem}.pruned_state.safetensors")
    assert pruned.state_dict().keys() == weights.keys()
    for key, weight in pruned.state_dict().items():
        assert_close(weight, weights[key], atol=1e-6, rtol=0, msg=key)
    assert_close(outputs(pruned, io["waveform"]), io["reps_pruned"], **TOLERANCE)


@pytest.mark.parity
@pytest.mark.parametrize("case", CASES)
def test_exact_pruning_keeps_the_output_where_the_original_does_not(parity, case):
    wavlm, io = load_gated(parity, case)
    wavlm, waveforms = wavlm.double(), io["waveform"].double()
    gated = outputs(wavlm, waveforms)
    exact = outputs(prune(wavlm, exact=True), waveforms)
    assert (exact - gated).abs().max() < 1e-9
    error = (outputs(prune(wavlm), waveforms) - gated).abs().max()
    assert error < 1e-9 if case in SAME_OUTPUT else error > 0.1


def randomise(wavlm: WavLM, generator: torch.Generator, share: float) -> WavLM:
    """Give all weights random values, and close a share of the gates of each group."""
    for name, weight in wavlm.state_dict().items():
        noise = torch.randn(weight.shape, generator=generator)
        if name.endswith("log_alpha"):
            closed = torch.rand(weight.shape, generator=generator) < share
            weight.copy_(torch.where(closed, -9.0, 2 * noise))
        elif weight.ndim == 1:
            weight.add_(0.3 * noise)
        else:
            weight.copy_(noise / weight[0].numel() ** 0.5)
    return wavlm


def check_exact(gated: WavLM, pruned: WavLM) -> None:
    """Check that both have the same output, up to rounding errors of `gated`."""
    assert not pruned.config.has_gates
    waveforms = torch.randn(2, 800)
    single = outputs(gated, waveforms)
    difference = (outputs(pruned, waveforms) - single).abs().max()
    gated, waveforms = gated.double(), waveforms.double()
    double = outputs(gated, waveforms)
    assert difference < 1e-5 + 4 * (single - double).abs().max()
    difference = outputs(prune(gated, exact=True), waveforms) - double
    assert difference.abs().max() < 1e-9


@settings(
    deadline=None,
    max_examples=20,
    derandomize=True,
    suppress_health_check=[HealthCheck.function_scoped_fixture],
)
@given(
    layer_norm=st.booleans(),
    bias=st.booleans(),
    units=st.lists(st.sets(st.sampled_from(ALL)), min_size=2, max_size=2),
    layers=st.sampled_from([None, "1-1", "2-3"]),
    blocks=st.lists(st.booleans(), min_size=3, max_size=3),
    share=st.sampled_from([0.0, 0.3, 0.7, 0.95, 1.0]),
    seed=st.integers(0, 1000),
)
@example(True, True, [set(ALL)] * 2, None, [True] * 3, 1.0, 0)
@example(False, True, [set(ALL)] * 2, None, [True] * 3, 1.0, 0)
@example(True, False, [{"conv"}, {"conv"}], None, [True] * 3, 0.7, 0)
@example(False, False, [{"head"}, {"attlayer"}], "1-1", [True] * 3, 1.0, 0)
def test_exact_pruning_keeps_the_output_and_does_it_again(
    tiny_config, layer_norm, bias, units, layers, blocks, share, seed
):
    generator = torch.Generator().manual_seed(seed)
    torch.manual_seed(seed)
    config = tiny_config(
        layer_norm,
        extractor_conv_bias=bias,
        encoder_num_layers=3,
        encoder_use_attention=blocks,
        encoder_use_feed_forward=blocks[::-1],
        encoder_total_num_heads=[4, 4, 4],
        encoder_remaining_heads=[[3, 1, 0], [0, 1, 2, 3], [2, 3]],
        encoder_ff_interm_features=[7, 9, 1],
    )
    wavlm = WavLM(config)
    for chosen in units:
        gated = add_gates(wavlm, chosen or {"conv"}, layers)
        gated = randomise(gated, generator, share).eval()
        wavlm = prune(gated, exact=True)
        check_exact(gated, wavlm)


def close(gate: torch.nn.Module, *indices: int) -> None:
    """Open all gates of a group but some."""
    with torch.no_grad():
        gate.log_alpha.fill_(9.0)
        gate.log_alpha[list(indices)] = -9.0


def open_all(wavlm: WavLM) -> None:
    for name, parameter in wavlm.named_parameters():
        if name.endswith("log_alpha"):
            parameter.data.fill_(9.0)


def test_heads_keep_their_original_index_when_pruned_again(tiny_config):
    wavlm = WavLM(tiny_config())
    for indices, expected in (([1], (0, 2, 3)), ([0, 1], (3,))):
        wavlm = add_gates(wavlm, ["head", "interm"])
        open_all(wavlm)
        close(
            wavlm.encoder.transformer.layers[1].attention.hard_concrete_for_heads,
            *indices,
        )
        wavlm = prune(wavlm)
        assert wavlm.config.encoder_remaining_heads == ((0, 1, 2, 3), expected)


def test_layers_without_a_block_keep_their_place_when_pruned_again(tiny_config):
    config = tiny_config(
        encoder_use_feed_forward=[False, True], encoder_use_attention=[False, True]
    )
    wavlm = add_gates(WavLM(config), ["head", "interm"])
    open_all(wavlm)
    close(
        wavlm.encoder.transformer.layers[1].feed_forward.hard_concrete_for_intermediate,
        0,
    )
    pruned = prune(wavlm)
    assert pruned.config.encoder_ff_interm_features == (48, 47)
    assert pruned.config.encoder_use_feed_forward == (False, True)
    assert pruned.config.encoder_use_attention == (False, True)


def test_position_bias_of_all_layers_survives_the_first_attention(tiny_config):
    wavlm = add_gates(WavLM(tiny_config()), ["attlayer"]).eval()
    open_all(wavlm)
    close(wavlm.encoder.transformer.layers[0].attention.hard_concrete_for_layer, 0)
    exact, lossy = prune(wavlm, exact=True), prune(wavlm)
    waveforms = torch.randn(1, 4000)
    assert_close(outputs(exact, waveforms), outputs(wavlm, waveforms), **TOLERANCE)
    assert exact.config.encoder_remaining_heads == ((), (0, 1, 2, 3))
    assert not exact.config.fits_original
    assert lossy.config.fits_original
    assert lossy.config.encoder_use_attention == (False, True)
    error = outputs(lossy, waveforms) - outputs(wavlm, waveforms)
    assert error.abs().max() > 1e-3


def test_first_convolution_needs_few_components(tiny_config):
    """Ten samples per frame: more removed channels need no more than eleven outputs."""
    convs = ((100, 10, 5), (12, 3, 2))
    wavlm = add_gates(WavLM(tiny_config(extractor_conv_layer_config=convs)), ["conv"])
    open_all(wavlm)
    close(wavlm.feature_extractor.conv_layers[0].hard_concrete, *range(80))
    config = prune(wavlm, exact=True).config
    assert config.extractor_removed_channels == (80, 0)
    assert config.extractor_statistics_channels == (11, 0)


@pytest.mark.parametrize("layer_norm", [True, False])
@pytest.mark.parametrize("share", [0.5, 1.0])
def test_all_weights_that_may_learn_get_a_gradient(tiny_config, layer_norm, share):
    gated = add_gates(WavLM(tiny_config(layer_norm)), ["conv", "head", "interm"])
    pruned = prune(randomise(gated, torch.Generator(), share), exact=True)
    assert pruned.training
    pruned(torch.randn(1, 800))[0].square().mean().backward()
    for name, parameter in pruned.named_parameters():
        assert (parameter.grad is not None) == parameter.requires_grad, name


def test_exactly_pruned_model_is_the_same_once_saved_and_loaded(tiny_config, tmp_path):
    gated = add_gates(WavLM(tiny_config()), ALL)
    pruned = prune(randomise(gated, torch.Generator(), 0.5), exact=True).eval()
    pruned.save(tmp_path / "a.bin")
    loaded = WavLM.from_pretrained(tmp_path / "a.bin").eval()
    assert loaded.config == pruned.config
    waveforms = torch.randn(1, 800)
    assert torch.equal(outputs(loaded, waveforms), outputs(pruned, waveforms))
    with pytest.raises(ValueError, match="this WavLM is pruned"):
        pruned.save_huggingface(tmp_path / "a")


def test_the_gated_model_stays_as_it_is(tiny_config):
    gated = randomise(add_gates(WavLM(tiny_config()), ALL), torch.Generator(), 0.5)
    before = {key: weight.clone() for key, weight in gated.state_dict().items()}
    pruned = prune(gated, exact=True)
    pruned.feature_extractor.dummy_weight.data.fill_(7.0)
    for key, weight in gated.state_dict().items():
        assert torch.equal(weight, before[key]), key


def test_precision_and_mode_are_kept(tiny_config):
    gated = add_gates(WavLM(tiny_config()), ALL).bfloat16().eval()
    for pruned in (prune(gated), prune(gated, exact=True)):
        assert {weight.dtype for weight in pruned.state_dict().values()} == {
            torch.bfloat16
        }
        assert not pruned.training


def test_a_convolution_without_channels_is_an_error(tiny_config):
    gated = add_gates(WavLM(tiny_config()), ["conv"]).eval()
    close(gated.feature_extractor.conv_layers[1].hard_concrete, *range(12))
    with pytest.raises(ValueError, match=r"convolution 1 .* gated off.*`exact=True`"):
        prune(gated)
    prune(gated, exact=True)


def test_a_model_without_gates_is_an_error(tiny_config):
    with pytest.raises(ValueError, match="has no gates: was it pruned already"):
        prune(WavLM(tiny_config()))
