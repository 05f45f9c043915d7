# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Checkpoints of WavLM in four layouts, recognised by their content.

- DiariZen, and this package: `config` and `state_dict`, dense or pruned;
- Microsoft: `cfg` and `model`, see `microsoft`;
- torchaudio: weights only, under our names but for attention, which packs queries,
  keys and values. Large models add a prefix;
- Hugging Face transformers: a folder, or its name on the hub, see `huggingface`.
"""

import json
from collections.abc import Mapping
from itertools import count, takewhile
from pathlib import Path
from typing import Any

import torch
from torch import Tensor, nn

from pyannote_diarizen.atomic import expand_home
from pyannote_diarizen.errors import CheckpointMismatchError
from pyannote_diarizen.repository import Repository
from pyannote_diarizen.wavlm.config import CONV_LAYERS, WavLMConfig
from pyannote_diarizen.wavlm.huggingface import CONFIG, WEIGHTS, from_huggingface
from pyannote_diarizen.wavlm.microsoft import from_microsoft
from pyannote_diarizen.weights import read_weights

Converted = tuple[WavLMConfig, dict[str, Tensor]]
FILE_SUFFIXES = (".pt", ".pth", ".bin", ".ckpt", ".safetensors")
TORCHAUDIO_ATTENTION = ".attention.attention."


def read_checkpoint(
    checkpoint: Path | str | nn.Module, weights_only: bool = True, **hub: Any
) -> Converted:
    """Read a WavLM in any known layout.

    Parameters
    ----------
    checkpoint : Path, str or nn.Module
        File, folder, name on the Hugging Face hub, or a model of transformers or
        torchaudio.
    weights_only : bool, optional
        Refuse files that hold more than weights. Defaults to True.
    **hub
        `revision`, `token` and `cache_dir` of `Repository`.

    Returns
    -------
    config : WavLMConfig
    state_dict : dict of str to Tensor
        Weights, under our names. `load_weights` checks that none is missing.

    Raises
    ------
    OSError
        If there is no such checkpoint, or the download fails.
    ValueError
        If the checkpoint is damaged, or not a WavLM.
    CheckpointMismatchError
        If weights that define the structure are missing.
    """
    if isinstance(checkpoint, nn.Module):
        described = getattr(checkpoint, "config", None)
        config = None if described is None else described.to_dict()
        return _convert(checkpoint.state_dict(), config, type(checkpoint).__name__)
    path = expand_home(checkpoint)
    if path.is_file():
        return _convert(read_weights(path, weights_only), None, path)
    if path.suffix in FILE_SUFFIXES:
        raise FileNotFoundError(f"'{checkpoint}' does not exist: check its path.")
    repository = Repository(checkpoint, **hub)
    config = _read_json(repository.file(CONFIG))
    path = repository.file(*WEIGHTS)
    return _convert(read_weights(path, weights_only), config, path)


def _read_json(path: Path) -> Any:
    try:
        return json.loads(path.read_text(encoding="utf-8"))
    except ValueError as error:
        raise ValueError(f"'{path}' is not JSON: {error}") from error


def _convert(content: Any, config: Any, source: Path | str) -> Converted:
    keys = set(content) if isinstance(content, Mapping) else set()
    try:
        if keys and config is not None:
            return from_huggingface(content, config)
        if {"config", "state_dict"} <= keys:
            return WavLMConfig.from_dict(content["config"]), content["state_dict"]
        if {"cfg", "model"} <= keys:
            return from_microsoft(content)
        if any(TORCHAUDIO_ATTENTION in str(key) for key in keys):
            return from_torchaudio(content)
    except KeyError as error:
        raise CheckpointMismatchError(
            f"'{source}' lacks {error}. Is the file complete, and a WavLM?"
        ) from error
    # values of a damaged or unrelated file may be of any type
    except (ValueError, TypeError, AttributeError) as error:
        raise ValueError(f"'{source}' is not a known WavLM: {error}") from error
    held = ", ".join(sorted(map(str, keys))[:5]) or "no dictionary"
    raise ValueError(
        f"'{source}' is not a known WavLM. It should hold `config` and `state_dict` "
        "(DiariZen), `cfg` and `model` (Microsoft) or the weights of a WavLM of "
        f"torchaudio, got {held}. For weights of Hugging Face, give the folder that "
        f"also holds their {CONFIG}."
    )


def from_torchaudio(state: Mapping[str, Tensor]) -> Converted:
    """Convert weights of torchaudio, inferring the structure from their shapes.

    Parameters
    ----------
    state : mapping of str to Tensor
        Weights of `torchaudio.pipelines.WAVLM_BASE.get_model()`, or of the file that it
        downloads.

    Returns
    -------
    config : WavLMConfig
    state_dict : dict of str to Tensor

    Raises
    ------
    ValueError
        If the kernels of its convolutions are not the ones of WavLM: shapes of weights
        do not determine strides.
    KeyError
        If a weight that defines the structure is missing.
    """
    weights: dict[str, Tensor] = {}
    for key, weight in state.items():
        # the prefix of large models, a wrapper that normalises waveforms
        weights |= _unpacked(key.removeprefix("model."), weight)
    config = _structure(weights)
    num_channels, *_ = config.extractor_conv_layer_config[-1]
    weights["feature_extractor.dummy_weight"] = torch.ones(num_channels)
    return config, weights


def _unpacked(key: str, weight: Tensor) -> dict[str, Tensor]:
    key = key.replace(TORCHAUDIO_ATTENTION, ".attention.")
    prefix, packed, kind = key.rpartition("in_proj_")
    if not packed:
        return {key: weight}
    parts = zip("qkv", weight.chunk(3), strict=True)
    return {f"{prefix}{name}_proj.{kind}": part for name, part in parts}


def _structure(weights: Mapping[str, Tensor]) -> WavLMConfig:
    """Infer the structure of a dense WavLM from shapes."""
    conv = "feature_extractor.conv_layers.{}.conv.weight"
    names = takewhile(weights.__contains__, map(conv.format, count()))
    shapes = [weights[name].shape for name in names]
    if [shape[2] for shape in shapes] != [kernel for _, kernel, _ in CONV_LAYERS]:
        raise ValueError(
            "kernels of its convolutions should be "
            f"{[kernel for _, kernel, _ in CONV_LAYERS]}, "
            f"got {[shape[2] for shape in shapes]}."
        )
    strides = [stride for _, _, stride in CONV_LAYERS]
    convs = [
        (channels, kernel, stride)
        for (channels, _, kernel), stride in zip(shapes, strides, strict=True)
    ]
    layers = "encoder.transformer.layers."
    num_layers = 1 + max(
        int(key.removeprefix(layers).partition(".")[0])
        for key in weights
        if key.startswith(layers)
    )
    positions = "encoder.transformer.pos_conv_embed.conv."
    direction = weights.get(f"{positions}weight_v")
    if direction is None:
        direction = weights[f"{positions}parametrizations.weight.original1"]
    embed_dim, group, kernel = direction.shape  # group: embed_dim / number of groups
    num_buckets, num_heads = weights[f"{layers}0.attention.rel_attn_embed.weight"].shape
    width = weights[f"{layers}0.feed_forward.intermediate_dense.bias"].shape[0]
    aux = weights.get("aux.bias")
    return WavLMConfig.dense(
        embed_dim=embed_dim,
        num_layers=num_layers,
        num_heads=num_heads,
        feed_forward_dim=width,
        layer_norm="feature_extractor.conv_layers.1.layer_norm.weight" in weights,
        extractor_conv_layer_config=convs,
        extractor_conv_bias=conv.format(0).replace("weight", "bias") in weights,
        encoder_pos_conv_kernel=kernel,
        encoder_pos_conv_groups=embed_dim // group,
        encoder_num_buckets=num_buckets,
        aux_num_out=None if aux is None else len(aux),
    )
