# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import copy
import pickle

import pytest
import torch
from safetensors.torch import load_file
from torchaudio.models import wavlm_model

from pyannote_diarizen.wavlm import WavLM
from pyannote_diarizen.wavlm.encoder import WeightNormConv1d

TOLERANCE = {"atol": 5e-5, "rtol": 1e-5}
CASES = ["base", "large", "large_oddpos_bias", "base_uneven", "large_uneven"]
CASES += ["base_noattn0"]


@pytest.mark.parity
@pytest.mark.parametrize("name", CASES)
@torch.inference_mode()
def test_representations_are_those_of_the_original(load_case, name):
    wavlm, io = load_case(name)
    stages = {
        "extractor_out": wavlm.feature_extractor,
        "projected": wavlm.encoder.feature_projection,
    }
    for key, stage in stages.items():
        stage.register_forward_hook(
            lambda _, __, output, key=key: torch.testing.assert_close(
                output, io[key], **TOLERANCE
            )
        )
    representations, lengths = wavlm.extract_features(io["waveform"])
    assert lengths is None
    torch.testing.assert_close(torch.stack(representations), io["reps"], **TOLERANCE)
    output, _ = wavlm(io["waveform"])
    torch.testing.assert_close(output, io["forward_final"], **TOLERANCE)


@pytest.mark.parity
@pytest.mark.parametrize("name", ["base", "large", "base_uneven"])
@torch.inference_mode()
def test_padding_is_masked_as_in_the_original(load_case, name):
    wavlm, io = load_case(name)
    representations, lengths = wavlm.extract_features(io["waveform"], io["len.lengths"])
    assert torch.equal(lengths, io["len.out_lengths"])
    actual = torch.stack(representations)
    torch.testing.assert_close(actual, io["len.reps"], **TOLERANCE)


@pytest.mark.parity
@pytest.mark.parametrize("name", ["base", "large", "base_uneven"])
@torch.inference_mode()
def test_number_of_layers_counts_the_input_as_in_the_original(load_case, name):
    wavlm, io = load_case(name)
    representations, _ = wavlm.extract_features(io["waveform"], num_layers=2)
    actual = torch.stack(representations)
    torch.testing.assert_close(actual, io["num_layers2.reps"], **TOLERANCE)


@pytest.mark.parity
@torch.inference_mode()
def test_one_frame_is_that_of_the_original(load_case, parity):
    wavlm, _ = load_case("base")
    io = load_file(parity / "wavlm" / "base_1frame.io.safetensors")
    actual = torch.stack(wavlm.extract_features(io["waveform"])[0])
    torch.testing.assert_close(actual, io["reps"], **TOLERANCE)


@pytest.mark.parity
def test_legacy_names_of_weight_normalisation_are_read(load_case, parity):
    expected, _ = load_case("base")
    wavlm = WavLM(expected.config)
    state = load_file(parity / "wavlm" / "base_legacy_wn.state.safetensors")
    assert "encoder.transformer.pos_conv_embed.conv.weight_g" in state
    wavlm.load_state_dict(state)
    for key, weight in wavlm.state_dict().items():
        assert torch.equal(weight, expected.state_dict()[key]), key


@pytest.mark.parity
@pytest.mark.parametrize("name", ["base", "large"])
def test_gradients_are_those_of_the_original(load_case, name):
    wavlm, io = load_case(name)
    waveforms = io["waveform"].requires_grad_()
    loss = sum(r.square().mean() for r in wavlm.extract_features(waveforms)[0])
    loss.backward()
    torch.testing.assert_close(loss, io["grad_loss"])
    gradients = {key: p.grad for key, p in wavlm.named_parameters()}
    gradients["waveform"] = waveforms.grad
    names = [key.removeprefix("grad.") for key in io if key.startswith("grad.")]
    assert len(names) > 10
    for key in names:
        torch.testing.assert_close(
            gradients[key], io[f"grad.{key}"], rtol=1e-3, atol=1e-6, msg=key
        )


def rename(key: str, weight: torch.Tensor) -> dict[str, torch.Tensor]:
    """Rename a weight of torchaudio, which packs projections of queries to values."""
    key = key.replace("attention.attention.", "attention.")
    if "in_proj_" not in key:
        return {key: weight}
    prefix, kind = key.split("in_proj_")
    parts = zip("qkv", weight.chunk(3), strict=True)
    return {f"{prefix}{name}_proj.{kind}": part for name, part in parts}


@pytest.mark.parametrize("layer_norm", [True, False])
@torch.inference_mode()
def test_output_is_that_of_torchaudio(tiny_config, layer_norm):
    config = tiny_config(layer_norm, aux_num_out=5, normalize_waveform=False)
    theirs = wavlm_model(
        extractor_mode=config.extractor_mode,
        extractor_conv_layer_config=config.extractor_conv_layer_config,
        extractor_conv_bias=False,
        encoder_embed_dim=32,
        encoder_projection_dropout=0.1,
        encoder_pos_conv_kernel=16,
        encoder_pos_conv_groups=4,
        encoder_num_layers=2,
        encoder_num_heads=4,
        encoder_num_buckets=32,
        encoder_max_distance=20,
        encoder_attention_dropout=0.1,
        encoder_ff_interm_features=48,
        encoder_ff_interm_dropout=0.0,
        encoder_dropout=0.1,
        encoder_layer_norm_first=layer_norm,
        encoder_layer_drop=0.0,
        aux_num_out=5,
    ).eval()
    ours = WavLM(config).eval()
    state = {"feature_extractor.dummy_weight": torch.ones(16)}
    for key, weight in theirs.state_dict().items():
        state |= rename(key, weight)
    ours.load_state_dict(state)
    waveforms = torch.randn(2, 4000)
    torch.testing.assert_close(ours(waveforms)[0], theirs(waveforms)[0], **TOLERANCE)


@torch.inference_mode()
def test_what_takes_the_place_of_a_state_goes_on(tiny_config):
    wavlm = WavLM(tiny_config()).eval()
    waveforms = torch.randn(4, 2000)
    plain = list(wavlm.hidden_states(waveforms))
    seen = []

    def keep_first_two(index, state):
        seen.append(index)
        return state[:2] if index == 1 else state

    states = list(wavlm.hidden_states(waveforms, transform=keep_first_two))
    assert seen == [0, 1, 2]
    assert [len(state) for state in states] == [4, 2, 2]
    for state, expected in zip(states, plain, strict=True):
        torch.testing.assert_close(state, expected[: len(state)], **TOLERANCE)


@pytest.mark.parametrize("layer_norm", [True, False])
@torch.inference_mode()
def test_item_gives_the_same_alone_and_in_a_batch(tiny_config, layer_norm):
    wavlm = WavLM(tiny_config(layer_norm)).eval()
    waveforms = torch.randn(3, 2000)
    batch = wavlm(waveforms)[0]
    for item in range(3):
        alone = wavlm(waveforms[item : item + 1])[0]
        torch.testing.assert_close(alone, batch[item : item + 1], **TOLERANCE)


@torch.inference_mode()
def test_masked_padding_gives_the_same_as_no_padding(tiny_config):
    # group_norm sees padding by design, and convolution of positions its zeros
    wavlm = WavLM(tiny_config(True, encoder_pos_conv_kernel=1)).eval()
    waveforms = torch.randn(1, 2000)
    padded = torch.nn.functional.pad(waveforms, (0, 1000))
    expected, _ = wavlm(waveforms)
    actual, lengths = wavlm(padded, torch.tensor([2000]))
    assert lengths.tolist() == [expected.shape[1]]
    torch.testing.assert_close(actual[:, : lengths[0]], expected, **TOLERANCE)


@torch.inference_mode()
def test_padding_is_masked_even_without_position_bias(tiny_config):
    heads = {"encoder_use_attention": [False, True]}
    wavlm = WavLM(tiny_config(True, encoder_pos_conv_kernel=1, **heads)).eval()
    waveforms = torch.randn(1, 2000)
    padded = torch.nn.functional.pad(waveforms, (0, 1000))
    actual, lengths = wavlm(padded, torch.tensor([2000]))
    expected, _ = wavlm(waveforms)
    torch.testing.assert_close(actual[:, : lengths[0]], expected, **TOLERANCE)


def test_front_end_receives_a_tenth_of_the_gradient(tiny_config):
    wavlm = WavLM(tiny_config()).eval()
    waveforms = torch.randn(1, 2000)
    normalized = torch.nn.functional.layer_norm(waveforms, (2000,))
    weight = wavlm.feature_extractor.conv_layers[0].conv.weight
    (scaled,) = torch.autograd.grad(wavlm(waveforms)[0].square().sum(), weight)
    *_, output = wavlm.encoder.hidden_states(wavlm.feature_extractor(normalized))
    output = wavlm.encoder.transformer.layer_norm(output)
    (full,) = torch.autograd.grad(output.square().sum(), weight)
    torch.testing.assert_close(scaled, 0.1 * full, rtol=1e-3, atol=1e-6)


@pytest.mark.parametrize("layer_norm", [True, False])
@pytest.mark.parametrize("dtype", [torch.float16, torch.bfloat16])
@torch.inference_mode()
def test_half_precision_is_close_to_single(tiny_config, layer_norm, dtype):
    wavlm = WavLM(tiny_config(layer_norm)).eval()
    waveforms = 1e-3 * torch.randn(2, 2000)
    expected = wavlm(waveforms)[0]
    with torch.autocast("cpu", dtype):
        mixed = wavlm(waveforms)[0]
    half = wavlm.to(dtype)(waveforms)[0]
    assert half.dtype == dtype
    for actual in (mixed, half):
        torch.testing.assert_close(actual.float(), expected, atol=0.05, rtol=0.05)


@pytest.mark.parametrize(("channels", "groups"), [(32, 8), (192, 16), (64, 4)])
@torch.inference_mode()
def test_positions_in_bfloat16(channels, groups):
    positions = WeightNormConv1d(channels, kernel_size=128, groups=groups)
    x = torch.randn(2, channels, 49)
    expected = positions(x)
    with torch.autocast("cpu", torch.bfloat16):
        mixed = positions(x)
    half = positions.to(torch.bfloat16)(x.bfloat16())
    assert half.dtype == torch.bfloat16
    scale = expected.abs().max()
    for actual in (mixed, half):
        torch.testing.assert_close(
            actual.float() / scale, expected / scale, atol=0.01, rtol=0.01
        )


@pytest.mark.parametrize("layer_norm", [True, False])
@torch.inference_mode()
def test_representations_stay_in_single_precision_under_autocast(
    tiny_config, layer_norm
):
    wavlm = WavLM(tiny_config(layer_norm))
    with torch.autocast("cpu", torch.bfloat16):
        representations, _ = wavlm.extract_features(torch.randn(1, 2000))
    assert [r.dtype for r in representations] == [torch.float32] * 3


def test_training_in_mixed_precision_gives_finite_gradients(tiny_config):
    wavlm = WavLM(tiny_config())
    with torch.autocast("cpu", torch.bfloat16):
        wavlm(torch.randn(2, 2000))[0].float().square().mean().backward()
    for name, parameter in wavlm.named_parameters():
        if parameter.requires_grad:
            assert parameter.grad.isfinite().all(), name


@pytest.mark.parametrize("layer_norm", [True, False])
@pytest.mark.parametrize(
    "changes",
    [
        {},
        {"encoder_use_attention": [True, False]},
        {"encoder_use_attention": [False, True]},
        {"encoder_use_feed_forward": [True, False]},
        {"encoder_remaining_heads": [[0, 1, 2, 3], [2]]},
    ],
    ids=str,
)
def test_all_weights_that_may_learn_get_a_gradient(tiny_config, layer_norm, changes):
    wavlm = WavLM(tiny_config(layer_norm, **changes))
    wavlm(torch.randn(1, 800))[0].square().mean().backward()
    for name, parameter in wavlm.named_parameters():
        assert (parameter.grad is not None) == parameter.requires_grad, name


@torch.inference_mode()
def test_silence_and_single_frame_give_finite_values(tiny_config):
    wavlm = WavLM(tiny_config()).eval()
    num_samples = wavlm.feature_extractor.receptive_field_size()
    output, _ = wavlm(torch.zeros(1, num_samples))
    assert output.shape == (1, 1, 32)
    assert output.isfinite().all()


def test_model_used_for_inference_can_be_trained_next(tiny_config):
    wavlm = WavLM(tiny_config())
    waveforms = torch.randn(1, 2000)
    with torch.inference_mode():
        wavlm(waveforms)
    wavlm(waveforms)[0].sum().backward()
    gradients = [weight.grad for weight in wavlm.encoder.parameters()]
    assert any(gradient is not None and gradient.any() for gradient in gradients)


def test_copies_and_pickles(tiny_config):
    wavlm = WavLM(tiny_config()).eval()
    waveforms = torch.randn(1, 2000)
    for twin in (copy.deepcopy(wavlm), pickle.loads(pickle.dumps(wavlm))):
        assert torch.equal(twin(waveforms)[0], wavlm(waveforms)[0])


@pytest.mark.parametrize("shape", [(141,), (1, 1, 2000), (1, 84)])
def test_waveforms_of_another_shape_are_an_error(tiny_config, shape):
    with pytest.raises(ValueError, match=r"\(batch, samples\) with at least"):
        WavLM(tiny_config()).extract_features(torch.zeros(shape))


@pytest.mark.parametrize("num_layers", [0, 4])
def test_impossible_number_of_layers_is_an_error(tiny_config, num_layers):
    wavlm = WavLM(tiny_config())
    with pytest.raises(ValueError, match="between 1 and 3"):
        wavlm.extract_features(torch.zeros(1, 2000), num_layers=num_layers)
