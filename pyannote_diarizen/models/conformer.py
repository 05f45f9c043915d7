# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Conformer encoder [1]_, with the layers and names of weights of DiariZen.

A block applies four residual steps to frames x, then a layer norm (section 2.4 of
[1]_): x + FFN(x) / 2, x + MHA(x), x + Conv(x), x + FFN(x) / 2 with other weights.

References
----------
.. [1] A. Gulati et al., "Conformer: Convolution-augmented Transformer for Speech
   Recognition", Interspeech 2020.
.. [2] P. Shaw, J. Uszkoreit, A. Vaswani, "Self-Attention with Relative Position
   Representations", NAACL 2018.
"""

import math
from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from torch import Tensor, nn

ACTIVATIONS = {
    "Tanh": nn.Tanh,
    "ReLU": nn.ReLU,
    "ReLU6": nn.ReLU6,
    "LeakyReLU": nn.LeakyReLU,
    "PReLU": nn.PReLU,
    "Sigmoid": nn.Sigmoid,
}


class FeedForward(nn.Module):
    """Layer norm, linear layer, swish, linear layer."""

    def __init__(self, dimension: int, hidden: int, dropout: float) -> None:
        super().__init__()
        self.ln_norm = nn.LayerNorm(dimension)
        self.w_1 = nn.Linear(dimension, hidden)
        self.w_2 = nn.Linear(hidden, dimension)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, frame, dimension) to the same shape."""
        # swish(x) = x sigmoid(x), which torch calls SiLU
        hidden = self.dropout(F.silu(self.w_1(self.ln_norm(x))))
        return self.dropout(self.w_2(hidden))


class RelativePositions(nn.Module):
    """One vector per distance between query and key, clamped at 1000 frames [2]_.

    Adds q_i a[clip(i - j)] to the logit of query i and key j (equation 4 of [2]_),
    with a the vectors `pe_k`.
    """

    max_distance = 1000

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.pe_k = nn.Embedding(2 * self.max_distance, dimension)

    def forward(self, query: Tensor) -> Tensor:
        """Map (batch, head, frame, dimension) to (batch, head, frame, frame) logits."""
        *batch, num_frames, _ = query.shape
        frames = torch.arange(num_frames, device=query.device)
        distance = (frames[:, None] - frames).clamp(
            -self.max_distance, self.max_distance - 1
        )
        # one product per distance, then one look-up per pair of frames
        by_distance = query @ self.pe_k.weight.T
        return by_distance.gather(
            -1, (distance + self.max_distance).expand(*batch, -1, -1)
        )


class MultiHeadAttention(nn.Module):
    """Self-attention, with optional relative positions."""

    def __init__(self, dimension: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.num_heads = num_heads
        self.dropout = dropout
        self.linearQ = nn.Linear(dimension, dimension)
        self.linearK = nn.Linear(dimension, dimension)
        self.linearV = nn.Linear(dimension, dimension)
        self.linearO = nn.Linear(dimension, dimension)

    def forward(self, x: Tensor, positions: RelativePositions | None = None) -> Tensor:
        """Map (batch, frame, dimension) to the same shape."""
        # of shape (batch, head, frame, dimension of a head)
        query, key, value = (
            linear(x).unflatten(-1, (self.num_heads, -1)).transpose(1, 2)
            for linear in (self.linearQ, self.linearK, self.linearV)
        )
        bias = None
        if positions is not None:
            # scaled as the product of query and key
            bias = positions(query) / math.sqrt(query.shape[-1])
        output = F.scaled_dot_product_attention(
            query,
            key,
            value,
            attn_mask=bias,
            dropout_p=self.dropout if self.training else 0.0,
        )
        return self.linearO(output.transpose(1, 2).flatten(2))


class Attention(nn.Module):
    """Layer norm, then self-attention."""

    def __init__(self, dimension: int, num_heads: int, dropout: float) -> None:
        super().__init__()
        self.ln_norm = nn.LayerNorm(dimension)
        self.mha = MultiHeadAttention(dimension, num_heads, dropout)
        self.dropout = nn.Dropout(dropout)

    def forward(self, x: Tensor, positions: RelativePositions | None = None) -> Tensor:
        """Map (batch, frame, dimension) to the same shape."""
        return self.dropout(self.mha(self.ln_norm(x), positions))


class Convolution(nn.Module):
    """Layer norm, gated pointwise, depthwise and pointwise convolutions."""

    dropout_rate = 0.1
    """Fixed in the original, whatever the dropout of the encoder."""

    def __init__(self, dimension: int, kernel_size: int) -> None:
        super().__init__()
        self.ln_norm = nn.LayerNorm(dimension)
        self.pointwise_conv1 = nn.Conv1d(dimension, 2 * dimension, 1)
        self.depthwise_conv = nn.Conv1d(
            dimension,
            dimension,
            kernel_size,
            padding=(kernel_size - 1) // 2,
            groups=dimension,
        )
        self.bn_norm = nn.BatchNorm1d(dimension)
        self.pointwise_conv2 = nn.Conv1d(dimension, dimension, 1)
        self.dropout = nn.Dropout(self.dropout_rate)

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, frame, dimension) to the same shape."""
        # Convolutions take frames last. The first one has 2 x dimension outputs: half
        # of them are values, the sigmoid of the others their gates.
        gated = F.glu(self.pointwise_conv1(self.ln_norm(x).transpose(1, 2)), dim=1)
        hidden = F.silu(self.bn_norm(self.depthwise_conv(gated)))
        return self.dropout(self.pointwise_conv2(hidden)).transpose(1, 2)


class ConformerBlock(nn.Module):
    """Half feed-forward, attention, convolution, half feed-forward, layer norm."""

    def __init__(
        self,
        dimension: int,
        ffn_hidden: int,
        num_heads: int,
        kernel_size: int,
        dropout: float,
    ) -> None:
        super().__init__()
        self.ffn1 = FeedForward(dimension, ffn_hidden, dropout)
        self.mha = Attention(dimension, num_heads, dropout)
        self.conv = Convolution(dimension, kernel_size)
        self.ffn2 = FeedForward(dimension, ffn_hidden, dropout)
        self.ln_norm = nn.LayerNorm(dimension)

    def forward(self, x: Tensor, positions: RelativePositions | None = None) -> Tensor:
        """Map (batch, frame, dimension) to the same shape."""
        x = x + 0.5 * self.ffn1(x)
        x = x + self.mha(x, positions)
        x = x + self.conv(x)
        x = x + 0.5 * self.ffn2(x)
        return self.ln_norm(x)


class Conformer(nn.Module):
    """Stack of Conformer blocks.

    Parameters
    ----------
    attention_in : int, optional
        Number of features per frame. Defaults to 256.
    ffn_hidden : int, optional
        Width of feed-forward blocks. Defaults to 1024.
    num_head : int, optional
        Number of attention heads. Defaults to 4.
    num_layer : int, optional
        Number of blocks. Defaults to 4.
    kernel_size : int, optional
        Kernel of depthwise convolutions, in frames, odd. Defaults to 31.
    dropout : float, optional
        Defaults to 0.1.
    use_posi : bool, optional
        Whether attention uses relative positions, with one table for all blocks and
        heads. Defaults to False.
    output_activate_function : str or False, optional
        Name of the activation after the last block. Defaults to none.

    Raises
    ------
    ValueError
        If `kernel_size` is even, `attention_in` is not a multiple of `num_head`, or
        the activation is unknown.
    """

    def __init__(
        self,
        attention_in: int = 256,
        ffn_hidden: int = 1024,
        num_head: int = 4,
        num_layer: int = 4,
        kernel_size: int = 31,
        dropout: float = 0.1,
        use_posi: bool = False,
        output_activate_function: str | Literal[False] | None = False,
    ) -> None:
        super().__init__()
        if kernel_size % 2 == 0:
            raise ValueError(f"`kernel_size` should be odd, got {kernel_size}.")
        if attention_in % num_head:
            raise ValueError(
                "`attention_in` should be a multiple of `num_head`, got "
                f"{attention_in} and {num_head}."
            )
        if output_activate_function and output_activate_function not in ACTIVATIONS:
            raise ValueError(
                f"`output_activate_function` should be one of {', '.join(ACTIVATIONS)} "
                f"or False, got {output_activate_function!r}."
            )
        self.conformer_layer = nn.ModuleList(
            ConformerBlock(attention_in, ffn_hidden, num_head, kernel_size, dropout)
            for _ in range(num_layer)
        )
        self.pos_emb = RelativePositions(attention_in // num_head) if use_posi else None
        self.activate_function = (
            ACTIVATIONS[output_activate_function]()
            if output_activate_function
            else None
        )

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, frame, attention_in) to the same shape."""
        for block in self.conformer_layer:
            x = block(x, self.pos_emb)
        if self.activate_function is not None:
            x = self.activate_function(x)
        return x
