# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Layer norm that counts removed channels: what makes the pruning of channels exact.

A gate of zero silences a channel after the layer norm, but the layer norm divided all
channels by statistics to which this channel contributed. A network without the channel
has the same output only if it keeps this contribution.

Let x_1 ... x_K be the kept channels of a frame and r the vector of the R removed ones,
before the norm. The statistics need sum(r) and |r|^2 only, which do not change if r is
rotated such that its first component becomes sum(r) / sqrt(R). Components that are
always zero after the rotation need no computation: channels of a convolution are
products of few inputs at the first layer (10 samples per frame in WavLM), so that a few
components replace hundreds of channels.
"""

import torch
from torch import Tensor, nn


class PrunedLayerNorm(nn.LayerNorm):
    """Layer norm over kept channels, with the statistics of kept and removed ones.

    Parameters
    ----------
    num_channels : int
        Number of kept channels.
    num_removed : int
        Number of removed channels.
    """

    def __init__(self, num_channels: int, num_removed: int) -> None:
        super().__init__(num_channels)
        self.num_removed = num_removed

    def forward(self, x: Tensor) -> Tensor:
        """Normalise kept channels.

        Parameters
        ----------
        x : (..., num_channels + num_components) Tensor
            Kept channels, then components of the rotated removed ones.

        Returns
        -------
        y : (..., num_channels) Tensor
        """
        (num_channels,) = self.normalized_shape
        # in single precision at least, as layer norms under autocast
        values = x.to(torch.promote_types(x.dtype, torch.float32))
        kept, components = values.tensor_split([num_channels], dim=-1)
        first, others = components[..., :1], components[..., 1:]
        size = num_channels + self.num_removed
        scale = self.num_removed**0.5
        # m = (sum_k x_k + sqrt(R) r'_1) / (K + R)
        mean = (kept.sum(-1, keepdim=True) + scale * first) / size
        centred = kept - mean
        # (K + R) v = sum_k (x_k - m)^2 + |r - m|^2, where m is the same for all removed
        # channels: after the rotation, sqrt(R) m along the first component
        squares = centred.square().sum(-1, keepdim=True)
        squares = squares + (first - scale * mean).square()
        squares = squares + others.square().sum(-1, keepdim=True)
        normalised = centred * torch.rsqrt(squares / size + self.eps)
        return (normalised * self.weight + self.bias).to(x.dtype)


def rotate_removed(rows: Tensor, num_stale: int, num_removed: int) -> Tensor:
    """Rotate removed channels to as few components as they need.

    Parameters
    ----------
    rows : (num_rows, num_inputs) Tensor
        Weights (and bias) of channels, which are products of rows and inputs: first the
        components of channels that were removed before, if any, then other channels.
    num_stale : int
        Number of channels that were removed before.
    num_removed : int
        Number of all removed channels: `num_stale` and the number of other rows.

    Returns
    -------
    components : (num_components, num_inputs) Tensor
        Weights of the components: at most `num_rows`, or `num_inputs` + 1 if less.
    """
    double = rows.double()
    # The sum of removed channels is s r, with s = sqrt(num_stale) for the first
    # component of old ones, 0 for their other components, 1 for each new channel.
    num_new = num_removed - num_stale
    sums = double.new_zeros(len(rows))
    if num_stale:
        sums[0] = num_stale**0.5
    if num_new:
        sums[-num_new:] = 1.0
    unit = sums / sums.norm()  # |s|^2 = num_removed
    # Householder reflection H = I - 2 v v' / v'v with v = u + e_1 maps u to -e_1: the
    # first row of -H r is u r = sum(r) / sqrt(num_removed).
    v = unit.clone()
    v[0] += 1.0
    reflected = 2 * torch.outer(v, v @ double) / v.dot(v) - double
    first, others = reflected[:1], reflected[1:]
    if len(others) > others.shape[1]:
        # Q R = others, and |Q R x| = |R x|
        others = torch.linalg.qr(others, mode="r").R
    return torch.cat([first, others]).to(rows.dtype)
