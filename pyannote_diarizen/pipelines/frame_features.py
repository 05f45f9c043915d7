# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Embedding networks taken apart: spectrogram, frames, statistics, embedding.

A network that subtracts the mean spectrum of its input gives other frames for each
chunk. With a mean over a sliding window instead, the frames of a recording depend on
their surroundings only: neighbouring chunks share them.
"""

from abc import ABC, abstractmethod
from collections.abc import Callable
from typing import Any

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from pyannote.audio.core.model import Model
from pyannote.audio.models.embedding.wespeaker import BaseWeSpeakerResNet
from pyannote.audio.models.embedding.wespeaker.resnet import ResNet
from pyannote.core import Segment
from torch import Tensor

from pyannote_diarizen.models.speaker_resnet import MIN_VARIANCE, SpeakerResNet


class FrameNetwork(ABC):
    """Steps of an embedding network.

    Parameters
    ----------
    model : Model
        Embedding network.

    Attributes
    ----------
    window, hop : int
        Window of the spectrogram and its hop, in samples.
    stride, margin : int
        Steps of the spectrogram from one frame to the next, and on each side of a frame
        that it depends on.
    """

    window: int
    hop: int
    stride: int
    margin: int

    def __init__(self, model: Model) -> None:
        # typed as LightningModule, which has none of the methods of these models
        self.model: Any = model

    def num_steps(self, num_samples: int) -> int:
        """Return the number of steps of the spectrogram, at least one."""
        return max(0, num_samples - self.window) // self.hop + 1

    def num_frames(self, num_samples: int) -> int:
        """Return the number of frames of a chunk."""
        return -(-self.num_steps(num_samples) // self.stride)

    @abstractmethod
    def spectrogram(self, waveforms: Tensor) -> Tensor:
        """Map (channel, num_samples) to (channel, num_steps, num_bands)."""

    @abstractmethod
    def frames(self, spectrogram: Tensor) -> Tensor:
        """Map a normalised spectrogram to (channel, num_frames, num_features)."""

    @abstractmethod
    def resample(self, masks: Tensor, num_frames: int) -> Tensor:
        """Map (batch, num_speakers, num_weights) masks to weights of frames."""

    @abstractmethod
    def embed(self, mean: Tensor, variance: Tensor, weights: Tensor) -> Tensor:
        """Map statistics of frames to embeddings.

        Parameters
        ----------
        mean, variance : (batch, num_features) Tensor
            Weighted mean, and weighted variance around it.
        weights : (batch, num_frames) Tensor
            Weights of frames.

        Returns
        -------
        embeddings : (batch, dimension) Tensor
        """


class SpeakerResNetFrames(FrameNetwork):
    """Steps of `SpeakerResNet`."""

    def __init__(self, model: SpeakerResNet) -> None:
        super().__init__(model)
        spectrogram = model.encoder.spectrogram
        self.window, self.hop = spectrogram.window_size, spectrogram.step
        self.stride, self.margin = model.encoder.context

    def spectrogram(self, waveforms: Tensor) -> Tensor:
        """See `FrameNetwork`."""
        return self.model.encoder.spectrogram.log_mel(waveforms)

    def frames(self, spectrogram: Tensor) -> Tensor:
        """See `FrameNetwork`."""
        return self.model.encoder.encode(spectrogram.transpose(1, 2)).transpose(1, 2)

    def resample(self, masks: Tensor, num_frames: int) -> Tensor:
        """See `FrameNetwork`; averages, as `weighted_statistics` does."""
        return F.adaptive_avg_pool1d(masks, num_frames)

    def embed(self, mean: Tensor, variance: Tensor, weights: Tensor) -> Tensor:
        """See `FrameNetwork`."""
        deviation = variance.clamp(min=MIN_VARIANCE).sqrt()
        return self.model.project(torch.cat([mean, deviation], dim=1))


class WeSpeakerFrames(FrameNetwork):
    """Steps of the WeSpeaker ResNets of pyannote.audio."""

    def __init__(self, model: BaseWeSpeakerResNet) -> None:
        super().__init__(model)
        self.window = kaldi_window(model)
        self.hop = int(model.hparams.frame_shift * (model.hparams.sample_rate // 1000))
        resnet = self.model.resnet
        blocks = (resnet.layer1, resnet.layer2, resnet.layer3, resnet.layer4)
        # shortcuts have other names
        names = ("conv1", "conv2", "conv3")
        convolutions = [resnet.conv1] + [
            getattr(block, name)
            for layer in blocks
            for block in layer
            for name in names
            if hasattr(block, name)
        ]
        self.stride, self.margin = 1, 0
        for convolution in convolutions:  # (frequency, time)
            self.margin += convolution.kernel_size[1] // 2 * self.stride
            self.stride *= convolution.stride[1]

    def spectrogram(self, waveforms: Tensor) -> Tensor:
        """See `FrameNetwork`."""
        # 16-bit integers, as the model scales its input
        scaled = waveforms[:, None] * (1 << 15)
        if scaled.device.type == "mps":  # its FFT is wrong, see pyannote.audio
            return torch.vmap(self.model._fbank)(scaled.cpu()).to(scaled.device)
        return torch.vmap(self.model._fbank)(scaled)

    def frames(self, spectrogram: Tensor) -> Tensor:
        """See `FrameNetwork`."""
        frames = self.model.resnet.forward_frames(spectrogram)
        return frames.flatten(1, 2).transpose(1, 2)

    def resample(self, masks: Tensor, num_frames: int) -> Tensor:
        """See `FrameNetwork`; the nearest weight, as `StatsPool` does."""
        return F.interpolate(masks, size=num_frames, mode="nearest")

    def embed(self, mean: Tensor, variance: Tensor, weights: Tensor) -> Tensor:
        """See `FrameNetwork`."""
        # StatsPool divides by sum(w) - sum(w^2) / sum(w), which has no bias
        total = weights.sum(dim=1, keepdim=True) + 1e-8
        squares = weights.square().sum(dim=1, keepdim=True)
        unbiased = variance * total / (total - squares / total + 1e-8)
        deviation = unbiased.clamp(min=0).sqrt()
        # one linear layer in all of these models: no `two_emb_layer`
        return self.model.resnet.seg_1(torch.cat([mean, deviation], dim=1))


def min_num_samples(embedding: Any) -> int:
    """Return the length of the shortest input of an embedding.

    pyannote.audio searches it with a dozen passes of different lengths, for each of
    which the first pass of a process prepares the layers anew: seconds on a busy
    machine. Known networks need one window of their spectrogram.
    """
    model = getattr(embedding, "model_", None)
    if isinstance(model, SpeakerResNet):
        return model.encoder.spectrogram.window_size
    if isinstance(model, BaseWeSpeakerResNet):
        return kaldi_window(model)
    return embedding.min_num_samples


def kaldi_window(model: BaseWeSpeakerResNet) -> int:
    """Return the number of samples in a window of the filter bank of a model."""
    return int(model.hparams.frame_length * (model.hparams.sample_rate // 1000))


class ChunkSpectrograms:
    """Spectrograms of chunks that overlap, each step computed once.

    Parameters
    ----------
    network : FrameNetwork
        Network whose spectrogram of a chunk is part of that of the recording.
    read : callable
        Reads a segment as a (num_channels, num_samples) tensor.
    sample_rate : int
    """

    def __init__(
        self, network: FrameNetwork, read: Callable[[Segment], Tensor], sample_rate: int
    ) -> None:
        self._network, self._read, self._rate = network, read, sample_rate
        self._first, self._last = 0, torch.empty(1, 0, 0)  # step and output of a call

    @torch.inference_mode()
    def __call__(self, chunk: Segment) -> Tensor:
        """Compute the (num_channels, num_steps, num_bands) spectrogram of a chunk.

        Its start is a multiple of the hop.
        """
        hop = self._network.hop
        first = round(chunk.start * self._rate / hop)
        skipped = first - self._first
        kept = self._last[:, skipped:] if skipped > 0 else self._last[:, :0]
        start = chunk.start + kept.shape[1] * hop / self._rate
        spectrogram = self._network.spectrogram(self._read(Segment(start, chunk.end)))
        if kept.shape[1]:
            spectrogram = torch.cat([kept, spectrogram], dim=1)
        self._first, self._last = first, spectrogram
        return spectrogram


def shares_frames(model: Any) -> bool:
    """Whether chunks can share the frames of an embedding network."""
    if isinstance(model, BaseWeSpeakerResNet):
        whole = model.hparams.fbank_centering_span is None and not model.fbank_only
        return whole and isinstance(model.resnet, ResNet)
    return isinstance(model, SpeakerResNet)


def frame_network(model: Any) -> FrameNetwork:
    """Take a network apart for which `shares_frames` is true."""
    speaker_resnet = isinstance(model, SpeakerResNet)
    return SpeakerResNetFrames(model) if speaker_resnet else WeSpeakerFrames(model)


def subtract_sliding_mean(
    spectrogram: Tensor, first: int, start: int, stop: int, span: int, total: int
) -> Tensor:
    """Subtract from each band its mean over a sliding window.

    Windows are centred, except at both ends of the recording, where they stay inside.

    Parameters
    ----------
    spectrogram : (channel, num_steps, num_bands) Tensor
        Part of the spectrogram of a recording.
    first : int
        Position of this part in the recording, in steps.
    start, stop : int
        Range of steps to return.
    span : int
        Width of the window, in steps.
    total : int
        Number of steps of the recording, without the zeros that follow it.

    Returns
    -------
    normalised : (channel, stop - start, num_bands) Tensor
    """
    begin, end = mean_window(torch.arange(start, stop), span, total)
    # sums of all steps before each step; float32 would lose digits, and MPS has only it
    precise = spectrogram.cpu() if spectrogram.device.type == "mps" else spectrogram
    sums = F.pad(precise.double().cumsum(dim=1), (0, 0, 1, 0))
    inside = sums[:, end - first] - sums[:, begin - first]
    mean = inside / (end - begin)[:, None].to(sums)
    return spectrogram[:, start - first : stop - first] - mean.float().to(spectrogram)


def mean_window(steps: Tensor, span: int, total: int) -> tuple[Tensor, Tensor]:
    """Return the first step of the window around each of `steps`, and its end."""
    begin = (steps - span // 2).clamp(max=total - span).clamp(min=0)
    return begin, (begin + span).clamp(max=total)
