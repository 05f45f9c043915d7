# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Gates of a WavLM that is being pruned.

Gates act on convolution channels (after norm and activation), attention heads (before
the output projection), feed-forward units (after activation and dropout), and whole
blocks (after the output projection). `WavLMConfig` switches them on; `pruning` removes
the units whose gate is zero.

References
----------
Y. Peng et al., "DPHuBERT: Joint Distillation and Pruning of Self-Supervised Speech
Models", Interspeech 2023.
"""

import math

import torch
from torch import Tensor, nn

from pyannote_diarizen.functional.hard_concrete import (
    deterministic_gates,
    nonzero_probability,
    sample,
)
from pyannote_diarizen.wavlm.config import WavLMConfig

DROP_RATE = 0.01
"""Initial drop rate of channels, heads and blocks: nearly all gates are open."""

UNIT_DROP_RATE = 0.5
"""Initial drop rate of feed-forward units: a new model is sparse already."""

UNIFORM_MARGIN = 1e-6
"""Distance of uniform samples from 0 and 1, where gates have no gradient."""


class HardConcrete(nn.Module):
    """Hard concrete gates of a group of units.

    In training mode, each forward pass samples new gates, the same for a whole batch.
    In evaluation mode, gates are deterministic, and computed anew by each forward pass:
    they follow `log_alpha` at any time.

    Parameters
    ----------
    num_units : int
        Number of gates.
    drop_rate : float
        Initial probability of a gate to be below 0.5.
    temperature, low, high : float
        Parameters of the distribution, see `functional.hard_concrete`.
    """

    def __init__(
        self,
        num_units: int,
        drop_rate: float,
        temperature: float,
        low: float,
        high: float,
    ) -> None:
        super().__init__()
        # alpha / (1 + alpha) is the probability of a sample above 0.5
        mean = math.log((1 - drop_rate) / drop_rate)
        self.log_alpha = nn.Parameter(mean + 0.01 * torch.randn(num_units))
        self.distribution = (temperature, low, high)

    def forward(self) -> Tensor:
        """Gates, of shape (num_units,)."""
        if not self.training:
            return self.deterministic()
        log_alpha = self.log_alpha.float()
        uniform = torch.empty_like(log_alpha)
        uniform.uniform_(UNIFORM_MARGIN, 1 - UNIFORM_MARGIN)
        gates = sample(log_alpha, uniform, *self.distribution)
        return gates.to(self.log_alpha.dtype)

    def deterministic(self) -> Tensor:
        """Gates at inference, of shape (num_units,)."""
        # in single precision, because the number of zeros is a rounded sum
        gates = deterministic_gates(self.log_alpha.float(), *self.distribution)
        return gates.to(self.log_alpha.dtype)

    def expected_size(self) -> Tensor:
        """Return the expected number of gates that are not zero, of shape ()."""
        return nonzero_probability(self.log_alpha.float(), *self.distribution).sum()


def build_gates(
    config: WavLMConfig, wanted: bool, num_units: int, drop_rate: float = DROP_RATE
) -> HardConcrete | None:
    """Build the gates of a group of units; None if there are none, or not `wanted`.

    Parameters
    ----------
    config : WavLMConfig
        Configuration with the parameters of the distribution.
    wanted : bool
    num_units : int
    drop_rate : float, optional
        See `HardConcrete`. Defaults to 0.01.
    """
    if not wanted or num_units == 0:
        return None
    return HardConcrete(
        num_units, drop_rate, config.temperature, config.limit_l, config.limit_r
    )


def apply_gates(x: Tensor, gates: HardConcrete | None) -> Tensor:
    """Multiply the last dimension of `x` by gates, if there are any."""
    return x if gates is None else x * gates().to(x.dtype)
