# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""SpecAugment: bands and instants of log-mel features that a model cannot see.

References
----------
.. [1] D. S. Park et al., "SpecAugment: A Simple Data Augmentation Method for Automatic
   Speech Recognition", Interspeech 2019. Without its time warping, which would move
   speech away from its labels.
"""

from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle


class SpecAugment(Callback):
    """Mask features of `FBankConformer` while it is trained, never while validated.

    Parameters
    ----------
    num_bands, num_instants : int, optional
        How many stretches are masked in each chunk. Default to 2 and 2.
    max_bands : int, optional
        Longest stretch of mel bands. Defaults to 10.
    max_instants : int, optional
        Longest stretch of frames; short, since whole turns should not be hidden.
        Defaults to 20.
    layer : str, optional
        Name of the module whose output, (batch, frame, band), is masked. Defaults to
        "make_feats".
    """

    def __init__(
        self,
        num_bands: int = 2,
        max_bands: int = 10,
        num_instants: int = 2,
        max_instants: int = 20,
        layer: str = "make_feats",
    ) -> None:
        self.num_bands, self.max_bands = num_bands, max_bands
        self.num_instants, self.max_instants = num_instants, max_instants
        self.layer = layer
        self._hook: RemovableHandle | None = None

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Attach to the model.

        Raises
        ------
        ValueError
            If it has no such layer.
        """
        layers = dict(pl_module.named_modules())
        if self.layer not in layers:
            raise ValueError(
                f"SpecAugment masks the output of `{self.layer}`, which a "
                f"{type(pl_module).__name__} has not: it is for FBankConformer."
            )
        self._hook = layers[self.layer].register_forward_hook(self._mask)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Detach from the model."""
        if self._hook is not None:
            self._hook.remove()

    def _mask(self, layer: nn.Module, inputs: Any, features: Tensor) -> Tensor | None:
        if not layer.training:
            return None
        bands = stretches(features, 2, self.num_bands, self.max_bands)
        instants = stretches(features, 1, self.num_instants, self.max_instants)
        # by what is usual in the chunk: zero is loud in decibels
        usual = features.mean(dim=(1, 2), keepdim=True)
        return torch.where(bands | instants, usual, features)


def stretches(features: Tensor, dim: int, num: int, longest: int) -> Tensor:
    """Draw stretches of one dimension of (batch, frame, band) features.

    Parameters
    ----------
    features : (batch, frame, band) Tensor
    dim : int
        1 or 2.
    num : int
        Stretches of each item of the batch; they may overlap.
    longest : int
        Each is drawn uniformly between none and that.

    Returns
    -------
    chosen : bool Tensor
        (batch, frame, 1) or (batch, 1, band).
    """
    size = features.shape[dim]
    shape = (len(features), num, 1)
    device = features.device
    length = torch.randint(min(longest, size) + 1, shape, device=device)
    start = (torch.rand(shape, device=device) * (size - length + 1)).long()
    where = torch.arange(size, device=device)
    chosen = ((where >= start) & (where < start + length)).any(dim=1)
    return chosen.unsqueeze(3 - dim)
