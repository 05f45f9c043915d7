# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Hard concrete distribution: gates in [0, 1] that are exactly 0 or 1 at times.

A gate multiplies the output of a unit. Its parameter log alpha gets a gradient both
from the task, through samples, and from the size of the network, through the
probability that the gate is not zero: this is L0 regularisation [1]_. Deterministic
gates follow [2]_, as in DiariZen and DPHuBERT.

Symbols: beta is the temperature of the underlying concrete distribution; gamma < 0
(`low`) and zeta > 1 (`high`) are the limits that it is stretched to before it is
clamped to [0, 1].

References
----------
.. [1] C. Louizos, M. Welling, D. P. Kingma, "Learning Sparse Neural Networks through
   L0 Regularization", ICLR 2018.
.. [2] Z. Wang, J. Wohlwend, T. Lei, "Structured Pruning of Large Language Models",
   EMNLP 2020.
"""

import math

import torch
from torch import Tensor

TEMPERATURE = 2 / 3
LOW, HIGH = -0.1, 1.1
"""Values of [1]_, section 4, which all recipes of DiariZen keep."""


def sample(
    log_alpha: Tensor,
    uniform: Tensor,
    temperature: float = TEMPERATURE,
    low: float = LOW,
    high: float = HIGH,
) -> Tensor:
    """Sample gates, differentiable with respect to `log_alpha`.

    Parameters
    ----------
    log_alpha : Tensor
        Location of each gate.
    uniform : Tensor
        Random numbers between 0 and 1, excluded, of the same shape.
    temperature, low, high : float, optional
        Default to 2/3, -0.1 and 1.1.

    Returns
    -------
    gates : Tensor
        Between 0 and 1, included.

    Examples
    --------
    >>> sample(torch.tensor([-5.0, 0.0, 5.0]), torch.full((3,), 0.5))
    tensor([0.0000, 0.5000, 1.0000])
    """
    # s = sigmoid((log u - log(1 - u) + log alpha) / beta), equation 10 of [1]_
    concrete = torch.sigmoid((torch.logit(uniform) + log_alpha) / temperature)
    # z = min(1, max(0, s (zeta - gamma) + gamma)), equation 11
    return (concrete * (high - low) + low).clamp(0, 1)


def nonzero_probability(
    log_alpha: Tensor,
    temperature: float = TEMPERATURE,
    low: float = LOW,
    high: float = HIGH,
) -> Tensor:
    """Probability that a sampled gate is not zero.

    Parameters
    ----------
    log_alpha : Tensor
        Location of each gate.
    temperature, low, high : float, optional
        Default to 2/3, -0.1 and 1.1.

    Returns
    -------
    probability : Tensor

    Examples
    --------
    >>> nonzero_probability(torch.tensor([-5.0, 0.0, 5.0]))
    tensor([0.0323, 0.8318, 0.9986])
    """
    # sigmoid(log alpha - beta log(-gamma / zeta)), equation 12 of [1]_
    return torch.sigmoid(log_alpha - temperature * math.log(-low / high))


def deterministic_gates(
    log_alpha: Tensor,
    temperature: float = TEMPERATURE,
    low: float = LOW,
    high: float = HIGH,
) -> Tensor:
    """Gates of a group of units at inference.

    As many gates are zero as are expected to be, the ones with the lowest `log_alpha`.
    Others are sigmoid(0.8 log alpha / beta) < 1.

    Parameters
    ----------
    log_alpha : (num_units,) Tensor
        Location of each gate of the group.
    temperature, low, high : float, optional
        Default to 2/3, -0.1 and 1.1.

    Returns
    -------
    gates : (num_units,) Tensor

    Examples
    --------
    >>> deterministic_gates(torch.tensor([-5.0, 0.0, 5.0]))
    tensor([0.0000, 0.5000, 0.9975])
    """
    # Equation 13 of [1]_ clamps each gate on its own. This rule instead makes the size
    # of the group what the training expected.
    expected = nonzero_probability(log_alpha, temperature, low, high).sum()
    num_zeros = torch.round(len(log_alpha) - expected)  # half to even
    rank = log_alpha.argsort(stable=True).argsort()  # 0 for the lowest
    # 0.8 is the constant of the implementation of [2]_
    return torch.sigmoid(0.8 * log_alpha / temperature) * (rank >= num_zeros)


def sparsity_penalty(
    sparsity: Tensor, target: float, multipliers: tuple[Tensor, Tensor]
) -> Tensor:
    """Augmented Lagrangian of the constraint `sparsity` = `target` [2]_.

    Training minimises it with respect to the gates, and maximises it with respect to
    the multipliers: their learning rate is negative.

    Parameters
    ----------
    sparsity : () Tensor
        Expected sparsity: 1 minus expected size over size before pruning.
    target : float
        Sparsity to reach.
    multipliers : pair of () Tensor
        Lagrange multipliers lambda_1 and lambda_2, zero at the start of training.

    Returns
    -------
    penalty : () Tensor
        lambda_1 (s - t) + lambda_2 (s - t)^2.
    """
    excess = sparsity - target
    linear, quadratic = multipliers
    return linear * excess + quadratic * excess.square()
