# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Small WavLMs in the layouts of Microsoft and torchaudio, with random weights."""

import torch
from torchaudio.models import wavlm_model
from torchaudio.pipelines._wav2vec2.utils import _extend_model

from pyannote_diarizen.wavlm import WavLM

CONVS = [(8, 10, 5), *[(8, 3, 2)] * 4, *[(12, 2, 2)] * 2]

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
"""Names of weights in a layer of Microsoft's WavLM, and our names."""


def microsoft_file(wavlm: WavLM) -> dict:
    """Convert `wavlm` to the layout of Microsoft."""
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


def torchaudio_model(layer_norm: bool, **changes) -> torch.nn.Module:
    """Build a small model with the options of a bundle of torchaudio."""
    options = {
        "extractor_mode": "layer_norm" if layer_norm else "group_norm",
        "extractor_conv_layer_config": CONVS,
        "extractor_conv_bias": False,
        "encoder_embed_dim": 32,
        "encoder_projection_dropout": 0.1,
        "encoder_pos_conv_kernel": 16,
        "encoder_pos_conv_groups": 4,
        "encoder_num_layers": 2,
        "encoder_num_heads": 4,
        "encoder_num_buckets": 32,
        "encoder_max_distance": 800,
        "encoder_attention_dropout": 0.1,
        "encoder_ff_interm_features": 48,
        "encoder_ff_interm_dropout": 0.0,
        "encoder_dropout": 0.1,
        "encoder_layer_norm_first": layer_norm,
        "encoder_layer_drop": 0.05,
        "aux_num_out": None,
    }
    model = wavlm_model(**(options | changes)).eval()
    return _extend_model(model, normalize_waveform=True) if layer_norm else model
