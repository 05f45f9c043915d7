# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Transformer of WavLM, dense or pruned: from features to representations.

x is the input of a layer, LN a layer norm, A attention and F feed-forward:

- post-LN (WavLM Base): y = LN(x + A(x)), then LN(y + F(y));
- pre-LN (WavLM Large): y = x + A(LN(x)), then y + F(LN(y)).
"""

from collections.abc import Callable, Iterator
from typing import Any, cast

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from torch import Tensor, nn

from pyannote_diarizen.wavlm.attention import (
    GatedSelfAttention,
    OutputBias,
    RelativePositions,
)
from pyannote_diarizen.wavlm.config import WavLMConfig
from pyannote_diarizen.wavlm.gates import (
    UNIT_DROP_RATE,
    HardConcrete,
    apply_gates,
    build_gates,
)
from pyannote_diarizen.wavlm.layer_norm import PrunedLayerNorm

Transform = Callable[[int, Tensor], Tensor]
"""Function of the index of a hidden state and the state that returns a new state."""

NARROW = 16
"""Groups of fewer channels are convolved in float32 on CPUs.

In bfloat16, oneDNN 3.7 to 3.13 (torch 2.8 to 2.15) gives wrong sums for an even number
of them with AMX: `test_positions_in_bfloat16` fails there without.
"""


def keep(index: int, state: Tensor) -> Tensor:
    """Return `state` unchanged."""
    return state


class FeatureProjection(nn.Module):
    """Layer norm, projection to the dimension of the transformer, dropout.

    Features whose gate is zero are zero before the layer norm, but not after. If exact
    pruning removed R of them, one zero feature replaces them: its column of the
    projection is the sum of theirs, and the layer norm counts R - 1 more zeros.

    Parameters
    ----------
    in_features, out_features : int
    dropout : float
    num_removed : int, optional
        Number of features that exact pruning removed. Defaults to 0.
    """

    def __init__(
        self, in_features: int, out_features: int, dropout: float, num_removed: int = 0
    ) -> None:
        super().__init__()
        self.num_zeros = 2 if num_removed else 0
        self.layer_norm = nn.LayerNorm(in_features)
        if num_removed:
            in_features += 1
            self.layer_norm = PrunedLayerNorm(in_features, num_removed - 1)
        self.projection = nn.Linear(in_features, out_features)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, num_frames, in_features) to (batch, num_frames, out_features)."""
        # the zero feature, and the (first and only) component of the others
        x = F.pad(x, (0, self.num_zeros)) if self.num_zeros else x
        return self.dropout(self.projection(self.layer_norm(x)))


class WeightNormConv1d(nn.Module):
    """Grouped convolution with weight normalisation.

    w[:, :, k] = g[k] v[:, :, k] / ||v[:, :, k]||: each tap k has one learnt norm g.
    Weights have the names of `torch.nn.utils.parametrizations.weight_norm` with
    `dim=2`, whose modules cannot be pickled. Names of older versions load too.
    """

    def __init__(self, channels: int, kernel_size: int, groups: int) -> None:
        super().__init__()
        conv = nn.Conv1d(channels, channels, kernel_size, groups=groups)
        self.bias = cast(nn.Parameter, conv.bias)
        norm = torch.norm_except_dim(conv.weight.detach(), dim=2)  # (1, 1, kernel_size)
        weights = {"original0": nn.Parameter(norm), "original1": conv.weight}
        self.parametrizations = nn.ModuleDict({"weight": nn.ParameterDict(weights)})
        self.padding = kernel_size // 2
        self.groups = groups

    def _load_from_state_dict(
        self, state_dict: dict[str, Any], prefix: str, *args: Any
    ) -> None:
        for old, new in (("weight_g", "original0"), ("weight_v", "original1")):
            if prefix + old in state_dict:
                new = f"{prefix}parametrizations.weight.{new}"
                state_dict[new] = state_dict.pop(prefix + old)
        super()._load_from_state_dict(state_dict, prefix, *args)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channels, num_frames) to the same shape.

        An even kernel adds one frame.
        """
        weights = cast(nn.ParameterDict, self.parametrizations["weight"])
        norm, direction = weights["original0"], weights["original1"]
        # one fused pass over the weights, with norms over all dimensions but the third;
        # `torch.linalg.vector_norm` would take a tenth of the time of wavlm_base_s80_md
        weight = torch._weight_norm(direction, norm, dim=2)
        options = {"padding": self.padding, "groups": self.groups}
        if x.is_cpu and weight.shape[1] < NARROW:
            single = torch.promote_types(x.dtype, torch.float32)
            with torch.autocast("cpu", enabled=False):
                weight, bias = weight.to(single), self.bias.to(single)
                return F.conv1d(x.to(single), weight, bias, **options).to(x.dtype)
        return F.conv1d(x, weight, self.bias, **options)


class PositionalConvolution(nn.Module):
    """Positional embedding: a grouped convolution over frames, then GELU."""

    def __init__(self, embed_dim: int, kernel_size: int, groups: int) -> None:
        super().__init__()
        self.conv = WeightNormConv1d(embed_dim, kernel_size, groups)

    def forward(self, x: Tensor) -> Tensor:
        """Return the embedding to add to `x` (batch, num_frames, embed_dim)."""
        y = self.conv(x.transpose(1, 2)).transpose(1, 2)
        return F.gelu(y[:, : x.shape[1]])  # without the frame that even kernels add


class FeedForward(nn.Module):
    """Two linear layers with GELU, dropout and optional gates.

    Without any unit, the output is the bias of the second layer.

    Parameters
    ----------
    embed_dim : int
    width : int
        Number of units between the layers.
    inner_dropout, dropout : float
        Dropout between the layers, and after the second one.

    Attributes
    ----------
    hard_concrete_for_intermediate, hard_concrete_for_layer : HardConcrete or None
        Gates of units, and of the whole block.
    """

    def __init__(
        self, embed_dim: int, width: int, inner_dropout: float, dropout: float
    ) -> None:
        super().__init__()
        self.hard_concrete_for_intermediate: HardConcrete | None = None
        self.hard_concrete_for_layer: HardConcrete | None = None
        self.width = width
        self.output_dense: nn.Linear | OutputBias = OutputBias(embed_dim)
        if width:
            self.intermediate_dense = nn.Linear(embed_dim, width)
            self.intermediate_dropout = nn.Dropout(inner_dropout)
            self.output_dense = nn.Linear(width, embed_dim)
        self.output_dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, num_frames, embed_dim) to the same shape."""
        if self.width:
            x = self.intermediate_dropout(F.gelu(self.intermediate_dense(x)))
            x = apply_gates(x, self.hard_concrete_for_intermediate)
        x = self.output_dropout(self.output_dense(x))
        return apply_gates(x, self.hard_concrete_for_layer)


def build_attention(config: WavLMConfig, index: int) -> GatedSelfAttention:
    """Build the attention of a layer, with its gates."""
    positions = None
    if index == 0:
        positions = RelativePositions(
            config.encoder_num_buckets, config.num_heads, config.encoder_max_distance
        )
    heads = config.encoder_remaining_heads[index]
    block = GatedSelfAttention(
        config.encoder_embed_dim,
        config.num_heads,
        heads,
        config.encoder_attention_dropout,
        positions,
    )
    block.hard_concrete_for_heads = build_gates(
        config, config.encoder_prune_attention_heads, len(heads)
    )
    gated = config.gates_block(config.encoder_prune_attention_layer, index)
    block.hard_concrete_for_layer = build_gates(config, gated, 1)
    return block


def build_feed_forward(config: WavLMConfig, index: int) -> FeedForward:
    """Build the feed-forward block of a layer, with its gates."""
    width = config.encoder_ff_interm_features[index]
    block = FeedForward(
        config.encoder_embed_dim,
        width,
        config.encoder_ff_interm_dropout,
        config.encoder_dropout,
    )
    flag = config.encoder_prune_feed_forward_intermediate
    block.hard_concrete_for_intermediate = build_gates(
        config, flag, width, UNIT_DROP_RATE
    )
    gated = config.gates_block(config.encoder_prune_feed_forward_layer, index)
    block.hard_concrete_for_layer = build_gates(config, gated, 1)
    return block


class EncoderLayer(nn.Module):
    """Attention and feed-forward blocks, either of which may have been pruned.

    Layer norms of a pruned block stay: post-LN layers apply them, and checkpoints of
    pre-LN layers hold them.

    Parameters
    ----------
    config : WavLMConfig
    index : int
        Index of the layer in `config`.
    """

    def __init__(self, config: WavLMConfig, index: int) -> None:
        super().__init__()
        embed_dim = config.encoder_embed_dim
        self.attention = None
        if config.encoder_use_attention[index]:
            self.attention = build_attention(config, index)
        self.dropout = nn.Dropout(config.encoder_dropout)
        self.layer_norm = nn.LayerNorm(embed_dim)
        self.feed_forward = None
        if config.encoder_use_feed_forward[index]:
            self.feed_forward = build_feed_forward(config, index)
        self.final_layer_norm = nn.LayerNorm(embed_dim)
        self.layer_norm_first = config.encoder_layer_norm_first

    def forward(
        self, x: Tensor, positions: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """Apply the layer, see `GatedSelfAttention.forward` for parameters."""
        pre_norm = self.layer_norm_first
        if self.attention is not None:
            attended = self.layer_norm(x) if pre_norm else x
            x = x + self.dropout(self.attention(attended, positions, mask))
        if not pre_norm:
            x = self.layer_norm(x)
        if self.feed_forward is not None:
            x = x + self.feed_forward(self.final_layer_norm(x) if pre_norm else x)
        return x if pre_norm else self.final_layer_norm(x)


class Transformer(nn.Module):
    """Positional convolution and encoder layers."""

    def __init__(self, config: WavLMConfig) -> None:
        super().__init__()
        self.pos_conv_embed = PositionalConvolution(
            config.encoder_embed_dim,
            config.encoder_pos_conv_kernel,
            config.encoder_pos_conv_groups,
        )
        self.layer_norm = nn.LayerNorm(config.encoder_embed_dim)
        self.layer_norm_first = config.encoder_layer_norm_first
        self.dropout = nn.Dropout(config.encoder_dropout)
        self.layers = nn.ModuleList(
            EncoderLayer(config, index) for index in range(config.encoder_num_layers)
        )
        for weight in self._unused_weights():
            weight.requires_grad_(False)

    def _unused_weights(self) -> Iterator[nn.Parameter]:
        """Yield weights without gradient, which distributed training refuses."""
        layers = [cast(EncoderLayer, layer) for layer in self.layers]
        with_heads = [
            layer.attention
            for layer in layers
            if layer.attention is not None and layer.attention.heads
        ]
        for layer in layers:
            attention, feed_forward = layer.attention, layer.feed_forward
            if self.layer_norm_first and (attention is None or not attention.heads):
                yield from layer.layer_norm.parameters()
            if self.layer_norm_first and (
                feed_forward is None or not feed_forward.width
            ):
                yield from layer.final_layer_norm.parameters()
        first = layers[0].attention
        if first is None:
            for attention in with_heads:
                yield attention.gru_rel_pos_const
                yield from attention.gru_rel_pos_linear.parameters()
        elif not with_heads and first.rel_attn_embed is not None:
            yield from first.rel_attn_embed.parameters()

    def hidden_states(
        self, x: Tensor, mask: Tensor | None = None, transform: Transform = keep
    ) -> Iterator[Tensor]:
        """Yield the input of the first layer, then the output of each layer.

        Parameters
        ----------
        x : (batch, num_frames, embed_dim) Tensor
        mask : (batch, 1, 1, num_frames) Tensor, optional
            Added to the attention logits of each key. Defaults to no mask.
        transform : callable, optional
            Function of the index of each state and the state. Its result is yielded,
            and is the input of the next layer. Defaults to the state itself.

        Yields
        ------
        state : (batch, num_frames, embed_dim) Tensor
        """
        # Under autocast, sums stay in single precision: residuals of 24 layers in
        # bfloat16 leave an error of 1.3 % instead of 0.9 %.
        x = (x + self.pos_conv_embed(x)).to(self.layer_norm.weight.dtype)
        if not self.layer_norm_first:
            x = self.layer_norm(x)
        x = transform(0, self.dropout(x))
        yield x
        # The position bias of all layers belongs to the attention of the first one. If
        # it is pruned, no layer has a bias, as in the original (in training, too).
        first = cast(EncoderLayer, self.layers[0]).attention
        positions = None
        if first is not None and first.rel_attn_embed is not None:
            positions = first.rel_attn_embed(x.shape[1])
        for index, layer in enumerate(self.layers, start=1):
            x = transform(index, layer(x, positions, mask))
            yield x


class Encoder(nn.Module):
    """Feature projection and transformer."""

    def __init__(self, config: WavLMConfig) -> None:
        super().__init__()
        num_channels, *_ = config.extractor_conv_layer_config[-1]
        self.feature_projection = FeatureProjection(
            num_channels,
            config.encoder_embed_dim,
            config.encoder_projection_dropout,
            config.extractor_removed_channels[-1],
        )
        self.transformer = Transformer(config)

    def hidden_states(
        self,
        features: Tensor,
        is_padding: Tensor | None = None,
        transform: Transform = keep,
    ) -> Iterator[Tensor]:
        """Yield representations, see `Transformer.hidden_states`.

        Parameters
        ----------
        features : (batch, num_frames, channels) Tensor
        is_padding : (batch, num_frames) Tensor of bool, optional
            Frames that attention ignores. Defaults to none.
        transform : callable, optional
            See `Transformer.hidden_states`.
        """
        x = self.feature_projection(features)
        if is_padding is None:
            return self.transformer.hidden_states(x, transform=transform)
        x = x.masked_fill(is_padding.unsqueeze(-1), 0.0)
        mask = x.new_zeros(is_padding.shape).masked_fill(is_padding, -10000.0)
        return self.transformer.hidden_states(x, mask[:, None, None], transform)
