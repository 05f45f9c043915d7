# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Checks of the values of a WavLM configuration."""

from collections.abc import Iterator
from itertools import chain
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pyannote_diarizen.wavlm.config import WavLMConfig

DROPOUTS = (
    "encoder_projection_dropout",
    "encoder_attention_dropout",
    "encoder_ff_interm_dropout",
    "encoder_dropout",
)

PER_LAYER = (
    "encoder_use_attention",
    "encoder_use_feed_forward",
    "encoder_total_num_heads",
    "encoder_remaining_heads",
    "encoder_ff_interm_features",
)


def problems(config: "WavLMConfig") -> Iterator[str]:
    """Yield one message for each wrong value.

    Parameters
    ----------
    config : WavLMConfig
    """
    return chain(
        _option_problems(config),
        _size_problems(config),
        _layer_problems(config),
        _pruning_problems(config),
    )


def _option_problems(config: "WavLMConfig") -> Iterator[str]:
    for name in DROPOUTS:
        if not 0 <= getattr(config, name) < 1:
            yield f"`{name}` should be in [0, 1), got {getattr(config, name)}."
    if config.extractor_mode not in ("group_norm", "layer_norm"):
        yield (
            '`extractor_mode` should be "group_norm" or "layer_norm", '
            f"got {config.extractor_mode!r}."
        )


def _size_problems(config: "WavLMConfig") -> Iterator[str]:
    convs = config.extractor_conv_layer_config
    if not convs or any(len(conv) != 3 or min(conv) < 1 for conv in convs):
        yield (
            "`extractor_conv_layer_config` should hold (channels, kernel, stride) "
            f"of each convolution, all positive, got {convs}."
        )
    for name in ("num_layers", "embed_dim", "pos_conv_kernel", "pos_conv_groups"):
        if getattr(config, f"encoder_{name}") < 1:
            yield f"`encoder_{name}` should be positive."
    if config.encoder_embed_dim % config.encoder_pos_conv_groups:
        yield (
            f"`encoder_embed_dim` ({config.encoder_embed_dim}) should be a multiple "
            f"of `encoder_pos_conv_groups` ({config.encoder_pos_conv_groups})."
        )
    num_buckets, max_distance = config.encoder_num_buckets, config.encoder_max_distance
    if not 4 <= num_buckets < 4 * max_distance:
        yield (
            "`encoder_num_buckets` should be at least 4 and less than 4 times "
            f"`encoder_max_distance`, got {num_buckets} and {max_distance}."
        )


def _layer_problems(config: "WavLMConfig") -> Iterator[str]:
    for name in PER_LAYER:
        length = len(getattr(config, name))
        if length != config.encoder_num_layers:
            yield (
                f"`{name}` should have one entry for each of the "
                f"{config.encoder_num_layers} layers, got {length}."
            )
    num_heads = config.num_heads
    if set(config.encoder_total_num_heads) != {num_heads}:
        yield (
            "`encoder_total_num_heads` counts heads before pruning: it should be "
            f"the same in all layers, got {config.encoder_total_num_heads}."
        )
    if num_heads < 1 or config.encoder_embed_dim % num_heads:
        yield (
            f"`encoder_embed_dim` ({config.encoder_embed_dim}) should be a multiple "
            f"of the number of heads before pruning ({num_heads})."
        )
    for layer, heads in enumerate(config.encoder_remaining_heads):
        distinct = set(heads) & set(range(num_heads))
        if config.encoder_use_attention[layer] and len(heads) != len(distinct):
            yield (
                f"`encoder_remaining_heads[{layer}]` should hold distinct indices "
                f"between 0 and {num_heads - 1}, got {heads}."
            )
        width = config.encoder_ff_interm_features[layer]
        if config.encoder_use_feed_forward[layer] and width < 0:
            yield (
                f"`encoder_ff_interm_features[{layer}]` should not be negative, "
                f"got {width}."
            )


def _pruning_problems(config: "WavLMConfig") -> Iterator[str]:
    if config.use_layerwise_prune:
        first, last = config.layerwise_range
        if not 1 <= first <= last <= config.encoder_num_layers:
            yield (
                '`use_layerwise_prune` should be False or a range of layers, "1-'
                f'{config.encoder_num_layers}" for all, got '
                f"{config.use_layerwise_prune!r}."
            )
    if not config.limit_l < 0 < 1 < config.limit_r or config.temperature <= 0:
        yield (
            "`limit_l` should be below 0, `limit_r` above 1 and `temperature` "
            f"positive, got {config.limit_l}, {config.limit_r}, {config.temperature}."
        )
    removed = config.extractor_removed_channels
    statistics = config.extractor_statistics_channels
    has_norm = config.extractor_mode == "layer_norm"
    if not len(removed) == len(statistics) == len(config.extractor_conv_layer_config):
        yield (
            "`extractor_removed_channels` and `extractor_statistics_channels` should "
            "have one entry per convolution."
        )
    elif any(
        not min(most, has_norm) <= num_rows <= most * has_norm
        for most, num_rows in zip(removed, statistics, strict=True)
    ):
        yield (
            "`extractor_statistics_channels` should be between 1 and the number of "
            f"removed channels (0 without layer norm), got {statistics} and "
            f"{removed}."
        )
