# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Gradient checkpointing: layers compute their activations twice, and keep none.

References
----------
T. Chen et al., "Training Deep Nets with Sublinear Memory Cost", arXiv 1604.06174.
"""

from functools import partial

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


def recompute_layers(model: nn.Module) -> int:
    """Let each layer of each stack of a model forget its activations until backward.

    Layers with batch normalisation stay as they are: computed twice, they would count
    each batch twice in their statistics.

    Parameters
    ----------
    model : nn.Module
        Changed in place; its weights and what it computes stay the same.

    Returns
    -------
    num_layers : int
        How many were changed.
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
