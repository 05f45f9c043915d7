# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Layers of a model, with their parameters and multiply-accumulate operations (MACs).

MACs are counted while the model runs on one second of audio: those of matrix products
and convolutions, by PyTorch, and those of LSTM layers, by formula. As everywhere,
elementwise operations and norms do not count.
"""

from collections import Counter
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn.attention import SDPBackend, sdpa_kernel
from torch.utils.flop_counter import FlopCounterMode

from pyannote_diarizen.wavlm import WavLM
from pyannote_diarizen.wavlm.encoder import EncoderLayer
from pyannote_diarizen.wavlm.frontend import ConvLayer

SAMPLE_RATE = 16000


@dataclass(frozen=True)
class LayerSummary:
    """Part of a model.

    Parameters
    ----------
    name : str
        Path of the module, empty for the whole model.
    kind : str
        Class, or what is left of a layer of WavLM.
    num_parameters, num_macs : int
        MACs are those of one second of audio.
    """

    name: str
    kind: str
    num_parameters: int
    num_macs: int


def summarize_model(model: nn.Module) -> list[LayerSummary]:
    """Summarize the layers of a model.

    Parameters
    ----------
    model : nn.Module
        Model of waveforms at 16 kHz, WavLM included.

    Returns
    -------
    layers : list of LayerSummary
        Items of lists of layers, and modules without such lists; then the whole model.
        Modules without parameters and MACs are left out.
    """
    macs = count_macs(model)
    layers = [
        LayerSummary(name, _kind(module), _num_parameters(module), macs[name])
        for name, module in _layers(model)
    ]
    whole = LayerSummary("", type(model).__name__, _num_parameters(model), macs[""])
    return [*(x for x in layers if x.num_parameters or x.num_macs), whole]


def count_macs(model: nn.Module) -> Counter[str]:
    """Count the MACs of each module for one second of audio.

    Parameters
    ----------
    model : nn.Module

    Returns
    -------
    macs : Counter of str
        By path of the module, "" for `model`.
    """
    waveforms = torch.zeros(1, 1, SAMPLE_RATE)
    if isinstance(model, WavLM):
        waveforms = waveforms[0]
    device = next(model.parameters()).device
    was_training = model.training
    recurrent: Counter[str] = Counter()
    hooks = [
        module.register_forward_hook(_lstm_counter(name, recurrent))
        for name, module in model.named_modules()
        if isinstance(module, nn.LSTM)
    ]
    try:
        # other kernels of attention are not counted
        with (
            torch.inference_mode(),
            sdpa_kernel(SDPBackend.MATH),
            FlopCounterMode(display=False) as counter,
        ):
            model.eval()(waveforms.to(device))
    finally:
        model.train(was_training)
        for hook in hooks:
            hook.remove()
    macs: Counter[str] = Counter()
    for path, operations in counter.get_flop_counts().items():
        root, _, name = path.partition(".")
        if root != "Global":
            macs[name] += sum(operations.values()) // 2  # a MAC is two operations
    for name, number in recurrent.items():
        parts = name.split(".")
        for depth in range(len(parts) + 1):
            macs[".".join(parts[:depth])] += number
    return macs


def _lstm_counter(name: str, counts: Counter[str]) -> Any:
    def count(lstm: nn.LSTM, inputs: tuple[Tensor, ...], output: Any) -> None:
        num_steps = inputs[0].shape[0] * inputs[0].shape[1]
        # weights of all gates, layers and directions multiply each step once
        weights = [p for key, p in lstm.named_parameters() if "weight" in key]
        counts[name] += num_steps * sum(weight.numel() for weight in weights)

    return count


def _layers(module: nn.Module, prefix: str = "") -> Iterator[tuple[str, nn.Module]]:
    for name, child in module.named_children():
        path = f"{prefix}{name}"
        if isinstance(child, (nn.ModuleList, nn.Sequential)):
            yield from ((f"{path}.{key}", item) for key, item in child.named_children())
        elif any(isinstance(each, nn.ModuleList) for each in child.modules()):
            yield from _layers(child, f"{path}.")
        else:
            yield path, child


def _kind(module: nn.Module) -> str:
    if isinstance(module, ConvLayer):
        return f"{module.conv.out_channels} channels"
    if not isinstance(module, EncoderLayer):
        return type(module).__name__
    heads = len(module.attention.heads) if module.attention is not None else 0
    width = module.feed_forward.width if module.feed_forward is not None else 0
    return f"{heads} heads, {width} units"


def _num_parameters(module: nn.Module) -> int:
    return sum(parameter.numel() for parameter in module.parameters())


def summary_table(layers: Sequence[LayerSummary]) -> str:
    """Format the layers of a model as a Markdown table.

    Parameters
    ----------
    layers : sequence of LayerSummary

    Returns
    -------
    table : str
    """
    rows = [("layer", "kind", "parameters", "MACs/s")]
    rows += [
        (x.name or "all", x.kind, f"{x.num_parameters:,}", f"{x.num_macs:,}")
        for x in layers
    ]
    widths = [max(map(len, column)) for column in zip(*rows, strict=True)]
    lines = [
        f"| {a:{widths[0]}} | {b:{widths[1]}} | {c:>{widths[2]}} | {d:>{widths[3]}} |"
        for a, b, c, d in rows
    ]
    rule = f"|{'-' * (widths[0] + 2)}|{'-' * (widths[1] + 2)}"
    rule += f"|{'-' * (widths[2] + 1)}:|{'-' * (widths[3] + 1)}:|"
    return "\n".join([lines[0], rule, *lines[1:]])
