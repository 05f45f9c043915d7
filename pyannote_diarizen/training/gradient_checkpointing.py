# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Gradient checkpointing: activations are recomputed in the backward pass.

It takes less memory, and one more forward pass.

References
----------
T. Chen et al., "Training Deep Nets with Sublinear Memory Cost", arXiv 1604.06174.
"""

from functools import partial

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


def enable_gradient_checkpointing(model: nn.Module) -> int:
    """Enable gradient checkpointing for each layer of each stack of a model.

    Layers with batch normalisation are left out: the second pass would update their
    statistics twice.

    Parameters
    ----------
    model : nn.Module
        Changed in place; its weights and outputs stay the same.

    Returns
    -------
    num_layers : int
        Number of changed layers.
    """
    changed: set[nn.Module] = set()
    for stack in model.modules():
        if not isinstance(stack, nn.ModuleList):
            continue
        for layer in stack:
            parts = set(layer.modules())
            if parts & changed or any(isinstance(part, _BatchNorm) for part in parts):
                continue
            layer.forward = partial(checkpoint, layer.forward, use_reentrant=False)
            changed |= parts
    return sum(isinstance(layer.forward, partial) for layer in changed)
