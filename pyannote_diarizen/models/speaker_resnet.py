# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""A small speaker embedding: log-mel spectrogram, ResNet, statistics pooling.

Between the last two there may be convolutions along time, which make a short ResNet
learn more from as many operations.

Frames are computed once per chunk and pooled as many times as there are speakers
(`forward_frames`, then `forward_embedding`), so a diarization pipeline pays for the
network once, however many local speakers a chunk has. With default settings: 94
million multiplications per second of audio, twenty times fewer than the ResNet34
of WeSpeaker, and one frame every 40 ms.

References
----------
H. Zeinali, S. Wang, A. Silnova, P. Matejka, O. Plchot, "BUT System Description to
VoxCeleb Speaker Recognition Challenge 2019".
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from pyannote.audio.core.model import Model
from pyannote.audio.core.task import Task
from torch import Tensor, nn

from pyannote_diarizen.audio.reader import AudioReader
from pyannote_diarizen.models.speaker_frames import SpeakerFrames


def weighted_statistics(
    frames: Tensor, weights: Tensor, min_variance: float = 1e-5
) -> Tensor:
    """Weighted mean and standard deviation over time, for several speakers at once.

    Unlike the host's `StatsPool`, gradients stay finite when a feature is constant
    under the mask (a ReLU that never fires, a single frame), and weights are
    averaged rather than picked when frames are coarser, so that no short turn is lost.

    Parameters
    ----------
    frames : (batch, num_features, num_frames) Tensor
    weights : (batch, num_speakers, num_weights) Tensor
        Not negative. All-zero weights give a mean of zero.
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
        weights = weights / weights.sum(dim=-1, keepdim=True).clamp(min=1e-8)
        frames = frames.transpose(1, 2)
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
        Width and number of blocks of a `TemporalNetwork` after the residual one.
        Default to 256 and none.
    dimension : int, optional
        Of embeddings. Defaults to 192.
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

        self.encoder = SpeakerFrames(
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
        """Return the number of frames that `num_samples` samples give."""
        return self.encoder.num_frames(num_samples)

    def receptive_field_size(self, num_frames: int = 1) -> int:
        """Return the number of samples that `num_frames` frames see."""
        return self.encoder.receptive_field_size(num_frames)

    def receptive_field_center(self, frame: int = 0) -> int:
        """Return the sample at the centre of what `frame` sees."""
        return self.encoder.receptive_field_center(frame)

    def forward_frames(self, waveforms: Tensor) -> Tensor:
        """Compute what is shared by all speakers of a chunk.

        Parameters
        ----------
        waveforms : (batch, 1, num_samples) Tensor
            At least 25 ms.

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
            From `forward_frames`.
        weights : (batch, num_weights) or (batch, speakers, num_weights) Tensor
            How much each instant counts, at any resolution. Defaults to all the same.

        Returns
        -------
        embeddings : (batch, dimension) or (batch, speakers, dimension) Tensor
        """
        if weights is None:
            weights = frames.new_ones(len(frames), 1)
        per_speaker = weights.ndim == 3
        statistics = weighted_statistics(
            frames, weights if per_speaker else weights.unsqueeze(1)
        )
        batch_and_speakers = statistics.shape[:2]
        normalized = self.norm(statistics.flatten(0, 1).to(self.norm.weight.dtype))
        embeddings = self.linear(normalized).unflatten(0, batch_and_speakers)
        return embeddings if per_speaker else embeddings.squeeze(1)

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
