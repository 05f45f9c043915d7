# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""What channels of a recording learn from each other, frame by frame."""

import torch
from torch import Tensor, nn

DROPOUT = 0.1


class CrossChannelAttention(nn.Module):
    """Multi-head attention across the channels of each frame.

    Channels are a set: any number of them, in any order.

    Parameters
    ----------
    embed_dim : int
        Dimension of what goes in and out.
    hidden_dim : int
        Dimension of all heads together.
    num_heads : int

    Raises
    ------
    ValueError
        If `hidden_dim` is no multiple of `num_heads`.
    """

    def __init__(self, embed_dim: int, hidden_dim: int, num_heads: int) -> None:
        super().__init__()
        if num_heads < 1 or hidden_dim < 1 or hidden_dim % num_heads:
            raise ValueError(
                "the dimension of channel fusion should be a multiple of its number of "
                f"heads, got {hidden_dim} and {num_heads}."
            )
        self.num_heads = num_heads
        self.linearQ = nn.Linear(embed_dim, hidden_dim)
        self.linearK = nn.Linear(embed_dim, hidden_dim)
        self.linearV = nn.Linear(embed_dim, hidden_dim)
        self.linearO = nn.Linear(hidden_dim, embed_dim)
        self.dropout = nn.Dropout(DROPOUT)
        self.ln_norm = nn.LayerNorm(embed_dim)
        # close to the identity, for a model that starts from a mono one
        nn.init.constant_(self.ln_norm.weight, 0.01)

    def forward(self, x: Tensor) -> tuple[Tensor, Tensor]:
        """Attend.

        Parameters
        ----------
        x : (batch, channel, frame, embed_dim) Tensor

        Returns
        -------
        y : (batch, channel, frame, embed_dim) Tensor
        attention : (batch, frame, channel, channel) Tensor
            How much each channel looks at each channel, all heads averaged; sums to
            one over the last.
        """
        query, key, value = map(
            self._split, (self.linearQ(x), self.linearK(x), self.linearV(x))
        )
        logits = query @ key.transpose(-1, -2) / query.shape[-1] ** 0.5
        attention = torch.softmax(logits, dim=-1)
        heads = self.dropout(attention) @ value
        # (batch, frame, head, channel, dimension) to (batch, channel, frame, hidden)
        joined = heads.permute(0, 3, 1, 2, 4).flatten(3)
        return x + self.ln_norm(self.linearO(joined)), attention.mean(dim=2)

    def _split(self, x: Tensor) -> Tensor:
        """To (batch, frame, head, channel, dimension)."""
        return x.unflatten(-1, (self.num_heads, -1)).permute(0, 2, 3, 1, 4)
