# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""SpecAugment: frequency and time masks on log-mel or WavLM features [1]_.

References
----------
.. [1] D. S. Park et al., "SpecAugment: A Simple Data Augmentation Method for Automatic
   Speech Recognition", Interspeech 2019. Time warping is left out: it would move speech
   away from its labels.
"""

from typing import Any

import torch
from lightning.pytorch import Callback, LightningModule, Trainer
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

FEATURES = ("make_feats", "proj")
"""Log-mel features of `FBankConformer`; WavLM features as they enter the Conformer."""


class SpecAugment(Callback):
    """Callback that masks the features of a segmentation model in training mode.

    Parameters
    ----------
    num_frequency_masks, num_time_masks : int, optional
        Number of masks per chunk. Default to 2.
    max_frequency_width : int, optional
        Maximum width of a frequency mask, in mel bands or features. Defaults to 10.
    max_time_width : int, optional
        Maximum width of a time mask, in frames; short, so that no whole turn is masked.
        Defaults to 20.
    layer : str, optional
        Name of the module whose output, (batch, frame, band), is masked. Defaults to
        the first of `FEATURES` that the model has.
    """

    def __init__(
        self,
        num_frequency_masks: int = 2,
        max_frequency_width: int = 10,
        num_time_masks: int = 2,
        max_time_width: int = 20,
        layer: str | None = None,
    ) -> None:
        self.num_frequency_masks = num_frequency_masks
        self.max_frequency_width = max_frequency_width
        self.num_time_masks = num_time_masks
        self.max_time_width = max_time_width
        self.layer = layer
        self._hook: RemovableHandle | None = None

    def on_fit_start(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Attach to the model.

        Raises
        ------
        ValueError
            If the model has no such layer.
        """
        layers = dict(pl_module.named_modules())
        wanted = FEATURES if self.layer is None else (self.layer,)
        found = [layers[name] for name in wanted if name in layers]
        if not found:
            raise ValueError(
                f"SpecAugment masks the output of {' or '.join(wanted)}, which "
                f"{type(pl_module).__name__} does not have: give another `layer`."
            )
        self._hook = found[0].register_forward_hook(self._mask)

    def on_fit_end(self, trainer: Trainer, pl_module: LightningModule) -> None:
        """Detach from the model."""
        if self._hook is not None:
            self._hook.remove()

    def _mask(self, layer: nn.Module, inputs: Any, features: Tensor) -> Tensor | None:
        if not layer.training:
            return None
        masked = draw_masks(
            features, 2, self.num_frequency_masks, self.max_frequency_width
        ) | draw_masks(features, 1, self.num_time_masks, self.max_time_width)
        # the mean of each chunk, (batch, 1, 1): zero would be loud in decibels
        mean = features.mean(dim=(1, 2), keepdim=True)
        return torch.where(masked, mean, features)


def draw_masks(features: Tensor, dim: int, num: int, max_width: int) -> Tensor:
    """Draw masks along one dimension of (batch, frame, band) features.

    Parameters
    ----------
    features : (batch, frame, band) Tensor
    dim : int
        1 (time) or 2 (frequency).
    num : int
        Number of masks per item of the batch; masks may overlap.
    max_width : int
        Maximum width of a mask.

    Returns
    -------
    masked : bool Tensor
        (batch, frame, 1) or (batch, 1, band).
    """
    size = features.shape[dim]
    shape = (len(features), num, 1)
    device = features.device
    # uniform width from 0 to max_width, then uniform start so that the mask fits
    width = torch.randint(min(max_width, size) + 1, shape, device=device)
    start = (torch.rand(shape, device=device) * (size - width + 1)).long()
    index = torch.arange(size, device=device)
    # (batch, num, size) to (batch, size)
    masked = ((index >= start) & (index < start + width)).any(dim=1)
    return masked.unsqueeze(3 - dim)
