# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Recurrent layers that hear what they should have said.

A recurrent layer that imitates another goes astray by its own errors. With the right
outputs as its recurrent inputs [1]_, all that is left to unroll is the cell, and what
the gates should do is nearly a regression: five times fewer steps, none of them slower.

References
----------
.. [1] R. J. Williams, D. Zipser, "A Learning Algorithm for Continually Running Fully
   Recurrent Neural Networks", Neural Computation 1(2), 1989.
.. [2] S. Hochreiter, J. Schmidhuber, "Long Short-Term Memory", Neural Computation
   9(8), 1997.
"""

from collections.abc import Sequence

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from torch import Tensor, nn


def forced_outputs(
    layers: Sequence[nn.LSTM], inputs: Sequence[Tensor], targets: Sequence[Tensor]
) -> list[Tensor]:
    """Tell what bidirectional LSTM layers [2]_ say, with targets as recurrent inputs.

    Parameters
    ----------
    layers : sequence of nn.LSTM
        Of one layer each, `batch_first`, all of one `hidden_size`.
    inputs : sequence of (batch, frame, feature) Tensor
        Of each of them.
    targets : sequence of (batch, frame, 2 x hidden_size) Tensor
        What each should say.

    Returns
    -------
    outputs : list of (batch, frame, 2 x hidden_size) Tensor
    """
    gates = [
        _gates(layer, entering, target, reverse)
        for layer, entering, target in zip(layers, inputs, targets, strict=True)
        for reverse in (False, True)
    ]
    enter, forget, cell, leave = torch.stack(gates).chunk(4, dim=-1)
    states = _accumulate(forget.sigmoid(), enter.sigmoid() * cell.tanh())
    said = leave.sigmoid() * states.tanh()
    forward, backward = said[0::2], said[1::2].flip(2)
    return list(torch.cat([forward, backward], dim=-1))


def _gates(layer: nn.LSTM, inputs: Tensor, targets: Tensor, reverse: bool) -> Tensor:
    """Activations of the gates of one direction, in the order it goes."""
    weight_ih, weight_hh, bias_ih, bias_hh = layer.all_weights[reverse]
    forward, backward = targets.chunk(2, dim=-1)
    if reverse:
        inputs, said = inputs.flip(1), backward.flip(1)
    else:
        said = forward
    before = F.pad(said, (0, 0, 1, 0))[:, :-1]
    entering = F.linear(inputs, weight_ih, bias_ih)
    return entering + F.linear(before, weight_hh, bias_hh)


def _accumulate(kept: Tensor, added: Tensor) -> Tensor:
    """States of cells along the last dimension but one."""
    state = torch.zeros_like(added[..., 0, :])
    states = []
    for keep, add in zip(kept.unbind(-2), added.unbind(-2), strict=True):
        state = torch.addcmul(add, keep, state)
        states.append(state)
    return torch.stack(states, dim=-2)
