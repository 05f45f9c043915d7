# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Segmentation loss whose weights adapt to the variance of each part.

References
----------
A. Kendall, Y. Gal, R. Cipolla, "Multi-Task Learning Using Uncertainty to Weigh Losses
for Scene Geometry and Semantics", CVPR 2018, equation 7.
"""

import torch
from pyannote.audio.utils.powerset import Powerset
from torch import Tensor, nn

from pyannote_diarizen.tasks.segmentation_loss import PARTS, SegmentationLoss


class AdaptiveLoss(nn.Module):
    """Weighted sum of losses whose weights are trained with the model.

    A part with the loss L and the trained log-variance s contributes
    weight * (exp(-s) * L + s). For a constant L, the best s is log L: parts of any
    scale then have the same influence, and their weights follow them over the epochs.

    Parameters
    ----------
    cross_entropy, binary_cross_entropy, temporal_consistency, smoothness : float
        Constant weights; a part with 0 is absent.
    focal_gamma, label_smoothing, sigma, pos_weight : float
        See `SegmentationLoss`.

    Raises
    ------
    ValueError
        If a value is out of range, or no part has a weight.
    """

    def __init__(
        self,
        cross_entropy: float = 1.0,
        binary_cross_entropy: float = 0.0,
        temporal_consistency: float = 0.0,
        smoothness: float = 0.0,
        focal_gamma: float = 0.0,
        label_smoothing: float = 0.0,
        sigma: float = 3.0,
        pos_weight: float = 1.0,
    ) -> None:
        super().__init__()
        self.loss = SegmentationLoss(
            cross_entropy=cross_entropy,
            binary_cross_entropy=binary_cross_entropy,
            temporal_consistency=temporal_consistency,
            smoothness=smoothness,
            focal_gamma=focal_gamma,
            label_smoothing=label_smoothing,
            sigma=sigma,
            pos_weight=pos_weight,
        )
        self.log_variances = nn.ParameterDict(
            {
                part: nn.Parameter(torch.tensor(0.0))
                for part in PARTS
                if getattr(self.loss, part)
            }
        )

    def forward(self, scores: Tensor, active: Tensor, powerset: Powerset) -> Tensor:
        """Compute the loss of a batch, a () Tensor; see `OwnLoss` for the arguments."""
        parts = self.loss.parts(scores, active, powerset)
        # equation 7, with s for log(sigma ** 2)
        terms = [
            getattr(self.loss, part) * (torch.exp(-s) * parts[part] + s)
            for part, s in self.log_variances.items()
        ]
        return torch.stack(terms).sum()
