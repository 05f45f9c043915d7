# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Gradient checkpointing: activations are recomputed in the backward pass.

It takes less memory, and one more forward pass.

References
----------
T. Chen et al., "Training Deep Nets with Sublinear Memory Cost", arXiv 1604.06174.
"""

from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager, nullcontext
from functools import partial

from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm
from torch.utils.checkpoint import checkpoint


def enable_gradient_checkpointing(model: nn.Module) -> int:
    """Enable gradient checkpointing for each layer of each stack of a model.

    The second pass does not update the statistics of batch normalisation. Layers whose
    statistics are a cumulative average (`momentum` is None) are left out.

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
            norms = [part for part in parts if isinstance(part, _BatchNorm)]
            if parts & changed or any(norm.momentum is None for norm in norms):
                continue
            layer.forward = partial(
                checkpoint,
                layer.forward,
                use_reentrant=False,
                context_fn=partial(_contexts, norms),
            )
            changed |= parts
    return sum(isinstance(layer.forward, partial) for layer in changed)


def _contexts(
    norms: Sequence[_BatchNorm],
) -> tuple[AbstractContextManager, AbstractContextManager]:
    """Contexts of the first and of the second pass."""
    return nullcontext(), _keep_statistics(norms)


@contextmanager
def _keep_statistics(norms: Sequence[_BatchNorm]) -> Iterator[None]:
    """Keep the running statistics, which a momentum of 0 leaves as they are."""
    momenta = [norm.momentum for norm in norms]
    for norm in norms:
        norm.momentum = 0.0
    try:
        yield
    finally:
        for norm, momentum in zip(norms, momenta, strict=True):
            norm.momentum = momentum
            if norm.training and norm.num_batches_tracked is not None:
                norm.num_batches_tracked -= 1
