# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Convolutions along time that are mostly matrix products, which CPUs like best.

References
----------
.. [1] Z. Liu, H. Mao, C.-Y. Wu, C. Feichtenhofer, T. Darrell, S. Xie, "A ConvNet for
   the 2020s", CVPR 2022.
.. [2] H.-J. Heo, U.-H. Shin, R. Lee, Y. Cheon, H.-M. Park, "NeXt-TDNN: Modernizing
   Multi-Scale Temporal Convolution Backbone for Speaker Verification", ICASSP 2024.
"""

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from torch import Tensor, nn


class TemporalBlock(nn.Module):
    """Depthwise convolution, then a perceptron on each frame [1]_.

    Parameters
    ----------
    channels : int
    kernel_size : int
        In frames, odd.
    """

    expansion = 2

    def __init__(self, channels: int, kernel_size: int) -> None:
        super().__init__()
        self.depthwise = nn.Conv1d(
            channels, channels, kernel_size, padding=kernel_size // 2, groups=channels
        )
        self.norm = nn.LayerNorm(channels)
        self.widen = nn.Linear(channels, self.expansion * channels)
        self.narrow = nn.Linear(self.expansion * channels, channels)
        self.scale = nn.Parameter(torch.full((channels,), 0.1))

    def forward(self, frames: Tensor) -> Tensor:
        """Map (batch, num_frames, channels) to the same shape."""
        mixed = self.depthwise(frames.transpose(1, 2)).transpose(1, 2)
        return frames + self.scale * self.narrow(F.gelu(self.widen(self.norm(mixed))))


class TemporalNetwork(nn.Module):
    """Blocks after each other, from any number of features to `num_features` [2]_.

    Parameters
    ----------
    in_features : int
    channels : int
    num_blocks : int
    kernel_size : int, optional
        In frames, odd. Defaults to 5.
    """

    def __init__(
        self, in_features: int, channels: int, num_blocks: int, kernel_size: int = 5
    ) -> None:
        super().__init__()
        self.kernel_sizes = [kernel_size] * num_blocks
        self.num_features = 2 * channels
        self.project = nn.Linear(in_features, channels)
        self.norm = nn.LayerNorm(channels)
        self.blocks = nn.Sequential(
            *(TemporalBlock(channels, kernel_size) for _ in range(num_blocks))
        )
        self.last_norm = nn.LayerNorm(channels)
        self.expand = nn.Linear(channels, self.num_features)

    def forward(self, frames: Tensor) -> Tensor:
        """Map (batch, in_features, num_frames) to (batch, num_features, num_frames)."""
        hidden = self.blocks(self.norm(self.project(frames.transpose(1, 2))))
        return F.gelu(self.expand(self.last_norm(hidden))).transpose(1, 2)
