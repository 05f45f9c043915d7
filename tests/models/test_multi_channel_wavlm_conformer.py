# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import json
from typing import Any

import pytest
import torch
from pyannote.audio.core.task import Problem, Resolution, Specifications
from safetensors.torch import load_file
from tiny_wavlm import WAVLM
from torch.testing import assert_close

from pyannote_diarizen.models import MultiChannelWavLMConformer
from pyannote_diarizen.models.multi_channel_wavlm_conformer import (
    CrossChannelAttention,
)

TOLERANCE = {"atol": 5e-5, "rtol": 1e-5}
TINY = {"attention_in": 16, "ffn_hidden": 24, "num_layer": 1, "kernel_size": 7}
FUSION = {
    "channel_fusion_dim": 24,
    "channel_fusion_layers": 2,
    "channel_fusion_heads": 4,
}
SPECIFICATIONS = Specifications(
    problem=Problem.MONO_LABEL_CLASSIFICATION,
    resolution=Resolution.FRAME,
    duration=2.0,
    classes=[f"speaker#{speaker}" for speaker in range(4)],
    powerset_max_classes=2,
    permutation_invariant=True,
)


def make_model(**options: Any) -> MultiChannelWavLMConformer:
    torch.manual_seed(1)
    options = {"wavlm": WAVLM} | TINY | FUSION | options
    model = MultiChannelWavLMConformer(**options)
    model.specifications = SPECIFICATIONS
    model.setup()
    for fusion in model.channel_fusions:
        fusion.ln_norm.weight.data.fill_(
            1.0
        )  # as far from the identity as once trained
    return model.eval()


@pytest.fixture
def waveforms() -> torch.Tensor:
    torch.manual_seed(2)
    return 0.1 * torch.randn(3, 4, 4000)


@pytest.mark.parity
@pytest.mark.parametrize("num_channels", [1, 3])
@torch.inference_mode()
def test_scores_are_those_of_the_original(parity, num_channels):
    stem = parity / "eend" / "wavlm_conformer_mc"
    stored = json.loads(stem.with_suffix(".config.json").read_text())
    io = load_file(stem.with_suffix(".io.safetensors"))
    args = stored["model_args"]
    options = {name: args[name] for name in (*TINY, *FUSION, "num_channels")}
    model = make_model(wavlm=stored["wavlm_config"], **options)
    model.load_state_dict(load_file(stem.with_suffix(".state.safetensors")))

    states, attention = [], []
    for fusion in model.channel_fusions:
        fusion.register_forward_hook(lambda _, __, output: attention.append(output[1]))
    weighted_sum = model.weighted_sum
    model.weighted_sum = lambda given: weighted_sum(
        states.append(state) or state for state in given
    )
    prefix = f"c{num_channels}."
    scores = model(io[prefix + "waveform"])
    assert_close(torch.stack(states), io[prefix + "reps"], **TOLERANCE)
    assert_close(torch.stack(attention, 1), io[prefix + "attention"], **TOLERANCE)
    assert_close(scores, io[prefix + "log_probs"], **TOLERANCE)


@torch.inference_mode()
def test_channels_may_be_in_any_order(waveforms):
    model = make_model()
    order = [2, 0, 3, 1]
    scores = model(waveforms)
    weights = model.channel_weights
    assert_close(model(waveforms[:, order]), scores, **TOLERANCE)
    assert_close(model.channel_weights, weights[:, order], **TOLERANCE)


@torch.inference_mode()
def test_a_repeated_channel_changes_nothing(waveforms):
    model = make_model()
    once, twice = waveforms[:, :1], waveforms[:, [0, 0]]
    assert_close(model(twice), model(once), **TOLERANCE)


@torch.inference_mode()
def test_every_channel_counts(waveforms):
    model = make_model()
    changed = waveforms.clone()
    changed[:, 3] = torch.randn(3, 4000)
    assert not torch.allclose(model(changed), model(waveforms), atol=1e-3)


@torch.inference_mode()
def test_weights_of_channels_sum_to_one(waveforms):
    model = make_model()
    assert model.channel_weights is None
    model(waveforms)
    assert model.channel_weights.shape == (3, 4)
    assert_close(model.channel_weights.sum(1), torch.ones(3))


def test_training_uses_any_number_of_channels_from_the_first(waveforms):
    model = make_model().train()
    used = set()
    for _ in range(40):
        model(waveforms)
        used.add(model.channel_weights.shape[1])
    assert used == {1, 2, 3, 4}
    # what is left out has no influence
    waveforms[:, 1:] = torch.nan
    finite = [model(waveforms).isfinite().all().item() for _ in range(20)]
    assert 0 < sum(finite) < 20


@pytest.mark.parametrize("layers", [1, 3])
def test_channels_are_fused_once_or_after_each_layer(waveforms, layers):
    model = make_model(channel_fusion_layers=layers)
    scores = model(waveforms)
    assert scores.isfinite().all()
    scores[..., 0].mean().backward()
    for name, parameter in model.named_parameters():
        assert (parameter.grad is not None) == parameter.requires_grad, name


def test_the_number_of_channels_is_that_of_its_chunks():
    model = make_model(num_channels=5)
    assert model.hparams.num_channels == 5
    assert model.example_input_array.shape[1] == 5


@torch.inference_mode()
def test_weights_of_wavlm_are_those_to_start_from(tmp_path):
    wavlm = make_model().wavlm_model
    wavlm.save(tmp_path / "wavlm.pt")
    model = make_model(wavlm=tmp_path / "wavlm.pt")
    assert model.hparams.wavlm == WAVLM
    for key, weight in wavlm.state_dict().items():
        assert torch.equal(model.wavlm_model.state_dict()[key], weight), key


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"channel_fusion_layers": 0}, "between 1 and .*, 3, got 0"),
        ({"channel_fusion_layers": 4}, "between 1 and .*, 3, got 4"),
        ({"channel_fusion_heads": 5}, "_heads`, got 24 and 5"),
        ({"channel_fusion_heads": 0}, "multiple of `channel_fusion_heads`"),
        ({"num_channels": 0}, "`num_channels` should be positive"),
    ],
    ids=str,
)
def test_impossible_options_are_an_error(options, message):
    with pytest.raises(ValueError, match=message):
        make_model(**options)


def test_unknown_options_are_an_error():
    with pytest.raises(TypeError, match="channel_fusion_size"):
        make_model(channel_fusion_size=3)


@torch.inference_mode()
def test_attention_follows_its_definition():
    torch.manual_seed(4)
    attention = CrossChannelAttention(embed_dim=6, hidden_dim=8, num_heads=2).eval()
    x = torch.randn(1, 3, 5, 6)
    y, weights = attention(x)
    for frame in range(5):
        channels = x[0, :, frame]  # (channel, embed_dim)
        query, key, value = (
            layer(channels).unflatten(1, (2, 4))
            for layer in (attention.linearQ, attention.linearK, attention.linearV)
        )
        logits = torch.einsum("qhd,khd->hqk", query, key) / 2
        looked = logits.softmax(-1)
        joined = torch.einsum("hqk,khd->qhd", looked, value).flatten(1)
        expected = channels + attention.ln_norm(attention.linearO(joined))
        assert_close(y[0, :, frame], expected)
        assert_close(weights[0, frame], looked.mean(0))
