# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Memory of a training: an estimate before it starts, and options that need less."""

import gc
import os
import re
import warnings
from contextlib import suppress
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
        zeros = torch.zeros(1, channels, num_samples, device=pl_module.device)
        chunk = trainer.precision_plugin.convert_input(zeros)
        with trainer.precision_plugin.forward_context():
            needed = estimate_memory(pl_module, chunk, task.batch_size)
        available = _available_memory(pl_module.device)
        rank_zero_info(f"Memory of this training: about {needed / 1e9:.1f} GB.")
        if available is None or needed <= available:
            return
        if self.auto_batch_size and task.batch_size > 1:
            if pl_module.device.type == "cuda":  # which raises an error itself
                return
            raise MemoryError(f"{needed / 1e9:.1f} GB are needed.")
        warnings.warn(
            f"This training needs about {needed / 1e9:.1f} GB, and "
            f"{available / 1e9:.1f} GB are free: use auto_batch_size=true, a smaller "
            "task.duration, gradient_checkpointing=true or backbone.frozen=true.",
            stacklevel=2,
        )


def estimate_memory(model: nn.Module, chunk: Tensor, batch_size: int) -> int:
    """Estimate the bytes that a training step needs.

    Parameters
    ----------
    model : nn.Module
    chunk : (1, num_channels, num_samples) torch.Tensor
    batch_size : int
        Number of chunks of a batch.

    Returns
    -------
    needed : int
        Weights, gradients and moments of AdamW, plus `batch_size` times the tensors
        that the backward pass of one chunk needs.
    """
    weights = {p.untyped_storage().data_ptr() for p in model.parameters()}
    # kept until the end: otherwise another tensor could get the address of a former one
    saved: dict[int, torch.UntypedStorage] = {}

    def pack(tensor: Tensor) -> None:
        # returns nothing: a graph that holds a tensor of its own is never freed
        storage = tensor.untyped_storage()
        if storage.data_ptr() not in weights:
            saved[storage.data_ptr()] = storage

    modes = {module: module.training for module in model.modules()}
    model.train()  # masks of dropout, and attention probabilities, are saved, too
    for module in modes:
        if isinstance(module, _BatchNorm):
            module.eval()  # keeps its statistics
    with (
        isolate_rng(),
        torch.enable_grad(),
        torch.autograd.graph.saved_tensors_hooks(pack, lambda packed: packed),
    ):
        model(chunk)
    for module, mode in modes.items():
        module.training = mode
    # a trained weight has a gradient besides the values in a checkpoint
    states = sum(
        p.numel() * p.element_size() * (NUM_STATES + 1 if p.requires_grad else 1)
        for p in model.parameters()
    )
    return states + batch_size * sum(each.nbytes() for each in saved.values())


_MEMORY = Path("/proc/meminfo")


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
