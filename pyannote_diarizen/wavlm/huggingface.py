# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Conversion from and to `WavLMModel` of Hugging Face transformers.

`extract_features` returns the `hidden_states` of `WavLMModel`, bit for bit. Neither
direction needs transformers. A pruned WavLM cannot be converted.
"""

import json
from collections.abc import Mapping
from pathlib import Path
from typing import Any

import torch
from torch import Tensor

from pyannote_diarizen.atomic import replacing, write_file
from pyannote_diarizen.wavlm.config import WavLMConfig
from pyannote_diarizen.weights import save_safetensors

CONFIG = "config.json"
WEIGHTS = ("model.safetensors", "pytorch_model.bin")
"""Names of the file of weights, by preference."""

FIELDS = {
    "extractor_conv_bias": "conv_bias",
    "encoder_embed_dim": "hidden_size",
    "encoder_projection_dropout": "feat_proj_dropout",
    "encoder_pos_conv_kernel": "num_conv_pos_embeddings",
    "encoder_pos_conv_groups": "num_conv_pos_embedding_groups",
    "encoder_num_layers": "num_hidden_layers",
    "encoder_num_buckets": "num_buckets",
    "encoder_max_distance": "max_bucket_distance",
    "encoder_attention_dropout": "attention_dropout",
    "encoder_ff_interm_dropout": "activation_dropout",
    "encoder_dropout": "hidden_dropout",
    "encoder_layer_norm_first": "do_stable_layer_norm",
    "encoder_layer_drop": "layerdrop",
}
"""Our fields, and the names of the same fields in `config.json`."""

FIXED = {
    "model_type": "wavlm",
    "feat_extract_activation": "gelu",
    "hidden_act": "gelu",
    "layer_norm_eps": 1e-5,
}
"""Fields of which only one value is supported."""

MASK = "masked_spec_embed"
"""Weight that replaces masked frames in pre-training, not used here."""


def from_huggingface(
    state: Mapping[str, Tensor], config: Mapping[str, Any]
) -> tuple[WavLMConfig, dict[str, Tensor]]:
    """Convert a `WavLMModel`, or a model of a task that contains one.

    Parameters
    ----------
    state : mapping of str to Tensor
        Weights.
    config : mapping
        Content of `config.json`.

    Returns
    -------
    config : WavLMConfig
    state_dict : dict of str to Tensor

    Raises
    ------
    ValueError
        If the model is not a WavLM, or has unsupported options.
    """
    for key, expected in FIXED.items():
        if config.get(key, expected) != expected:
            raise ValueError(f"`{key}` should be {expected!r}, got {config[key]!r}.")
    if any(key.startswith("wavlm.") for key in state):
        # other weights are the head of the task
        state = {
            key.removeprefix("wavlm."): weight
            for key, weight in state.items()
            if key.startswith("wavlm.")
        }
    layer_norm = config["feat_extract_norm"] == "layer"
    convs = zip(
        config["conv_dim"], config["conv_kernel"], config["conv_stride"], strict=True
    )
    converted = WavLMConfig.dense(
        embed_dim=config["hidden_size"],
        num_layers=config["num_hidden_layers"],
        num_heads=config["num_attention_heads"],
        feed_forward_dim=config["intermediate_size"],
        layer_norm=layer_norm,
        extractor_conv_layer_config=tuple(convs),
        # our addition: in transformers, the feature extractor normalises waveforms
        normalize_waveform=config.get("normalize_waveform", layer_norm),
        **{ours: config[theirs] for ours, theirs in FIELDS.items()},
    )
    weights = {_our_name(key): weight for key, weight in state.items() if key != MASK}
    num_channels, *_ = converted.extractor_conv_layer_config[-1]
    weights["feature_extractor.dummy_weight"] = torch.ones(num_channels)
    return converted, weights


def _our_name(key: str) -> str:
    if key.startswith("encoder."):
        return "encoder.transformer." + key.removeprefix("encoder.")
    if key.startswith("feature_projection."):
        return "encoder." + key
    return key


def _their_name(key: str) -> str:
    if key.startswith("encoder.transformer."):
        return "encoder." + key.removeprefix("encoder.transformer.")
    return key.removeprefix("encoder.")


def to_huggingface(config: WavLMConfig) -> dict[str, Any]:
    """Convert a configuration to the fields of transformers.

    Parameters
    ----------
    config : WavLMConfig
        Configuration of a WavLM that is not pruned.

    Returns
    -------
    config : dict
        Content of `config.json`.

    Raises
    ------
    ValueError
        If transformers cannot hold this WavLM.
    """
    if config.aux_num_out is not None:
        raise ValueError(
            "`WavLMModel` has no linear head: `aux_num_out` should be None."
        )
    if config.has_gates:
        raise ValueError("`WavLMModel` has no gates: call `prune` first.")
    widths = set(config.encoder_ff_interm_features)
    every_head = tuple(range(config.num_heads))
    whole = all(config.encoder_use_attention) and all(config.encoder_use_feed_forward)
    if (
        not whole
        or len(widths) > 1
        or {*config.encoder_remaining_heads} != {every_head}
        or any(config.extractor_removed_channels)
    ):
        raise ValueError(
            "All layers of a `WavLMModel` have the same size, but this WavLM is "
            "pruned. Use `WavLM.save` instead."
        )
    channels, kernels, strides = zip(*config.extractor_conv_layer_config, strict=True)
    return {
        **FIXED,
        "architectures": ["WavLMModel"],
        "feat_extract_norm": config.extractor_mode.removesuffix("_norm"),
        "conv_dim": channels,
        "conv_kernel": kernels,
        "conv_stride": strides,
        "num_feat_extract_layers": len(channels),
        "num_attention_heads": config.num_heads,
        "intermediate_size": widths.pop(),
        "normalize_waveform": config.normalize_waveform,
        # no masking in training: the weight that replaces masked frames is missing
        "apply_spec_augment": False,
        "mask_time_prob": 0.0,
        "mask_feature_prob": 0.0,
        **{theirs: getattr(config, ours) for ours, theirs in FIELDS.items()},
    }


def save_huggingface(
    folder: Path, config: WavLMConfig, state_dict: Mapping[str, Tensor]
) -> None:
    """Write the files that `WavLMModel.from_pretrained` loads.

    Parameters
    ----------
    folder : Path
        Folder to write to, created if needed. Files of the same names are replaced.
    config : WavLMConfig
    state_dict : mapping of str to Tensor
        Weights, under our names.

    Raises
    ------
    ValueError
        If transformers cannot hold this WavLM.
    """
    weights = dict(state_dict)
    described = to_huggingface(config)
    if not (weights.pop("feature_extractor.dummy_weight") == 1).all():
        raise ValueError(
            "`dummy_weight` should be all ones: `WavLMModel` has no scales after its "
            "convolutions."
        )
    weights = {_their_name(key): weight for key, weight in weights.items()}
    preparation = {
        "feature_extractor_type": "Wav2Vec2FeatureExtractor",
        "sampling_rate": 16000,
        "feature_size": 1,
        "padding_value": 0.0,
        "do_normalize": config.normalize_waveform,
        "return_attention_mask": config.extractor_mode == "layer_norm",
    }
    with replacing(folder / WEIGHTS[0]) as temporary:
        save_safetensors(weights, temporary, metadata={"format": "pt"})
    for name, content in (
        ("preprocessor_config.json", preparation),
        (CONFIG, described),
    ):
        write_file(json.dumps(content, indent=2), folder / name)
