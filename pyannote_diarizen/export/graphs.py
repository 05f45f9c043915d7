# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Models as graphs that can leave Python: same output, exportable operators only.

Some operators have no counterpart, or none for inputs of any size: Fourier transforms,
the filters that `PyanNet` computes from its parameters in each pass, views of
overlapping windows whose number depends on the input, adaptive pooling, and the loop of
pyannote.audio over speakers. They are replaced in a copy of the model.
"""

from collections.abc import Callable
from copy import deepcopy
from typing import Any, ClassVar, Literal

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from pyannote.audio.core.model import Model
from pyannote.audio.models.blocks.pooling import StatsPool
from pyannote.audio.models.blocks.sincnet import SincNet
from pyannote.audio.models.embedding.wespeaker import BaseWeSpeakerResNet
from torch import Tensor, nn

from pyannote_diarizen.export.spectra import (
    ConvolutionalFBank,
    ConvolutionalKaldiFBank,
    ConvolutionalLogMel,
)
from pyannote_diarizen.models.log_mel import FBank, LogMelSpectrogram
from pyannote_diarizen.wavlm.attention import GatedSelfAttention

Role = Literal["segmentation", "embedding"]


def role_of(model: Model) -> Role:
    """Role of a model in a pipeline."""
    return "embedding" if hasattr(model, "forward_embedding") else "segmentation"


class Graph(nn.Module):
    """Model in evaluation mode, with exportable operators only.

    Parameters
    ----------
    model : Model
        Model to copy, which is not changed.

    Attributes
    ----------
    axes : dict
        Name of each input, and names of its axes whose size may vary.
    output : str
        Name of the output.
    """

    axes: ClassVar[dict[str, dict[int, str]]]
    output: ClassVar[str]

    def __init__(self, model: Model) -> None:
        super().__init__()
        if hasattr(model, "channel_weights"):
            raise ValueError(
                f"{type(model).__name__} cannot be exported: besides its scores, it "
                "returns weights of channels, which pipelines need. Export a model of "
                "one channel."
            )
        self.model = deepcopy(model).cpu().float().eval().requires_grad_(False)
        _replace_operators(self.model)

    @staticmethod
    def example(model: Model) -> tuple[Tensor, ...]:
        """Return inputs of distinct sizes, for tracing."""
        raise NotImplementedError


class SegmentationGraph(Graph):
    """Waveforms to scores of each frame."""

    axes: ClassVar = {"waveforms": {0: "batch", 2: "num_samples"}}
    output = "scores"

    @staticmethod
    def example(model: Model) -> tuple[Tensor, ...]:
        """Return noise of two seconds."""
        return (_noise(model, 2.0),)

    def forward(self, waveforms: Tensor) -> Tensor:
        """Map (batch, 1, num_samples) to (batch, num_frames, num_classes)."""
        return self.model(waveforms)


class EmbeddingGraph(Graph):
    """Waveforms and masks of speakers to one embedding per speaker."""

    axes: ClassVar = {
        "waveforms": {0: "batch", 2: "num_samples"},
        "weights": {0: "batch", 1: "num_speakers", 2: "num_weights"},
    }
    output = "embeddings"

    def __init__(self, model: Model) -> None:
        super().__init__(model)
        of_host = any(isinstance(module, StatsPool) for module in model.modules())
        self.resample = nearest_weights if of_host else average_weights
        self.fbank: nn.Module | None = None
        if isinstance(model, BaseWeSpeakerResNet):
            self.fbank = ConvolutionalKaldiFBank(model)

    @staticmethod
    def example(model: Model) -> tuple[Tensor, ...]:
        """Return noise of two seconds, and masks of three speakers."""
        masks = torch.arange(2 * 3 * 117).view(2, 3, 117) % 5 > 1
        return _noise(model, 2.0), masks.float()

    def forward(self, waveforms: Tensor, weights: Tensor) -> Tensor:
        """Map waveforms and weights to embeddings.

        Parameters
        ----------
        waveforms : (batch, 1, num_samples) Tensor
        weights : (batch, num_speakers, num_weights) Tensor

        Returns
        -------
        embeddings : (batch, num_speakers, dimension) Tensor
        """
        model: Any = self.model
        if self.fbank is None:
            frames = model.forward_frames(waveforms)
        else:
            frames = model.resnet.forward_frames(self.fbank(waveforms))
        weights = self.resample(weights, frames.shape[-1])
        return model.forward_embedding(frames, weights=weights)


GRAPHS: dict[Role, type[Graph]] = {
    "segmentation": SegmentationGraph,
    "embedding": EmbeddingGraph,
}


def build_graph(model: Model) -> Graph:
    """Build the graph of a model, for its role.

    Raises
    ------
    ValueError
        If the model cannot be exported.
    """
    return GRAPHS[role_of(model)](model)


def average_weights(weights: Tensor, num_frames: int) -> Tensor:
    """Average weights over the duration of each frame.

    Equals `adaptive_avg_pool1d`, whose output size has to be a constant in a graph.

    Parameters
    ----------
    weights : (..., num_weights) Tensor
    num_frames : int

    Returns
    -------
    averages : (..., num_frames) Tensor

    Examples
    --------
    >>> average_weights(torch.tensor([[1.0, 0.0, 0.0, 1.0, 1.0, 1.0]]), 3).tolist()
    [[0.5, 0.5, 1.0]]
    """
    num_weights = weights.shape[-1]
    frames = torch.arange(num_frames, device=weights.device)
    # from floor(t L / T) to ceil((t + 1) L / T)
    starts = frames * num_weights // num_frames
    ends = ((frames + 1) * num_weights + num_frames - 1) // num_frames
    sums = F.pad(weights.cumsum(-1), (1, 0))
    return (sums[..., ends] - sums[..., starts]) / (ends - starts)


def nearest_weights(weights: Tensor, num_frames: int) -> Tensor:
    """Sample (..., num_weights) weights once per frame, as pyannote.audio does."""
    frames = torch.arange(num_frames, device=weights.device, dtype=torch.float32)
    # in single precision, as `F.interpolate`: for 117 weights of 99 frames, frame 11
    # has weight 12, not 13
    sampled = (frames * (weights.shape[-1] / num_frames)).floor().long()
    return weights[..., sampled]


class GatheredAttention(GatedSelfAttention):
    """Attention whose position biases are gathered, not viewed."""

    @staticmethod
    def windows(positions: Tensor, num_frames: int) -> Tensor:
        """Map (..., 2 x num_frames - 1) to (..., num_frames, num_frames)."""
        frames = torch.arange(num_frames, device=positions.device)
        return positions[..., frames[:, None] + frames]


class BroadcastStatsPool(nn.Module):
    """`StatsPool` without a loop over speakers."""

    def forward(self, sequences: Tensor, weights: Tensor) -> Tensor:
        """Weighted mean and unbiased standard deviation over frames.

        Parameters
        ----------
        sequences : (batch, num_features, num_frames) Tensor
        weights : (batch, num_speakers, num_frames) Tensor

        Returns
        -------
        statistics : (batch, num_speakers, 2 x num_features) Tensor
        """
        sequences, weights = sequences.unsqueeze(1), weights.unsqueeze(2)
        # v1 = sum_t w_t and v2 = sum_t w_t^2, each (batch, num_speakers, 1)
        # pyannote.audio adds 1e-8, which optimisers of graphs take for 0
        v1, v2 = weights.sum(dim=3).clamp(min=1e-8), weights.square().sum(dim=3)
        mean = (sequences * weights).sum(dim=3) / v1
        squares = (sequences - mean.unsqueeze(3)).square()
        variance = (squares * weights).sum(dim=3) / (v1 - v2 / v1).clamp(min=1e-8)
        return torch.cat([mean, variance.sqrt()], dim=2)


def _fixed_filters(sincnet: SincNet) -> nn.Module:
    """Replace the filter bank by a convolution with the filters that it computes."""
    bank = sincnet.conv1d[0]
    filters = bank.get_filters().detach()
    num_filters, _, kernel_size = filters.shape
    conv = nn.Conv1d(1, num_filters, kernel_size, bank.stride, bias=False)
    conv.weight = nn.Parameter(filters, requires_grad=False)
    sincnet.conv1d[0] = conv
    return sincnet


def _gathered(attention: GatedSelfAttention) -> nn.Module:
    attention.__class__ = GatheredAttention
    return attention


_REPLACED: dict[type[nn.Module], Callable[[Any], nn.Module]] = {
    FBank: ConvolutionalFBank,
    GatedSelfAttention: _gathered,
    LogMelSpectrogram: ConvolutionalLogMel,
    SincNet: _fixed_filters,
    StatsPool: lambda _: BroadcastStatsPool(),
}


def _replace_operators(model: nn.Module) -> None:
    for module in list(model.modules()):
        for name, child in module.named_children():
            if replace := _REPLACED.get(type(child)):
                setattr(module, name, replace(child))


def _noise(model: Any, duration: float) -> Tensor:
    num_samples = round(duration * model.hparams.sample_rate)
    generator = torch.Generator().manual_seed(0)
    return 0.1 * torch.randn(2, 1, num_samples, generator=generator)
