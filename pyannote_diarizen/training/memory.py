# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Memory of a training: an estimate before it starts, and options that need less."""

import gc
import os
import re
import warnings
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager, suppress
from functools import partial
from pathlib import Path
from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from lightning.pytorch.utilities import rank_zero_info
from lightning.pytorch.utilities.memory import is_oom_error
from lightning.pytorch.utilities.seed import isolate_rng
from omegaconf import DictConfig
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm

from pyannote_diarizen.training.checkpoints import NUM_STATES

OVERHEAD = 1.25
"""Ratio of the memory of both passes to the tensors that are saved between them: the
others are gradients of activations and fragmentation. Fitted to WavLM Base on a CPU."""


class MemoryEstimate(Callback):
    """Estimate the memory of a training when it starts.

    Parameters
    ----------
    auto_batch_size : bool or int, optional
        Whether the training tries smaller batches after a `MemoryError`, which a CPU
        does not raise: the system ends the process. Defaults to False: a warning.
    """

    def __init__(self, auto_batch_size: bool | int = False) -> None:
        super().__init__()
        self.auto_batch_size = bool(auto_batch_size)

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Estimate the memory of a step with zeros as audio.

        Raises
        ------
        MemoryError
            If smaller batches should be tried.
        """
        task: Any = pl_module.task
        hparams: Any = pl_module.hparams
        num_samples = round(task.duration * hparams.sample_rate)
        channels = hparams.get("num_channels", 1)
        used = _used_memory(pl_module.device)
        zeros = torch.zeros(1, channels, num_samples, device=pl_module.device)
        chunk = trainer.precision_plugin.convert_input(zeros)
        with trainer.precision_plugin.forward_context():
            more = estimate_memory(pl_module, chunk, task.batch_size)
        needed = more + used
        available = _available_memory(pl_module.device)
        rank_zero_info(f"Memory of this training: about {needed / 1e9:.1f} GB.")
        if available is None or more <= available:
            return
        if self.auto_batch_size and task.batch_size > 1:
            if pl_module.device.type == "cuda":  # which raises an error itself
                return
            raise MemoryError(f"{more / 1e9:.1f} GB more are needed.")
        warnings.warn(
            f"This training needs about {more / 1e9:.1f} GB more, and "
            f"{available / 1e9:.1f} GB are free: use auto_batch_size=true, a smaller "
            "task.duration, gradient_checkpointing=true or backbone.frozen=true.",
            stacklevel=2,
        )


def estimate_memory(model: nn.Module, chunk: Tensor, batch_size: int) -> int:
    """Estimate the bytes that a training step needs besides the weights.

    Parameters
    ----------
    model : nn.Module
    chunk : (1, num_channels, num_samples) torch.Tensor
    batch_size : int
        Number of chunks of a batch.

    Returns
    -------
    needed : int
        Gradients and moments of AdamW, plus `batch_size` times what one chunk needs:
        the tensors that its backward pass needs, with those of the largest block that
        is recomputed, times `OVERHEAD`, and input and output of its largest layer.
    """
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    # kept until the end: otherwise another tensor could get the address of a former one
    saved: dict[int, torch.UntypedStorage] = {}

    def pack(tensor: Tensor) -> None:
        # returns nothing: a graph that holds a tensor of its own is never freed
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            saved[storage.data_ptr()] = storage

    with (
        _training_mode(model),
        _measured_layers(model) as (layers, recomputed),
        torch.enable_grad(),
        torch.autograd.graph.saved_tensors_hooks(pack, lambda packed: packed),
    ):
        model(chunk)
    # a gradient, and the values in a checkpoint without the weight
    states = NUM_STATES * sum(
        p.numel() * p.element_size() for p in model.parameters() if p.requires_grad
    )
    kept = sum(each.nbytes() for each in saved.values())
    kept += max(recomputed.values(), default=0)
    largest = max(layers.values(), default=0)
    return states + round(batch_size * (OVERHEAD * kept + largest))


@contextmanager
def _training_mode(model: nn.Module) -> Iterator[None]:
    """Save what training saves, as masks of dropout, but keep statistics and seeds."""
    modes = {module: module.training for module in model.modules()}
    model.train()
    for module in modes:
        if isinstance(module, _BatchNorm):
            module.eval()
    with isolate_rng():
        yield
    for module, mode in modes.items():
        module.training = mode


@contextmanager
def _measured_layers(
    model: nn.Module,
) -> Iterator[tuple[Counter[nn.Module], Counter[nn.Module]]]:
    """Bytes of input and output of layers, and their sum in recomputed blocks."""
    blocks = {
        part: block
        for block in model.modules()
        if isinstance(block.forward, partial)  # see `gradient_checkpointing`
        for part in block.modules()
    }
    layers: Counter[nn.Module] = Counter()
    recomputed: Counter[nn.Module] = Counter()

    def measure(layer: nn.Module, inputs: Any, output: Any) -> None:
        tensors = [each for each in (*inputs, output) if isinstance(each, Tensor)]
        layers[layer] += sum(each.nbytes for each in tensors)
        if layer in blocks:
            recomputed[blocks[layer]] += layers[layer]

    hooks = [
        module.register_forward_hook(measure)
        for module in model.modules()
        if not any(module.children()) or blocks.get(module) is module
    ]
    yield layers, recomputed
    for hook in hooks:
        hook.remove()


_MEMORY = Path("/proc/meminfo")
_PROCESS = Path("/proc/self/statm")


def _used_memory(device: torch.device) -> int:
    """Bytes of this process, with the weights: on a GPU, or on Linux; 0 elsewhere."""
    if device.type == "cuda":
        return torch.cuda.memory_allocated(device)
    if device.type != "cpu" or not _PROCESS.is_file():
        return 0
    return int(_PROCESS.read_text().split()[1]) * os.sysconf("SC_PAGE_SIZE")


def _available_memory(device: torch.device) -> int | None:
    """Free bytes of a GPU or machine (all bytes outside Linux), None if unknown."""
    if device.type == "cuda":
        return torch.cuda.mem_get_info(device)[0]
    if device.type != "cpu" or not hasattr(os, "sysconf"):
        return None
    with suppress(OSError):
        found = re.search(r"MemAvailable: *(\d+) kB", _MEMORY.read_text())
        if found:
            return 1024 * int(found[1])
    return os.sysconf("SC_PHYS_PAGES") * os.sysconf("SC_PAGE_SIZE")


def free_memory() -> None:
    """Free the memory of objects that are not used any more."""
    gc.collect()
    if torch.cuda.is_available():
        torch.cuda.empty_cache()


def is_out_of_memory(error: BaseException) -> bool:
    """Whether an error means that memory is full."""
    if isinstance(error, (MemoryError, torch.OutOfMemoryError)):
        return True
    # Lightning 2.6 knows the messages of CUDA, cuDNN and CPUs, not the one of MPS
    return isinstance(error, RuntimeError) and (
        is_oom_error(error) or "out of memory" in str(error)
    )


def advise(config: DictConfig) -> str:
    """List the options that need less memory, with values for a configuration."""
    task, options = config.task, []
    if task.batch_size > 1:
        copies = 2 * config.trainer.accumulate_grad_batches
        options.append(
            f"auto_batch_size=true, or task.batch_size={task.batch_size // 2} "
            f"trainer.accumulate_grad_batches={copies} (the same steps)"
        )
    if not config.gradient_checkpointing:
        options.append("gradient_checkpointing=true (slower)")
    if "16" not in str(config.trainer.precision):
        options.append("trainer.precision=bf16-mixed")
    if task.get("duration"):
        options.append(f"task.duration={task.duration / 2:g}")
    if not config.backbone.frozen:
        options.append("backbone.frozen=true")
    return f"Out of memory. Options that need less: {', '.join(options)}."
