# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Small speaker embedding: log-mel spectrogram, ResNet, statistics pooling [1]_.

Blocks of convolutions along time [2]_ [3]_ may follow the ResNet. They are mostly
matrix products, which CPUs compute fastest: a short ResNet followed by them is more
accurate than a long ResNet of the same cost.

Frames are computed once per chunk (`forward_frames`) and pooled once per speaker
(`forward_embedding`): a diarization pipeline runs the network once, whatever the number
of local speakers. With default settings, a second of audio takes 94 million
multiplications, twenty times fewer than with the ResNet34 of WeSpeaker, and gives one
frame every 40 ms.

References
----------
.. [1] H. Zeinali, S. Wang, A. Silnova, P. Matejka, O. Plchot, "BUT System Description
   to VoxCeleb Speaker Recognition Challenge 2019".
.. [2] Z. Liu, H. Mao, C.-Y. Wu, C. Feichtenhofer, T. Darrell, S. Xie, "A ConvNet for
   the 2020s", CVPR 2022.
.. [3] H.-J. Heo, U.-H. Shin, R. Lee, Y. Cheon, H.-M. Park, "NeXt-TDNN: Modernizing
   Multi-Scale Temporal Convolution Backbone for Speaker Verification", ICASSP 2024.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from pyannote.audio.core.model import Model
from pyannote.audio.core.task import Task
from pyannote.audio.utils.receptive_field import (
    multi_conv_num_frames,
    multi_conv_receptive_field_center,
    multi_conv_receptive_field_size,
)
from torch import Tensor, nn

from pyannote_diarizen.audio.reader import AudioReader
from pyannote_diarizen.models.log_mel import LogMelSpectrogram
from pyannote_diarizen.models.residual import ResidualNetwork


class TemporalBlock(nn.Module):
    """Depthwise convolution, then a perceptron on each frame [2]_.

    Parameters
    ----------
    channels : int
    kernel_size : int
        Kernel in frames, odd.
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
        # as an image of one row, whose memory has channels last: no copy on a CPU
        image = frames.transpose(1, 2).unsqueeze(2)
        mixed = F.conv2d(
            image,
            self.depthwise.weight.unsqueeze(2),
            self.depthwise.bias,
            padding=(0, self.depthwise.kernel_size[0] // 2),
            groups=len(self.depthwise.weight),
        )
        mixed = mixed.squeeze(2).transpose(1, 2)
        return frames + self.scale * self.narrow(F.gelu(self.widen(self.norm(mixed))))


class TemporalNetwork(nn.Module):
    """Sequence of temporal blocks, between two projections [3]_.

    Parameters
    ----------
    in_features : int
    channels : int
        Width of the blocks, and half the number of output features.
    num_blocks : int
    kernel_size : int, optional
        Kernel in frames, odd. Defaults to 5.
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
        # linear layers and layer norms take features last
        hidden = self.blocks(self.norm(self.project(frames.transpose(1, 2))))
        return F.gelu(self.expand(self.last_norm(hidden))).transpose(1, 2)


class FrameEncoder(nn.Module):
    """Spectrogram, residual network, optional temporal network: waveforms to frames.

    Frames are 40 ms apart if the residual network has two stages or more.

    Parameters
    ----------
    sample_rate : int
    num_mel_bins : int
    channels, blocks : sequence of int
        Width and number of blocks of each stage of the `ResidualNetwork`.
    temporal_channels, temporal_blocks : int
        Width and number of blocks of the `TemporalNetwork`; 0 blocks, no network.
    """

    def __init__(
        self,
        sample_rate: int,
        num_mel_bins: int,
        channels: Sequence[int],
        blocks: Sequence[int],
        temporal_channels: int,
        temporal_blocks: int,
    ) -> None:
        super().__init__()
        self.spectrogram = LogMelSpectrogram(sample_rate, num_mel_bins)
        self.resnet = ResidualNetwork(channels, blocks)
        self.num_features = self.resnet.num_features(num_mel_bins)
        self.temporal: TemporalNetwork | None = None
        kernels, strides = [3] * len(self.resnet.strides), self.resnet.strides
        if temporal_blocks:
            self.temporal = TemporalNetwork(
                self.num_features, temporal_channels, temporal_blocks
            )
            self.num_features = self.temporal.num_features
            kernels += self.temporal.kernel_sizes
            strides += [1] * temporal_blocks
        # along time, as arguments of the helpers of pyannote.audio
        self._geometry = {
            "kernel_size": [self.spectrogram.window_size, *kernels],
            "stride": [self.spectrogram.step, *strides],
            "padding": [0] + [kernel // 2 for kernel in kernels],
            "dilation": [1] * (1 + len(kernels)),
        }

    @property
    def context(self) -> tuple[int, int]:
        """Steps of the spectrogram from frame to frame, and on each side of a frame."""
        stride, margin = 1, 0
        kernels, strides = self._geometry["kernel_size"], self._geometry["stride"]
        for kernel, step in zip(kernels[1:], strides[1:], strict=True):
            margin += kernel // 2 * stride
            stride *= step
        return stride, margin

    def num_frames(self, num_samples: int) -> int:
        """Return the number of frames of `num_samples` samples."""
        return multi_conv_num_frames(num_samples, **self._geometry)

    def receptive_field_size(self, num_frames: int = 1) -> int:
        """Return the number of samples that `num_frames` frames depend on."""
        return multi_conv_receptive_field_size(num_frames, **self._geometry)

    def receptive_field_center(self, frame: int = 0) -> int:
        """Return the sample at the centre of the receptive field of `frame`."""
        return multi_conv_receptive_field_center(frame, **self._geometry)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Map (batch, num_samples) to (batch, num_features, num_frames).

        Raises
        ------
        ValueError
            If `waveforms` are shorter than 25 ms.
        """
        if waveforms.shape[-1] < self.spectrogram.window_size:
            raise ValueError(
                f"`waveforms` should have at least {self.spectrogram.window_size} "
                f"samples (25 ms), got shape {tuple(waveforms.shape)}."
            )
        return self.encode(self.spectrogram(waveforms))

    def encode(self, spectrogram: Tensor) -> Tensor:
        """Map (batch, num_mel_bins, num_steps) to (batch, num_features, num_frames)."""
        spectrogram = spectrogram.to(next(self.resnet.parameters()).dtype)
        # (batch, 1, band, frame) to (batch, channel, band, frame); channels and bands
        # of a frame are its features
        frames = self.resnet(spectrogram.unsqueeze(1)).flatten(1, 2)
        return frames if self.temporal is None else self.temporal(frames)


MIN_VARIANCE = 1e-5
"""Smallest variance of a feature: keeps gradients of its square root finite."""


def weighted_statistics(
    frames: Tensor, weights: Tensor, min_variance: float = MIN_VARIANCE
) -> Tensor:
    """Weighted mean and standard deviation over time, for each of several speakers.

    Two differences from `StatsPool` of pyannote.audio. Gradients stay finite where a
    feature is constant under the mask (a ReLU that is never active, a single frame).
    Weights are averaged, not sampled, when frames are coarser, so that short turns
    count.

    Parameters
    ----------
    frames : (batch, num_features, num_frames) Tensor
    weights : (batch, num_speakers, num_weights) Tensor
        Non-negative. All-zero weights give a mean of zero.
    min_variance : float, optional
        Smallest variance. Defaults to 1e-5.

    Returns
    -------
    statistics : (batch, num_speakers, 2 * num_features) Tensor
    """
    with torch.autocast(frames.device.type, enabled=False):
        frames, weights = frames.float(), weights.float()
        if weights.shape[-1] != frames.shape[-1]:
            weights = F.adaptive_avg_pool1d(weights, frames.shape[-1])
        # w_t, with a sum of 1 over frames; x_t is a frame
        weights = weights / weights.sum(dim=-1, keepdim=True).clamp(min=1e-8)
        frames = frames.transpose(1, 2)  # (batch, num_frames, num_features)
        # m = sum_t w_t x_t and v = sum_t w_t x_t^2 - m^2, as products of matrices that
        # all speakers share; rounding may make v negative, hence the minimum
        mean = weights @ frames
        variance = weights @ frames.square() - mean.square()
        return torch.cat([mean, variance.clamp(min=min_variance).sqrt()], dim=-1)


class SpeakerResNet(Model):
    """Small residual network that gives one embedding per speaker of a chunk.

    Parameters
    ----------
    sample_rate : int, optional
        Defaults to 16000.
    num_channels : int, optional
        Only mono is supported. Defaults to 1.
    num_mel_bins : int, optional
        Defaults to 80.
    channels : sequence of int, optional
        Width of each stage of the `ResidualNetwork`. Defaults to (16, 32, 64, 128).
    blocks : sequence of int, optional
        Number of residual blocks per stage. Defaults to (2, 2, 2, 1).
    temporal_channels, temporal_blocks : int, optional
        Width and number of blocks of a `TemporalNetwork` after the residual network.
        Default to 256 and none.
    dimension : int, optional
        Dimension of embeddings. Defaults to 192.
    task : Task, optional
        Task that trains the model.
    """

    def __init__(
        self,
        sample_rate: int = 16000,
        num_channels: int = 1,
        num_mel_bins: int = 80,
        channels: Sequence[int] = (16, 32, 64, 128),
        blocks: Sequence[int] = (2, 2, 2, 1),
        temporal_channels: int = 256,
        temporal_blocks: int = 0,
        dimension: int = 192,
        task: Task | None = None,
    ) -> None:
        super().__init__(sample_rate=sample_rate, num_channels=num_channels, task=task)
        self.save_hyperparameters(
            "num_mel_bins",
            "channels",
            "blocks",
            "temporal_channels",
            "temporal_blocks",
            "dimension",
        )
        self.audio = AudioReader(sample_rate=sample_rate, mono="downmix")

        self.encoder = FrameEncoder(
            sample_rate,
            num_mel_bins,
            channels,
            blocks,
            temporal_channels,
            temporal_blocks,
        )
        num_statistics = 2 * self.encoder.num_features
        self.norm = nn.BatchNorm1d(num_statistics)
        self.linear = nn.Linear(num_statistics, dimension)

    @property
    def dimension(self) -> int:
        """Dimension of embeddings."""
        return int(self.hparams["dimension"])

    def num_frames(self, num_samples: int) -> int:
        """Return the number of frames of `num_samples` samples."""
        return self.encoder.num_frames(num_samples)

    def receptive_field_size(self, num_frames: int = 1) -> int:
        """Return the number of samples that `num_frames` frames depend on."""
        return self.encoder.receptive_field_size(num_frames)

    def receptive_field_center(self, frame: int = 0) -> int:
        """Return the sample at the centre of the receptive field of `frame`."""
        return self.encoder.receptive_field_center(frame)

    def forward_frames(self, waveforms: Tensor) -> Tensor:
        """Compute the frames that all speakers of a chunk share.

        Parameters
        ----------
        waveforms : (batch, 1, num_samples) Tensor
            Waveforms of at least 25 ms.

        Returns
        -------
        frames : (batch, num_features, num_frames) Tensor
        """
        return self.encoder(waveforms.squeeze(1))

    def forward_embedding(
        self, frames: Tensor, weights: Tensor | None = None
    ) -> Tensor:
        """Pool frames into embeddings.

        Parameters
        ----------
        frames : (batch, num_features, num_frames) Tensor
            Frames from `forward_frames`.
        weights : (batch, num_weights) or (batch, speakers, num_weights) Tensor
            Weight of each instant, at any resolution. Defaults to equal weights.

        Returns
        -------
        embeddings : (batch, dimension) or (batch, speakers, dimension) Tensor
        """
        if weights is None:
            weights = frames.new_ones(len(frames), 1)
        per_speaker = weights.ndim == 3
        statistics = weighted_statistics(
            frames, weights if per_speaker else weights.unsqueeze(1)
        )  # (batch, speakers, 2 * num_features)
        batch_and_speakers = statistics.shape[:2]
        embeddings = self.project(statistics.flatten(0, 1))
        embeddings = embeddings.unflatten(0, batch_and_speakers)
        return embeddings if per_speaker else embeddings.squeeze(1)

    def project(self, statistics: Tensor) -> Tensor:
        """Map (batch, 2 * num_features) statistics to (batch, dimension)."""
        return self.linear(self.norm(statistics.to(self.norm.weight.dtype)))

    def forward(self, waveforms: Tensor, weights: Tensor | None = None) -> Tensor:
        """Extract embeddings.

        Parameters
        ----------
        waveforms : (batch, 1, num_samples) Tensor
        weights : (batch, num_weights) or (batch, speakers, num_weights) Tensor
            See `forward_embedding`.

        Returns
        -------
        embeddings : (batch, dimension) or (batch, speakers, dimension) Tensor
        """
        return self.forward_embedding(self.forward_frames(waveforms), weights)
