# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Predefined configurations: WavLM Base and Large, dense and as pruned by DiariZen.

The `s80` ones, with 80 % fewer parameters, are the backbones of the published models.

References
----------
J. Han et al., "Fine-tune Before Structured Pruning: Towards Compact and Accurate
Self-Supervised Models for Speaker Diarization", Interspeech 2025.
"""

from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import Any

from pyannote_diarizen.wavlm.config import CONV_LAYERS, WavLMConfig

BASE = WavLMConfig.dense(
    embed_dim=768, num_layers=12, num_heads=12, feed_forward_dim=3072, layer_norm=False
)
LARGE = WavLMConfig.dense(
    embed_dim=1024, num_layers=24, num_heads=16, feed_forward_dim=4096, layer_norm=True
)


def _pruned(
    dense: WavLMConfig,
    channels: Sequence[int],
    heads: Sequence[Sequence[int]],
    widths: Sequence[int],
) -> WavLMConfig:
    """Return a pruned configuration. A layer without heads has no attention."""
    convs = [
        (num_channels, kernel, stride)
        for num_channels, (_, kernel, stride) in zip(channels, CONV_LAYERS, strict=True)
    ]
    return replace(
        dense,
        extractor_conv_layer_config=convs,
        encoder_use_attention=[bool(remaining) for remaining in heads],
        encoder_remaining_heads=heads,
        encoder_ff_interm_features=widths,
    )


BASE_S80 = _pruned(
    BASE,
    channels=(90, 161, 173, 181, 351, 155, 137),
    heads=(
        *((1, 6), (5, 7, 8), (0, 3, 9), (0, 1, 4, 8, 11), (6, 8), (0,)),
        *((7, 8, 10, 11), (0, 1, 4, 8), (), (), (4, 7), (5,)),
    ),
    widths=(666, 660, 649, 1080, 237, 299, 437, 573, 53, 80, 211, 334),
)
LARGE_S80 = _pruned(
    LARGE,
    channels=(512, 153, 224, 255, 302, 368, 211),
    heads=(
        *((1, 2, 4, 5, 6), (9, 10, 14), (0, 1, 2, 4, 5, 7), (1, 4, 7, 12, 13, 14)),
        *((0, 2, 3, 4, 13), (1, 7, 13, 14, 15), (11, 13, 15), (2, 3, 4, 8, 15)),
        *((2, 5, 6, 15), (), (0, 1), (1, 3, 5, 12)),
        *((), (4, 7, 11), (6, 9), (11,)),
        *((), (), (14,), (5, 15)),
        *((0, 2, 8, 11, 13, 15), (0, 1, 3, 4, 5, 6, 7, 10, 13)),
        *((0, 1, 3, 6, 7, 9, 10, 11, 12, 14), (1, 2, 3, 4, 7, 13, 14, 15)),
    ),
    widths=(
        *(1092, 925, 759, 646, 745, 615, 684, 958, 286, 294, 406, 377),
        *(463, 542, 298, 236, 96, 104, 134, 211, 473, 1011, 1770, 1316),
    ),
)
TINY = WavLMConfig.dense(
    embed_dim=96,
    num_layers=4,
    num_heads=4,
    feed_forward_dim=384,
    layer_norm=False,
    extractor_conv_layer_config=tuple((64, *shape) for _, *shape in CONV_LAYERS),
)
"""For a CPU; there are no published weights, train it from scratch."""

ORIGINAL = {
    "wavlm_base": BASE,
    "wavlm_large": LARGE,
    "wavlm_base_s80_md": BASE_S80,
    "wavlm_large_s80_md": LARGE_S80,
}
"""Names that DiariZen knows."""

PREDEFINED = ORIGINAL | {"wavlm_tiny": TINY}


def get_config(config: str | Mapping[str, Any] | WavLMConfig) -> WavLMConfig:
    """Find a configuration by name, or build it from a dictionary.

    Parameters
    ----------
    config : str, mapping or WavLMConfig
        Name of a predefined configuration (upper or lower case), or argument of
        `WavLMConfig.from_dict`, or a configuration, returned unchanged.

    Returns
    -------
    config : WavLMConfig

    Raises
    ------
    TypeError
        If `config` is of another type.
    ValueError
        If the name is unknown or the dictionary is invalid.

    Examples
    --------
    >>> get_config("WavLM_Base").encoder_num_layers
    12
    """
    if isinstance(config, WavLMConfig):
        return config
    if isinstance(config, Mapping):
        return WavLMConfig.from_dict(config)
    if not isinstance(config, str):
        raise TypeError(
            "a WavLM configuration should be a name, a dictionary or a `WavLMConfig`, "
            f"got {type(config).__name__}."
        )
    if config.lower() not in PREDEFINED:
        raise ValueError(
            f"{config!r} is not a predefined WavLM configuration. Known ones are "
            f"{', '.join(PREDEFINED)}."
        )
    return PREDEFINED[config.lower()]
