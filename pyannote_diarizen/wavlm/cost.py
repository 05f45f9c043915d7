# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Number of parameters and multiply-accumulate operations (MACs) of a WavLM.

The same formulas give plain numbers for any configuration, and expected numbers for a
WavLM with gates: products of expected sizes, since gates are independent. The latter
are differentiable with respect to the parameters of gates.

DiariZen leaves out relative positions (their table, and the gates of the bias), less
than 0.02 % of WavLM Base. `positions=False` gives its numbers. Elementwise operations
and norms are not counted as MACs.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

from torch import Tensor

from pyannote_diarizen.wavlm.config import PRUNE_FLAGS, WavLMConfig
from pyannote_diarizen.wavlm.gates import HardConcrete
from pyannote_diarizen.wavlm.model import WavLM

SAMPLE_RATE = 16000
Size = Any
"""Number of units: int, or Tensor of shape () if expected."""

Measure = Literal["parameters", "macs"]
"""What sparsity is a share of. MACs are those of one second of audio."""


@dataclass(frozen=True)
class Sizes:
    """Numbers of units of a WavLM.

    Parameters
    ----------
    channels : sequence of int or Tensor
        Number of channels of each convolution.
    heads, widths : sequence of int or Tensor
        Number of heads and of feed-forward units of each layer.
    attention, feed_forward : sequence of int or Tensor
        Whether each layer has the block: 0 or 1, or the probability of it.
    """

    channels: Sequence[Size]
    heads: Sequence[Size]
    widths: Sequence[Size]
    attention: Sequence[Size]
    feed_forward: Sequence[Size]

    @classmethod
    def of(cls, config: WavLMConfig) -> "Sizes":
        """Sizes of a configuration, whatever its gates."""
        return cls(
            [channels for channels, _, _ in config.extractor_conv_layer_config],
            [len(heads) for heads in config.encoder_remaining_heads],
            config.encoder_ff_interm_features,
            [int(present) for present in config.encoder_use_attention],
            [int(present) for present in config.encoder_use_feed_forward],
        )

    @classmethod
    def smallest(cls, config: WavLMConfig) -> "Sizes":
        """Sizes if all gates are closed, but for one channel per convolution."""
        fixed = cls.of(config)
        conv, head, attention, width, feed_forward, _ = (
            bool(getattr(config, flag)) for flag in PRUNE_FLAGS
        )

        def gated(blocks: Sequence[Size], flag: bool) -> list[Size]:
            return [
                0 if config.gates_block(flag, layer) else block
                for layer, block in enumerate(blocks)
            ]

        return cls(
            [1] * len(fixed.channels) if conv else fixed.channels,
            [0] * len(fixed.heads) if head else fixed.heads,
            [0] * len(fixed.widths) if width else fixed.widths,
            gated(fixed.attention, attention),
            gated(fixed.feed_forward, feed_forward),
        )

    @classmethod
    def expected(cls, wavlm: WavLM) -> "Sizes":
        """Sizes of which gates are expected to be open."""
        fixed = cls.of(wavlm.config)
        convs = wavlm.feature_extractor.conv_layers
        layers = wavlm.encoder.transformer.layers
        attentions = [layer.attention for layer in layers]
        feed_forwards = [layer.feed_forward for layer in layers]
        return cls(
            _expected(convs, "hard_concrete", fixed.channels),
            _expected(attentions, "hard_concrete_for_heads", fixed.heads),
            _expected(feed_forwards, "hard_concrete_for_intermediate", fixed.widths),
            _expected(attentions, "hard_concrete_for_layer", fixed.attention),
            _expected(feed_forwards, "hard_concrete_for_layer", fixed.feed_forward),
        )


def _expected(modules: Any, name: str, fixed: Sequence[int]) -> list[Size]:
    """Return the expected size of each module, or its fixed size without gates."""
    gates = [getattr(module, name, None) for module in modules]
    return [
        gate.expected_size() if isinstance(gate, HardConcrete) else size
        for gate, size in zip(gates, fixed, strict=True)
    ]


def num_parameters(config: WavLMConfig, positions: bool = True) -> int:
    """Count the parameters of a WavLM, gates excluded.

    Parameters
    ----------
    config : WavLMConfig
    positions : bool, optional
        Whether to count relative positions. Defaults to True.

    Returns
    -------
    num_parameters : int
    """
    return int(_count_parameters(config, Sizes.of(config), positions))


def expected_num_parameters(wavlm: WavLM, positions: bool = True) -> Tensor | int:
    """Count the parameters that gates are expected to leave.

    Parameters
    ----------
    wavlm : WavLM
    positions : bool, optional
        Whether to count relative positions. Defaults to True.

    Returns
    -------
    num_parameters : () Tensor
        Differentiable. An int if `wavlm` has no gates.
    """
    return _count_parameters(wavlm.config, Sizes.expected(wavlm), positions)


def num_macs(config: WavLMConfig, duration: float = 1.0, positions: bool = True) -> int:
    """Count the multiply-accumulate operations of a forward pass.

    Parameters
    ----------
    config : WavLMConfig
    duration : float, optional
        Duration of the waveform, in seconds. Defaults to 1.
    positions : bool, optional
        Whether to count relative positions. Defaults to True.

    Returns
    -------
    num_macs : int
    """
    return int(_count_macs(config, Sizes.of(config), duration, positions))


def expected_num_macs(
    wavlm: WavLM, duration: float = 1.0, positions: bool = True
) -> Tensor | int:
    """Count the multiply-accumulate operations that gates are expected to leave.

    Parameters
    ----------
    wavlm : WavLM
    duration, positions
        See `num_macs`.

    Returns
    -------
    num_macs : () Tensor
        Differentiable. An int if `wavlm` has no gates.
    """
    return _count_macs(wavlm.config, Sizes.expected(wavlm), duration, positions)


def max_sparsity(config: WavLMConfig, total: int, measure: Measure) -> float:
    """Sparsity that the gates of a configuration can reach.

    Parameters
    ----------
    config : WavLMConfig
        Configuration with gates.
    total : int
        Size before pruning.
    measure : {"parameters", "macs"}
    """
    sizes = Sizes.smallest(config)
    smallest = (
        _count_parameters(config, sizes, positions=True)
        if measure == "parameters"
        else _count_macs(config, sizes, 1.0, positions=True)
    )
    return float(1 - smallest / total)


def _count_parameters(config: WavLMConfig, sizes: Sizes, positions: bool) -> Size:
    embed_dim = config.encoder_embed_dim
    kernel, groups = config.encoder_pos_conv_kernel, config.encoder_pos_conv_groups
    last = sizes.channels[-1]
    features = last + bool(config.extractor_removed_channels[-1])
    total: Size = last  # `dummy_weight`
    in_channels: Size = 1
    for index, (out_channels, (_, width, _), num_components) in enumerate(
        zip(
            sizes.channels,
            config.extractor_conv_layer_config,
            config.extractor_statistics_channels,
            strict=True,
        )
    ):
        inputs = in_channels * width + config.extractor_conv_bias
        has_norm = index == 0 or config.extractor_mode == "layer_norm"
        total = total + (out_channels + num_components) * inputs
        total = total + 2 * has_norm * out_channels
        in_channels = out_channels
    # feature projection: layer norm and linear layer
    total = total + 2 * features + (features + 1) * embed_dim
    # positional convolution: bias, norm of each tap, direction; final layer norm
    total = total + 3 * embed_dim + kernel * (1 + embed_dim * embed_dim // groups)
    for layer in range(config.encoder_num_layers):
        # h heads of dimension d: q, k, v with bias, output projection with bias
        heads = sizes.heads[layer] * config.head_dim
        attention = 3 * (embed_dim + 1) * heads + (heads + 1) * embed_dim
        if positions:
            attention = attention + _position_parameters(config, layer)
        width = sizes.widths[layer]
        feed_forward = (embed_dim + 1) * width + (width + 1) * embed_dim
        total = total + sizes.attention[layer] * attention
        total = total + sizes.feed_forward[layer] * feed_forward + 4 * embed_dim
    if config.aux_num_out is not None:
        total = total + (embed_dim + 1) * config.aux_num_out
    return total


def _position_parameters(config: WavLMConfig, layer: int) -> int:
    """Parameters of relative positions of a layer with attention."""
    count = 0
    if config.encoder_remaining_heads[layer]:
        count += 8 * config.head_dim + 8 + config.num_heads
    if layer == 0:
        count += config.encoder_num_buckets * config.num_heads
    return count


def _count_macs(
    config: WavLMConfig, sizes: Sizes, duration: float, positions: bool
) -> Size:
    embed_dim = config.encoder_embed_dim
    kernel, groups = config.encoder_pos_conv_kernel, config.encoder_pos_conv_groups
    total: Size = 0
    in_channels: Size = 1
    num_frames = round(SAMPLE_RATE * duration)
    for out_channels, (_, width, stride), num_components in zip(
        sizes.channels,
        config.extractor_conv_layer_config,
        config.extractor_statistics_channels,
        strict=True,
    ):
        num_frames = (num_frames - width) // stride + 1
        outputs = out_channels + num_components
        total = total + num_frames * width * in_channels * outputs
        in_channels = out_channels
    features = in_channels + bool(config.extractor_removed_channels[-1])
    total = total + num_frames * features * embed_dim
    # an even kernel computes one frame more, which is dropped
    num_convolved = num_frames + 2 * (kernel // 2) - kernel + 1
    total = total + num_convolved * kernel * embed_dim * embed_dim // groups
    for layer in range(config.encoder_num_layers):
        heads = sizes.heads[layer] * config.head_dim
        # q, k, v and output projection; q k' and its product with v
        attention = 4 * num_frames * heads * embed_dim + 2 * num_frames**2 * heads
        if positions and config.encoder_use_attention[0]:
            attention = attention + 2 * num_frames * heads  # update and reset
        feed_forward = 2 * num_frames * embed_dim * sizes.widths[layer]
        total = total + sizes.attention[layer] * attention
        total = total + sizes.feed_forward[layer] * feed_forward
    if config.aux_num_out is not None:
        total = total + num_frames * embed_dim * config.aux_num_out
    return total
