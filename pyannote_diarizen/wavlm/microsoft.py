# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Conversion of `WavLM-Base.pt`, `WavLM-Base+.pt` and `WavLM-Large.pt` of Microsoft.

These files hold `cfg`, with fields of fairseq, and `model`, the weights.
"""

import re
from collections.abc import Mapping
from typing import Any

import torch
from torch import Tensor

from pyannote_diarizen.wavlm.config import WavLMConfig

FIELDS = {
    "extractor_conv_bias": "conv_bias",
    "encoder_projection_dropout": "dropout_input",
    "encoder_pos_conv_kernel": "conv_pos",
    "encoder_pos_conv_groups": "conv_pos_groups",
    "encoder_num_buckets": "num_buckets",
    "encoder_max_distance": "max_distance",
    "encoder_attention_dropout": "attention_dropout",
    "encoder_ff_interm_dropout": "activation_dropout",
    "encoder_dropout": "dropout",
    "encoder_layer_norm_first": "layer_norm_first",
    "encoder_layer_drop": "encoder_layerdrop",
    "normalize_waveform": "normalize",
}
"""Our fields, and the names of the same fields in `cfg`."""

NAMES = (
    (r"^encoder\.", r"encoder.transformer."),
    (r"^layer_norm\.", r"encoder.feature_projection.layer_norm."),
    (r"^post_extract_proj\.", r"encoder.feature_projection.projection."),
    # each layer is a sequence: convolution, dropout, norm; a layer norm stands between
    # two transpositions, hence one more index
    (r"(conv_layers\.\d+)\.0\.", r"\1.conv."),
    (r"(conv_layers\.\d+)\.2\.(1\.)?", r"\1.layer_norm."),
    (r"\.pos_conv\.0\.", r".pos_conv_embed.conv."),
    (r"\.self_attn_layer_norm\.", r".layer_norm."),
    (r"\.self_attn\.", r".attention."),
    (r"\.grep_linear\.", r".gru_rel_pos_linear."),
    (r"\.grep_a$", r".gru_rel_pos_const"),
    (r"\.relative_attention_bias\.", r".rel_attn_embed."),
    (r"\.fc1\.", r".feed_forward.intermediate_dense."),
    (r"\.fc2\.", r".feed_forward.output_dense."),
)
"""Patterns in names of weights, and their replacement."""

MASK = "mask_emb"
"""Weight that replaces masked frames in pre-training, not used here."""


def from_microsoft(
    content: Mapping[str, Any],
) -> tuple[WavLMConfig, dict[str, Tensor]]:
    """Convert the content of a file of Microsoft.

    Parameters
    ----------
    content : mapping
        Content of the file, with "cfg" and "model".

    Returns
    -------
    config : WavLMConfig
    state_dict : dict of str to Tensor

    Raises
    ------
    ValueError
        If the model has unsupported options.
    """
    cfg, state = content["cfg"], content["model"]
    if cfg["activation_fn"] != "gelu":
        raise ValueError(
            f"`activation_fn` should be 'gelu', got {cfg['activation_fn']!r}."
        )
    convs = conv_layers(cfg["conv_feature_layers"])
    config = WavLMConfig.dense(
        embed_dim=cfg["encoder_embed_dim"],
        num_layers=cfg["encoder_layers"],
        num_heads=cfg["encoder_attention_heads"],
        feed_forward_dim=cfg["encoder_ffn_embed_dim"],
        layer_norm=cfg["extractor_mode"] == "layer_norm",
        extractor_conv_layer_config=convs,
        **{ours: cfg[theirs] for ours, theirs in FIELDS.items()},
    )
    weights = {_our_name(key): weight for key, weight in state.items() if key != MASK}
    weights["feature_extractor.dummy_weight"] = torch.ones(convs[-1][0])
    return config, weights


def _our_name(key: str) -> str:
    for pattern, replacement in NAMES:
        key = re.sub(pattern, replacement, key)
    return key


def conv_layers(expression: str) -> list[tuple[int, int, int]]:
    """Parse channels, kernel and stride of convolutions, written as Python expression.

    Parameters
    ----------
    expression : str
        Sum of lists of triples, each list optionally multiplied by a number.

    Returns
    -------
    layers : list of (int, int, int)

    Raises
    ------
    ValueError
        If `expression` has another form.

    Examples
    --------
    >>> conv_layers("[(512,10,5)] + [(512,3,2)] * 2")
    [(512, 10, 5), (512, 3, 2), (512, 3, 2)]
    """
    layers: list[tuple[int, int, int]] = []
    for term in expression.replace(" ", "").split("+"):
        parts = re.fullmatch(r"\[((?:\(\d+,\d+,\d+\),?)+)\](?:\*(\d+))?", term)
        if parts is None:
            raise ValueError(
                "`conv_feature_layers` should be a sum of lists of (channels, kernel, "
                f"stride), got {expression!r}."
            )
        triples, times = parts.groups(default="1")
        numbers = iter(map(int, re.findall(r"\d+", triples)))
        layers += list(zip(numbers, numbers, numbers, strict=True)) * int(times)
    return layers
