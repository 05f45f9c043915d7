# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Structure of a WavLM, dense or pruned.

One configuration describes both. Pruning leaves layers of uneven sizes (convolution
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

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import MISSING, dataclass, fields
from typing import Any, Literal

from pyannote_diarizen.errors import unknown_keys

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
        for a layer without attention.
    encoder_num_buckets, encoder_max_distance : int
        Number of buckets of the relative position, and distance in frames beyond
        which all keys share the last bucket.
    encoder_ff_interm_features : sequence of int
        Width of feed-forward blocks. Ignored for a layer without one.
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
    encoder_prune_attention_layer, encoder_prune_feed_forward_layer : bool, optional
    encoder_prune_feed_forward_intermediate, use_layerwise_prune : bool, optional
        Gates of structured pruning, not supported yet: False only.

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
    use_layerwise_prune: bool = False

    def __post_init__(self) -> None:
        """Convert lists to tuples and check values."""
        for field in fields(self):
            value = _as_tuples(getattr(self, field.name))
            object.__setattr__(self, field.name, value)
        for check in (self._option_problems, self._size_problems, self._layer_problems):
            for problem in check():
                raise ValueError(problem)

    def _option_problems(self) -> Iterator[str]:
        for name in PRUNE_FLAGS:
            if getattr(self, name):
                yield (
                    f"`{name}` should be False: models that are being pruned cannot be "
                    "built yet, only the result. Was the pruning applied?"
                )
        for name in DROPOUTS:
            if not 0 <= getattr(self, name) < 1:
                yield f"`{name}` should be in [0, 1), got {getattr(self, name)}."
        if self.extractor_mode not in ("group_norm", "layer_norm"):
            yield (
                '`extractor_mode` should be "group_norm" or "layer_norm", '
                f"got {self.extractor_mode!r}."
            )

    def _size_problems(self) -> Iterator[str]:
        convs = self.extractor_conv_layer_config
        if not convs or any(len(conv) != 3 or min(conv) < 1 for conv in convs):
            yield (
                "`extractor_conv_layer_config` should hold (channels, kernel, stride) "
                f"of each convolution, all positive, got {convs}."
            )
        for name in ("num_layers", "embed_dim", "pos_conv_kernel", "pos_conv_groups"):
            if getattr(self, f"encoder_{name}") < 1:
                yield f"`encoder_{name}` should be positive."
        if self.encoder_embed_dim % self.encoder_pos_conv_groups:
            yield (
                f"`encoder_embed_dim` ({self.encoder_embed_dim}) should be a multiple "
                f"of `encoder_pos_conv_groups` ({self.encoder_pos_conv_groups})."
            )
        num_buckets, max_distance = self.encoder_num_buckets, self.encoder_max_distance
        if not 4 <= num_buckets < 4 * max_distance:
            yield (
                "`encoder_num_buckets` should be at least 4 and less than 4 times "
                f"`encoder_max_distance`, got {num_buckets} and {max_distance}."
            )

    def _layer_problems(self) -> Iterator[str]:
        for name in PER_LAYER:
            length = len(getattr(self, name))
            if length != self.encoder_num_layers:
                yield (
                    f"`{name}` should have one entry for each of the "
                    f"{self.encoder_num_layers} layers, got {length}."
                )
        num_heads = self.num_heads
        if set(self.encoder_total_num_heads) != {num_heads}:
            yield (
                "`encoder_total_num_heads` counts heads before pruning: it should be "
                f"the same in all layers, got {self.encoder_total_num_heads}."
            )
        if num_heads < 1 or self.encoder_embed_dim % num_heads:
            yield (
                f"`encoder_embed_dim` ({self.encoder_embed_dim}) should be a multiple "
                f"of the number of heads before pruning ({num_heads})."
            )
        for layer, heads in enumerate(self.encoder_remaining_heads):
            distinct = set(heads) & set(range(num_heads))
            if self.encoder_use_attention[layer] and not 0 < len(heads) == len(
                distinct
            ):
                yield (
                    f"`encoder_remaining_heads[{layer}]` should hold at least one and "
                    f"only distinct indices between 0 and {num_heads - 1}, got {heads}."
                )
            width = self.encoder_ff_interm_features[layer]
            if self.encoder_use_feed_forward[layer] and width < 1:
                yield (
                    f"`encoder_ff_interm_features[{layer}]` should be positive, "
                    f"got {width}."
                )

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
        """Convert to plain values (lists, numbers, strings), as `from_dict` takes."""
        return {
            field.name: _as_lists(getattr(self, field.name)) for field in fields(self)
        }

    @property
    def num_heads(self) -> int:
        """Number of attention heads before pruning."""
        return self.encoder_total_num_heads[0]

    @property
    def head_dim(self) -> int:
        """Dimension of each attention head."""
        return self.encoder_embed_dim // self.num_heads
