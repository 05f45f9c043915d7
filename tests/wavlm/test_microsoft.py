# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import re

import pytest
import torch

from pyannote_diarizen.errors import CheckpointMismatchError
from pyannote_diarizen.wavlm import WavLM
from pyannote_diarizen.wavlm.microsoft import conv_layers

LAYER = {
    "self_attn.grep_a": "attention.gru_rel_pos_const",
    "self_attn.grep_linear": "attention.gru_rel_pos_linear",
    "self_attn.q_proj": "attention.q_proj",
    "self_attn.k_proj": "attention.k_proj",
    "self_attn.v_proj": "attention.v_proj",
    "self_attn.out_proj": "attention.out_proj",
    "self_attn.relative_attention_bias": "attention.rel_attn_embed",
    "self_attn_layer_norm": "layer_norm",
    "fc1": "feed_forward.intermediate_dense",
    "fc2": "feed_forward.output_dense",
    "final_layer_norm": "final_layer_norm",
}
"""Names in a layer of Microsoft's WavLM, and ours."""


def published(wavlm: WavLM) -> dict:
    """Say `wavlm` as Microsoft does."""
    config, ours = wavlm.config, wavlm.state_dict()
    layer_norm = config.extractor_mode == "layer_norm"
    names = {
        "post_extract_proj": "encoder.feature_projection.projection",
        "layer_norm": "encoder.feature_projection.layer_norm",
        "encoder.layer_norm": "encoder.transformer.layer_norm",
        "encoder.pos_conv.0": "encoder.transformer.pos_conv_embed.conv",
    }
    for layer in range(len(config.extractor_conv_layer_config)):
        conv = f"feature_extractor.conv_layers.{layer}"
        names[f"{conv}.0"] = f"{conv}.conv"
        names[f"{conv}.2.1" if layer_norm else f"{conv}.2"] = f"{conv}.layer_norm"
    for layer in range(config.encoder_num_layers):
        for theirs, mine in LAYER.items():
            names[f"encoder.layers.{layer}.{theirs}"] = (
                f"encoder.transformer.layers.{layer}.{mine}"
            )
    kinds = {
        "weight_g": "parametrizations.weight.original0",
        "weight_v": "parametrizations.weight.original1",
    }
    model = {"mask_emb": torch.zeros(config.encoder_embed_dim)}
    for theirs, mine in names.items():
        for key, weight in ours.items():
            if key == mine:
                model[theirs] = weight
            for kind in ("weight", "bias", "weight_g", "weight_v"):
                if key == f"{mine}.{kinds.get(kind, kind)}":
                    model[f"{theirs}.{kind}"] = weight
    convs = [str(conv).replace(" ", "") for conv in config.extractor_conv_layer_config]
    cfg = {
        "extractor_mode": "layer_norm" if layer_norm else "default",
        "encoder_layers": config.encoder_num_layers,
        "encoder_embed_dim": config.encoder_embed_dim,
        "encoder_ffn_embed_dim": config.encoder_ff_interm_features[0],
        "encoder_attention_heads": config.num_heads,
        "activation_fn": "gelu",
        "dropout": 0.11,
        "attention_dropout": 0.12,
        "activation_dropout": 0.13,
        "encoder_layerdrop": 0.05,
        "dropout_input": 0.14,
        "dropout_features": 0.1,
        "layer_norm_first": config.encoder_layer_norm_first,
        "feature_grad_mult": 0.1,
        "normalize": config.normalize_waveform,
        "conv_bias": False,
        "conv_feature_layers": f"[{convs[0]}] + [{convs[1]}] * 4 + [{convs[5]}] * 2",
        "conv_pos": config.encoder_pos_conv_kernel,
        "conv_pos_groups": config.encoder_pos_conv_groups,
        "relative_position_embedding": True,
        "num_buckets": config.encoder_num_buckets,
        "max_distance": config.encoder_max_distance,
        "gru_rel_pos": True,
    }
    return {"cfg": cfg, "model": model}


@pytest.fixture(params=[False, True], ids=["base", "large"])
def wavlm(request, tiny_config) -> WavLM:
    convs = [(8, 10, 5), *[(8, 3, 2)] * 4, *[(12, 2, 2)] * 2]
    return WavLM(tiny_config(request.param, extractor_conv_layer_config=convs)).eval()


@torch.inference_mode()
def test_a_published_file_gives_the_same_model(wavlm, tmp_path):
    content = published(wavlm)
    assert len(content["model"]) == len(wavlm.state_dict())  # a mask, but no scale
    torch.save(content, tmp_path / "WavLM-Base+.pt")
    loaded = WavLM.from_pretrained(tmp_path / "WavLM-Base+.pt").eval()
    waveforms = torch.randn(2, 4000)
    assert torch.equal(loaded(waveforms)[0], wavlm(waveforms)[0])
    expected = wavlm.config.to_dict() | {
        "encoder_dropout": 0.11,
        "encoder_attention_dropout": 0.12,
        "encoder_ff_interm_dropout": 0.13,
        "encoder_projection_dropout": 0.14,
        "encoder_layer_drop": 0.05,
    }
    assert loaded.config.to_dict() == expected


@pytest.mark.parametrize(
    ("expression", "expected"),
    [
        ("[(512,10,5)]", [(512, 10, 5)]),
        ("[(4, 3, 2), (5, 3, 2)]*2", [(4, 3, 2), (5, 3, 2)] * 2),
        ("[(512,10,5)] + [(8,2,2),]", [(512, 10, 5), (8, 2, 2)]),
    ],
)
def test_convolutions_are_those_of_the_expression(expression, expected):
    assert conv_layers(expression) == expected


@pytest.mark.parametrize("expression", ["", "[(1,2)]", "__import__('os')", "[] * 2"])
def test_another_expression_is_an_error(expression):
    with pytest.raises(ValueError, match="should be a sum of lists"):
        conv_layers(expression)


@pytest.mark.parametrize("key", ["encoder.layers.1.fc1.bias", "post_extract_proj.bias"])
def test_a_missing_weight_is_named(wavlm, tmp_path, key):
    content = published(wavlm)
    del content["model"][key]
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(CheckpointMismatchError, match=r"a\.pt'.*\n.*Missing.*bias\""):
        WavLM.from_pretrained(tmp_path / "a.pt")


def test_a_missing_field_is_named(wavlm, tmp_path):
    content = published(wavlm)
    del content["cfg"]["conv_pos"]
    torch.save(content, tmp_path / "a.pt")
    with pytest.raises(CheckpointMismatchError, match=r"a\.pt' lacks 'conv_pos'"):
        WavLM.from_pretrained(tmp_path / "a.pt")


def test_another_activation_is_an_error(wavlm, tmp_path):
    content = published(wavlm)
    content["cfg"]["activation_fn"] = "relu"
    torch.save(content, tmp_path / "a.pt")
    message = re.escape("a.pt' is no WavLM that we know: `activation_fn` should be")
    with pytest.raises(ValueError, match=message):
        WavLM.from_pretrained(tmp_path / "a.pt")
