# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Speed, memory and structure of a model before and after pruning."""

import time
import weakref
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median
from typing import Any

import torch
from matplotlib.axes import Axes
from matplotlib.figure import Figure
from matplotlib.ticker import MaxNLocator
from torch import Tensor, nn
from torch.utils._python_dispatch import TorchDispatchMode
from torch.utils._pytree import tree_leaves

from pyannote_diarizen.wavlm import WavLMConfig

NUM_PAIRS = 7
"""Number of pairs of runs whose median is the ratio of speed."""


@dataclass(frozen=True)
class Cost:
    """Ratio of speed, and memory, of a forward pass of two models.

    Parameters
    ----------
    speed_ratio : float
        Time of the first over time of the second: median over pairs of runs.
    lowest, highest : float
        Lowest and highest ratio of these pairs.
    memory : (int, int)
        Peak of the bytes of activations of each.
    """

    speed_ratio: float
    lowest: float
    highest: float
    memory: tuple[int, int]


def compare_cost(first: nn.Module, second: nn.Module, waveforms: Tensor) -> Cost:
    """Measure time and memory of two models, on the same audio, in turns.

    Parameters
    ----------
    first, second : nn.Module
    waveforms : (batch, channel, sample) Tensor

    Returns
    -------
    cost : Cost
    """
    models = first.eval(), second.eval()
    with torch.inference_mode():
        for model in models:
            model(waveforms)  # warm-up
        ratios = []
        for _ in range(NUM_PAIRS):
            before, after = (_seconds(model, waveforms) for model in models)
            ratios.append(before / after)
    one, two = (peak_memory(model, waveforms) for model in models)
    return Cost(median(ratios), min(ratios), max(ratios), (one, two))


def _seconds(model: nn.Module, waveforms: Tensor) -> float:
    started = time.perf_counter()
    model(waveforms).sum().item()  # waits for the device
    return time.perf_counter() - started


def peak_memory(model: nn.Module, waveforms: Tensor) -> int:
    """Measure the peak of the bytes of tensors that a forward pass makes.

    Buffers inside an operation do not count.
    """
    with torch.inference_mode(), _LiveTensors() as live:
        model(waveforms)
    return live.peak


class _LiveTensors(TorchDispatchMode):
    """Sum the bytes of the storages of tensors that exist."""

    def __init__(self) -> None:
        super().__init__()
        self.peak = self._bytes = 0
        self._counts: Counter[int] = Counter()

    def __torch_dispatch__(
        self, func: Any, types: Any, args: Any = (), kwargs: Any = None
    ) -> Any:
        result = func(*args, **(kwargs or {}))
        for tensor in tree_leaves(result):
            if isinstance(tensor, Tensor):
                self._add(tensor)
        return result

    def _add(self, tensor: Tensor) -> None:
        storage = tensor.untyped_storage()
        address, size = storage.data_ptr(), storage.nbytes()
        if self._counts[address] == 0:
            self._bytes += size
            self.peak = max(self.peak, self._bytes)
        self._counts[address] += 1
        weakref.finalize(tensor, self._remove, address, size)

    def _remove(self, address: int, size: int) -> None:
        self._counts[address] -= 1
        if self._counts[address] == 0:
            self._bytes -= size


def draw_remaining(before: WavLMConfig, after: WavLMConfig) -> Figure:
    """Draw what pruning left of a WavLM.

    Parameters
    ----------
    before, after : WavLMConfig

    Returns
    -------
    figure : Figure
        Channels of each convolution; heads and feed-forward units of each layer.
    """
    figure = Figure(figsize=(9, 3), layout="constrained")
    panels = [
        ("channels", "convolution", _channels),
        ("attention heads", "layer", _heads),
        ("feed-forward units", "layer", _widths),
    ]
    for axes, (title, unit, numbers) in zip(
        figure.subplots(1, len(panels)), panels, strict=True
    ):
        _draw_bars(axes, numbers(before), numbers(after))
        axes.set(title=title, xlabel=unit)
        axes.xaxis.set_major_locator(MaxNLocator(integer=True))
    handles, labels = axes.get_legend_handles_labels()
    figure.legend(handles, labels, loc="outside lower center", ncols=2)
    return figure


def _draw_bars(axes: Axes, before: Sequence[int], after: Sequence[int]) -> None:
    places = range(1, len(before) + 1)
    axes.bar(places, before, color="lightgray", label="before")
    axes.bar(places, after, color="C0", label="after")


def _channels(config: WavLMConfig) -> list[int]:
    return [channels for channels, _, _ in config.extractor_conv_layer_config]


def _heads(config: WavLMConfig) -> list[int]:
    return [
        len(heads) * used
        for heads, used in zip(
            config.encoder_remaining_heads, config.encoder_use_attention, strict=True
        )
    ]


def _widths(config: WavLMConfig) -> list[int]:
    return [
        width * used
        for width, used in zip(
            config.encoder_ff_interm_features,
            config.encoder_use_feed_forward,
            strict=True,
        )
    ]
