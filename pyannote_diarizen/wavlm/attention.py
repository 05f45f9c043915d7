# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Self-attention with gated relative position bias.

The distance between query and key falls into one of `num_buckets` buckets: one per
frame nearby, logarithmically wider ones further away [1]_. Each bucket and head has one
learnt bias, shared by all layers. Each layer scales it by a gate, computed from its
input at the query [2]_.

Symbols: i is the frame of the query, j of the key, h the index of the head, T the
number of frames.

References
----------
.. [1] C. Raffel et al., "Exploring the Limits of Transfer Learning with a Unified
   Text-to-Text Transformer", JMLR 2020, section 2.1.
.. [2] S. Chen et al., "WavLM: Large-Scale Self-Supervised Pre-Training for Full Stack
   Speech Processing", IEEE JSTSP 2022, equations 3 to 9; Z. Chi et al., "XLM-E",
   ACL 2022.
"""

import math
from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from torch import Tensor, nn

from pyannote_diarizen.wavlm.gates import HardConcrete, apply_gates


def relative_buckets(distances: Tensor, num_buckets: int, max_distance: int) -> Tensor:
    """Bucket of each relative position.

    Half of the buckets are for keys after the query. Within each half, the first half
    holds one distance per bucket; the widths of the others grow logarithmically.

    Parameters
    ----------
    distances : Tensor of int
        Position of the key minus position of the query, in frames.
    num_buckets : int
    max_distance : int
        Distance from which all keys share the last bucket of their half.

    Returns
    -------
    buckets : Tensor of int
        Same shape as `distances`, between 0 and `num_buckets` - 1.

    Examples
    --------
    >>> relative_buckets(torch.tensor([-9, -2, 0, 2, 9]), num_buckets=8, max_distance=8)
    tensor([3, 2, 0, 6, 7])
    """
    per_side = num_buckets // 2
    num_exact = per_side // 2
    absolute = distances.abs()
    # exact + log(|j - i| / exact) / log(max_distance / exact) * (per_side - exact),
    # in float32 as in the original: double precision moves a few borders.
    ratio = torch.log(absolute.clamp(min=1).float() / num_exact)
    ratio = ratio / math.log(max_distance / num_exact)
    wide = num_exact + (ratio * (per_side - num_exact)).long()
    wide = wide.clamp(max=per_side - 1)
    buckets = torch.where(absolute < num_exact, absolute, wide)
    return buckets + per_side * (distances > 0)


class RelativePositions(nn.Module):
    """Learnt bias of each head for each relative position.

    Parameters
    ----------
    num_buckets, num_heads, max_distance : int
    """

    buckets: Tensor

    def __init__(self, num_buckets: int, num_heads: int, max_distance: int) -> None:
        super().__init__()
        self.weight = nn.Parameter(torch.randn(num_buckets, num_heads))
        self.max_distance = max_distance
        distances = torch.arange(-max_distance, max_distance + 1)
        buckets = relative_buckets(distances, num_buckets, max_distance)
        # The bucket is the same beyond `max_distance`: one table serves all lengths.
        self.register_buffer("buckets", buckets, persistent=False)

    def forward(self, num_frames: int) -> Tensor:
        """Biases, from the furthest key after the query to the furthest before it.

        Parameters
        ----------
        num_frames : int

        Returns
        -------
        values : (num_heads, 2 x num_frames - 1) Tensor
            Entry m is the bias of a key at num_frames - 1 - m frames from the query.
        """
        distances = torch.arange(
            num_frames - 1, -num_frames, -1, device=self.weight.device
        )
        distances = distances.clamp(-self.max_distance, self.max_distance)
        buckets = self.buckets[distances + self.max_distance]  # (2 x num_frames - 1)
        return F.embedding(buckets, self.weight).t()


class OutputBias(nn.Module):
    """Bias of an output projection of which exact pruning removed all inputs.

    Parameters
    ----------
    dimension : int
    """

    def __init__(self, dimension: int) -> None:
        super().__init__()
        self.bias = nn.Parameter(torch.zeros(dimension))

    def forward(self, x: Tensor) -> Tensor:
        """Return the bias for each frame of `x` (batch, num_frames, dimension)."""
        return self.bias.expand_as(x)


class GatedSelfAttention(nn.Module):
    """Multi-head self-attention with the heads that remain after pruning.

    Without any head, the output is the bias of the output projection.

    Parameters
    ----------
    embed_dim : int
    num_heads : int
        Number of heads before pruning.
    heads : sequence of int
        Index of each remaining head.
    dropout : float
        Dropout of attention probabilities.
    relative_positions : RelativePositions, optional
        Biases of all layers, which are weights of the first one. Defaults to None.

    Attributes
    ----------
    hard_concrete_for_heads, hard_concrete_for_layer : HardConcrete or None
        Gates of heads, and of the whole block.
    """

    def __init__(
        self,
        embed_dim: int,
        num_heads: int,
        heads: Sequence[int],
        dropout: float,
        relative_positions: RelativePositions | None = None,
    ) -> None:
        super().__init__()
        self.head_dim = embed_dim // num_heads
        self.num_heads = num_heads
        self.heads = list(heads)
        self.dropout = dropout
        self.rel_attn_embed = relative_positions
        self.hard_concrete_for_heads: HardConcrete | None = None
        self.hard_concrete_for_layer: HardConcrete | None = None
        self.out_proj: nn.Linear | OutputBias = OutputBias(embed_dim)
        if not self.heads:
            return
        dimension = len(self.heads) * self.head_dim
        self.k_proj = nn.Linear(embed_dim, dimension)
        self.v_proj = nn.Linear(embed_dim, dimension)
        self.q_proj = nn.Linear(embed_dim, dimension)
        self.out_proj = nn.Linear(dimension, embed_dim)
        self.gru_rel_pos_linear = nn.Linear(self.head_dim, 8)
        self.gru_rel_pos_const = nn.Parameter(torch.ones(1, num_heads, 1, 1))

    def forward(
        self, x: Tensor, positions: Tensor | None = None, mask: Tensor | None = None
    ) -> Tensor:
        """Apply self-attention.

        Parameters
        ----------
        x : (batch, num_frames, embed_dim) Tensor
        positions : (num_heads, 2 x num_frames - 1) Tensor, optional
            Output of `RelativePositions`. Defaults to no position bias.
        mask : (batch, 1, 1, num_frames) Tensor, optional
            Added to the logits of each key. Defaults to no mask.

        Returns
        -------
        y : (batch, num_frames, embed_dim) Tensor
        """
        if not self.heads:
            return apply_gates(self.out_proj(x), self.hard_concrete_for_layer)
        # Keys run from last to first, j' = T - 1 - j. The bias d[j - i] is then
        # positions[i + j'], and the matrix of all biases a view without any copy.
        reverse = x.flip(1)
        query = self._split(self.q_proj(x))  # (batch, num_heads, num_frames, head_dim)
        key = self._split(self.k_proj(reverse))
        value = self._split(self.v_proj(reverse))
        bias = None if mask is None else mask.flip(-1).to(query.dtype)
        if positions is not None:
            position_bias = self._position_bias(x, positions.to(query.dtype))
            bias = position_bias if bias is None else position_bias + bias
        # softmax_j(q_i k_j / sqrt(head_dim) + r_ij) v_j
        y = F.scaled_dot_product_attention(
            query, key, value, bias, dropout_p=self.dropout if self.training else 0.0
        )  # (batch, num_remaining_heads, num_frames, head_dim)
        y = apply_gates(y.movedim(1, -1), self.hard_concrete_for_heads).movedim(-1, 2)
        return apply_gates(self.out_proj(y.flatten(2)), self.hard_concrete_for_layer)

    def _split(self, x: Tensor) -> Tensor:
        return x.unflatten(-1, (-1, self.head_dim)).transpose(1, 2)

    def _position_bias(self, x: Tensor, positions: Tensor) -> Tensor:
        """Gated bias r of each head, query and key.

        With x_i the slice of the input that belongs to the head, u and v learnt
        vectors, c a learnt scalar per head and d the bias of the distance [2]_:

        - update_i = sigmoid(u x_i) and reset_i = sigmoid(v x_i);
        - r_ij = (2 + update_i (c reset_i - 1)) d[j - i].

        `update` is 1 minus the update gate of the paper, as in Microsoft's code.

        Parameters
        ----------
        x : (batch, num_frames, embed_dim) Tensor
        positions : (num_heads, 2 x num_frames - 1) Tensor

        Returns
        -------
        bias : (batch, num_remaining_heads, num_frames, num_frames) Tensor
            Keys run from last to first.
        """
        inputs = x.unflatten(-1, (self.num_heads, self.head_dim))
        const = self.gru_rel_pos_const.flatten()  # (num_heads,)
        if len(self.heads) < self.num_heads:
            inputs = inputs[:, :, self.heads]
            const = const[self.heads]
            positions = positions[self.heads]
        # The linear layer has eight outputs: 0 to 3 are summed into `update`, 4 to 7
        # into `reset`. Summing its weights instead costs less, and gives u and v.
        weight = self.gru_rel_pos_linear.weight.view(2, 4, -1).sum(1)
        bias = self.gru_rel_pos_linear.bias.view(2, 4).sum(1)
        gates = torch.sigmoid(F.linear(inputs, weight, bias))
        update, reset = gates.unbind(-1)  # (batch, num_frames, num_remaining_heads)
        gate = update * (reset * const - 1) + 2
        # Contiguous, so that the product is too; attention would copy it otherwise.
        gate = gate.to(positions.dtype).transpose(1, 2).contiguous().unsqueeze(-1)
        return gate * self.windows(positions, x.shape[1])

    @staticmethod
    def windows(positions: Tensor, num_frames: int) -> Tensor:
        """View (..., 2 x num_frames - 1) as (..., num_frames, num_frames)."""
        return positions.unfold(-1, num_frames, 1)
