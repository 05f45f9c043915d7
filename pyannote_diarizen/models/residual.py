# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Residual network on spectrograms [1]_.

References
----------
.. [1] K. He, X. Zhang, S. Ren, J. Sun, "Deep Residual Learning for Image
   Recognition", CVPR 2016.
"""

from collections.abc import Sequence
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from torch import Tensor, nn


def normalized(features: Tensor, convolution: Any, norm: Any) -> Tensor:
    """Apply a `Conv2d` and a `BatchNorm2d`, as one convolution outside of training."""
    if norm.training:
        return norm(convolution(features))
    scale = norm.weight / torch.sqrt(norm.running_var + norm.eps)
    return F.conv2d(
        features,
        convolution.weight * scale[:, None, None, None],
        norm.bias - scale * norm.running_mean,
        convolution.stride,
        convolution.padding,
    )


def use_channels_last(network: nn.Module) -> None:
    """Store 2D convolutions with channels last: twice as fast on a CPU."""
    for weight in network.parameters():
        if weight.ndim == 4:
            weight.data = weight.data.to(memory_format=torch.channels_last)


class ResidualBlock(nn.Module):
    """Two convolutions and a shortcut [1]_. `stride` is (frequency, time)."""

    def __init__(
        self, in_channels: int, out_channels: int, stride: tuple[int, int] = (1, 1)
    ) -> None:
        super().__init__()
        self.conv1 = nn.Conv2d(in_channels, out_channels, 3, stride, 1, bias=False)
        self.norm1 = nn.BatchNorm2d(out_channels)
        self.conv2 = nn.Conv2d(out_channels, out_channels, 3, 1, 1, bias=False)
        self.norm2 = nn.BatchNorm2d(out_channels)
        self.shortcut: nn.Module = nn.Identity()
        if in_channels != out_channels or stride != (1, 1):
            self.shortcut = nn.Sequential(
                nn.Conv2d(in_channels, out_channels, 1, stride, bias=False),
                nn.BatchNorm2d(out_channels),
            )

    def forward(self, features: Tensor) -> Tensor:
        """Map (batch, in_channels, band, frame) to (batch, out_channels, ...)."""
        output = F.relu_(normalized(features, self.conv1, self.norm1))
        output = normalized(output, self.conv2, self.norm2)
        if isinstance(self.shortcut, nn.Sequential):
            features = normalized(features, *self.shortcut)
        return F.relu_(output + features)


class ResidualNetwork(nn.Sequential):
    """Stages of residual blocks: (batch, 1, band, frame) to (batch, channel, ...).

    The first convolution halves frequency and time. Each stage but the first halves
    frequency; the second halves time, too.

    Parameters
    ----------
    channels : sequence of int
        Width of each stage. CPUs are fastest with multiples of 16.
    blocks : sequence of int
        Number of residual blocks per stage.

    Raises
    ------
    ValueError
        If `channels` and `blocks` differ in length, or are not positive.
    """

    def __init__(self, channels: Sequence[int], blocks: Sequence[int]) -> None:
        if len(channels) != len(blocks) or not all(
            n >= 1 for n in (*channels, *blocks)
        ):
            raise ValueError(
                "`channels` and `blocks` should give one positive number per stage, "
                f"got {tuple(channels)} and {tuple(blocks)}."
            )
        layers: list[nn.Module] = [
            nn.Conv2d(1, channels[0], 3, 2, 1, bias=False),
            nn.BatchNorm2d(channels[0]),
            nn.ReLU(),
        ]
        in_channels = channels[0]
        for stage, (width, depth) in enumerate(zip(channels, blocks, strict=True)):
            # (frequency, time), for the first block of the stage
            stride = (1 if stage == 0 else 2, 2 if stage == 1 else 1)
            for block in range(depth):
                layers.append(
                    ResidualBlock(in_channels, width, stride if block == 0 else (1, 1))
                )
                in_channels = width
        super().__init__(*layers)
        use_channels_last(self)

    def forward(self, features: Tensor) -> Tensor:
        """Map (batch, 1, band, frame) to (batch, channel, band, frame)."""
        convolution, norm, _, *blocks = self
        features = F.relu_(normalized(features, convolution, norm))
        for block in blocks:
            features = block(features)
        return features

    def num_features(self, num_bands: int) -> int:
        """Return the number of features (channels x bands) per output frame."""
        channels = 1
        for layer in self.modules():
            if isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3):
                num_bands = (num_bands - 1) // layer.stride[0] + 1  # padding of 1
                channels = layer.out_channels
        return channels * num_bands

    @property
    def strides(self) -> list[int]:
        """Stride in time of each convolution, shortcuts excluded."""
        return [
            layer.stride[1]
            for layer in self.modules()
            if isinstance(layer, nn.Conv2d) and layer.kernel_size == (3, 3)
        ]
