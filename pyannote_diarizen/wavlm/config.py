# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Structure of a WavLM: dense, with gates of structured pruning, or pruned.

One configuration describes all. Pruning leaves layers of uneven sizes (convolution
channels, attention heads, feed-forward units) and may remove whole blocks. Fields keep
the names that DiariZen stores beside its weights, so that its files load unchanged.

References
----------
S. Chen et al., "WavLM: Large-Scale Self-Supervised Pre-Training for Full Stack Speech
Processing", IEEE JSTSP 2022.
Y. Peng et al., "DPHuBERT: Joint Distillation and Pruning of Self-Supervised Speech
Models", Interspeech 2023.
J. Han et al., "Fine-tune Before Structured Pruning: Towards Compact and Accurate
Self-Supervised Models for Speaker Diarization", Interspeech 2025.
"""

import re
from collections.abc import Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal

from pyannote_diarizen.errors import unknown_keys
from pyannote_diarizen.functional.hard_concrete import HIGH, LOW, TEMPERATURE
from pyannote_diarizen.wavlm.config_checks import problems

CONV_LAYERS = ((512, 10, 5), *((512, 3, 2),) * 4, *((512, 2, 2),) * 2)
"""(channels, kernel, stride) of each layer of the original front end."""

PRUNE_FLAGS = (
    "extractor_prune_conv_channels",
    "encoder_prune_attention_heads",
    "encoder_prune_attention_layer",
    "encoder_prune_feed_forward_intermediate",
    "encoder_prune_feed_forward_layer",
    "use_layerwise_prune",
)

EXACT_PRUNING = ("extractor_removed_channels", "extractor_statistics_channels")
"""Fields of exact pruning, which DiariZen does not have."""


def _as_tuples(value: Any) -> Any:
    if isinstance(value, Sequence) and not isinstance(value, str):
        return tuple(_as_tuples(item) for item in value)
    return value


def _as_lists(value: Any) -> Any:
    if isinstance(value, tuple):
        return [_as_lists(item) for item in value]
    return value


@dataclass(frozen=True, kw_only=True)
class WavLMConfig:
    """Structure of a WavLM. Lists become tuples.

    Parameters
    ----------
    extractor_mode : {"group_norm", "layer_norm"}
        "group_norm" normalises each channel of the first convolution over time.
        "layer_norm" normalises over the channels of each convolution at each frame.
    extractor_conv_layer_config : sequence of (int, int, int)
        Channels, kernel and stride of each convolution.
    extractor_conv_bias : bool
        Whether convolutions have a bias.
    encoder_embed_dim : int
        Dimension of the representations.
    encoder_projection_dropout, encoder_attention_dropout : float
        Dropout after the feature projection, and dropout of attention probabilities.
    encoder_ff_interm_dropout, encoder_dropout : float
        Dropout inside feed-forward blocks, and after the encoder input and blocks.
    encoder_pos_conv_kernel, encoder_pos_conv_groups : int
        Kernel and groups of the positional convolution.
    encoder_num_layers : int
        Number of transformer layers. Sequences below have one entry per layer.
    encoder_use_attention, encoder_use_feed_forward : sequence of bool
        Whether the layer has this block.
    encoder_total_num_heads : sequence of int
        Number of heads before pruning, the same in all layers.
    encoder_remaining_heads : sequence of sequence of int
        Heads that remain after pruning, as indices into the original ones. Ignored
        for a layer without attention. An attention without heads adds its output bias.
    encoder_num_buckets, encoder_max_distance : int
        Number of buckets of the relative position, and distance in frames beyond
        which all keys share the last bucket.
    encoder_ff_interm_features : sequence of int
        Width of feed-forward blocks. Ignored for a layer without one. A block of width
        0 adds its output bias.
    encoder_layer_norm_first : bool
        Whether the layer norm stands before each block (pre-LN, as in WavLM Large)
        or after it (post-LN, as in WavLM Base).
    encoder_layer_drop : float
        Stored in files, and ignored: as in DiariZen, no layer is ever dropped.
    aux_num_out : int, optional
        Dimension of a linear head of `WavLM.forward`. Defaults to none.
    normalize_waveform : bool
        Whether waveforms are normalised to zero mean and unit variance.
    extractor_prune_conv_channels, encoder_prune_attention_heads : bool, optional
    encoder_prune_feed_forward_intermediate : bool, optional
        Whether channels of convolutions, attention heads and units of feed-forward
        blocks have gates. Default to False.
    encoder_prune_attention_layer, encoder_prune_feed_forward_layer : bool, optional
        Whether whole attention and feed-forward blocks have gates. Default to False.
    use_layerwise_prune : str or False, optional
        Range of layers whose blocks have gates, whatever the two previous options are:
        "3-5" for the third to the fifth. Defaults to False.
    limit_l, limit_r, temperature : float, optional
        Parameters of gates, `low`, `high` and `temperature` of
        `functional.hard_concrete`. Default to -0.1, 1.1 and 2/3.
    extractor_removed_channels : sequence of int, optional
        Number of channels of each convolution that exact pruning removed, and that
        layer norms still count, see `layer_norm`. Defaults to none.
    extractor_statistics_channels : sequence of int, optional
        Number of outputs of each convolution that replace removed channels in the
        statistics of its layer norm. Defaults to none.

    Raises
    ------
    ValueError
        If a value is out of range or values contradict each other.
    """

    extractor_mode: Literal["group_norm", "layer_norm"]
    extractor_conv_layer_config: Sequence[tuple[int, int, int]]
    extractor_conv_bias: bool
    encoder_embed_dim: int
    encoder_projection_dropout: float
    encoder_pos_conv_kernel: int
    encoder_pos_conv_groups: int
    encoder_num_layers: int
    encoder_use_attention: Sequence[bool]
    encoder_use_feed_forward: Sequence[bool]
    encoder_total_num_heads: Sequence[int]
    encoder_remaining_heads: Sequence[Sequence[int]]
    encoder_num_buckets: int
    encoder_max_distance: int
    encoder_attention_dropout: float
    encoder_ff_interm_features: Sequence[int]
    encoder_ff_interm_dropout: float
    encoder_dropout: float
    encoder_layer_norm_first: bool
    encoder_layer_drop: float
    aux_num_out: int | None
    normalize_waveform: bool
    extractor_prune_conv_channels: bool = False
    encoder_prune_attention_heads: bool = False
    encoder_prune_attention_layer: bool = False
    encoder_prune_feed_forward_intermediate: bool = False
    encoder_prune_feed_forward_layer: bool = False
    use_layerwise_prune: str | Literal[False] = False
    limit_l: float = LOW
    limit_r: float = HIGH
    temperature: float = TEMPERATURE
    extractor_removed_channels: Sequence[int] = ()
    extractor_statistics_channels: Sequence[int] = ()

    def __post_init__(self) -> None:
        """Convert lists to tuples and check values."""
        for field in fields(self):
            value = _as_tuples(getattr(self, field.name))
            if field.name in EXACT_PRUNING and not any(value):
                value = (0,) * len(self.extractor_conv_layer_config)
            object.__setattr__(self, field.name, value)
        for problem in problems(self):
            raise ValueError(problem)

    @classmethod
    def from_dict(cls, config: Mapping[str, Any]) -> "WavLMConfig":
        """Build a configuration from plain values, as stored beside weights.

        Parameters
        ----------
        config : mapping
            Value of each parameter; parameters with a default may be left out. None
            for `extractor_conv_layer_config` stands for `CONV_LAYERS`.

        Returns
        -------
        config : WavLMConfig

        Raises
        ------
        ValueError
            If a key is unknown or missing, or a value is wrong.
        """
        known = {field.name: field.default is MISSING for field in fields(cls)}
        unknown = [key for key in config if key not in known]
        if unknown:
            raise ValueError(unknown_keys("of the WavLM configuration", unknown, known))
        missing = [key for key in known if known[key] and key not in config]
        if missing:
            raise ValueError(
                f"The WavLM configuration lacks {', '.join(missing)}. "
                "`WavLMConfig.dense` has defaults for an unpruned model."
            )
        if config["extractor_conv_layer_config"] is None:
            config = {**config, "extractor_conv_layer_config": CONV_LAYERS}
        return cls(**config)

    @classmethod
    def dense(
        cls,
        *,
        embed_dim: int,
        num_layers: int,
        num_heads: int,
        feed_forward_dim: int,
        layer_norm: bool,
        **others: Any,
    ) -> "WavLMConfig":
        """Build the configuration of an unpruned WavLM.

        Parameters
        ----------
        embed_dim, num_layers, num_heads, feed_forward_dim : int
            Size of the transformer.
        layer_norm : bool
            True for the layout of WavLM Large (normalised waveform, layer norm in the
            front end and before each block), False for the layout of WavLM Base.
        **others
            Other parameters of `WavLMConfig`. Default to the values of WavLM.

        Returns
        -------
        config : WavLMConfig

        Examples
        --------
        >>> config = WavLMConfig.dense(
        ...     embed_dim=192,
        ...     num_layers=2,
        ...     num_heads=3,
        ...     feed_forward_dim=768,
        ...     layer_norm=True,
        ... )
        >>> config.encoder_remaining_heads
        ((0, 1, 2), (0, 1, 2))
        """
        defaults = {
            "extractor_mode": "layer_norm" if layer_norm else "group_norm",
            "extractor_conv_layer_config": CONV_LAYERS,
            "extractor_conv_bias": False,
            "encoder_embed_dim": embed_dim,
            "encoder_projection_dropout": 0.1,
            "encoder_pos_conv_kernel": 128,
            "encoder_pos_conv_groups": 16,
            "encoder_num_layers": num_layers,
            "encoder_use_attention": (True,) * num_layers,
            "encoder_use_feed_forward": (True,) * num_layers,
            "encoder_total_num_heads": (num_heads,) * num_layers,
            "encoder_remaining_heads": (tuple(range(num_heads)),) * num_layers,
            "encoder_num_buckets": 320,
            "encoder_max_distance": 800,
            "encoder_attention_dropout": 0.1,
            "encoder_ff_interm_features": (feed_forward_dim,) * num_layers,
            "encoder_ff_interm_dropout": 0.0,
            "encoder_dropout": 0.1,
            "encoder_layer_norm_first": layer_norm,
            "encoder_layer_drop": 0.1 if layer_norm else 0.05,
            "aux_num_out": None,
            "normalize_waveform": layer_norm,
        }
        return cls.from_dict({**defaults, **others})

    def to_dict(self) -> dict[str, Any]:
        """Convert to plain values (lists, numbers, strings), as `from_dict` takes.

        DiariZen refuses unknown keys: fields that its files lack are left out if they
        have their default value.
        """
        none = (0,) * len(self.extractor_conv_layer_config)
        left_out: dict[str, Any] = {
            "limit_l": LOW,
            "limit_r": HIGH,
            "temperature": TEMPERATURE,
        }
        left_out |= dict.fromkeys(EXACT_PRUNING, none)
        values = {field.name: getattr(self, field.name) for field in fields(self)}
        return {
            name: _as_lists(value)
            for name, value in values.items()
            if name not in left_out or value != left_out[name]
        }

    @property
    def num_heads(self) -> int:
        """Number of attention heads before pruning."""
        return self.encoder_total_num_heads[0]

    @property
    def head_dim(self) -> int:
        """Dimension of each attention head."""
        return self.encoder_embed_dim // self.num_heads

    @property
    def has_gates(self) -> bool:
        """Whether anything has gates."""
        return any(getattr(self, name) for name in PRUNE_FLAGS)

    @property
    def fits_original(self) -> bool:
        """Whether DiariZen can build it: exact pruning left nothing that it lacks."""
        used = (*self.encoder_use_attention, *self.encoder_use_feed_forward)
        units = (*self.encoder_remaining_heads, *self.encoder_ff_interm_features)
        # without units, only the bias of the block is left
        only_bias = any(use and not left for use, left in zip(used, units, strict=True))
        return not only_bias and not any(self.extractor_removed_channels)

    @property
    def layerwise_range(self) -> tuple[int, int]:
        """First and last layer of `use_layerwise_prune`, from 1; (0, 0) if invalid."""
        parts = re.fullmatch(r"(\d+)-(\d+)", str(self.use_layerwise_prune))
        return (0, 0) if parts is None else (int(parts[1]), int(parts[2]))

    def gates_block(self, flag: bool, layer: int) -> bool:
        """Whether a block of a layer has a gate, with `flag` the option for all layers.

        In DiariZen, a layer without attention takes the range of the layer before: its
        feed-forward block may differ at the borders of a range.
        """
        first, last = self.layerwise_range
        return flag or first <= layer + 1 <= last
