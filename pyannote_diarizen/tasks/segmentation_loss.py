# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""What a segmentation model is trained to make small, as a sum of weighted parts."""

from collections.abc import Mapping
from dataclasses import dataclass, fields
from typing import Any

import torch
from pyannote.audio.utils.permutation import permutate
from pyannote.audio.utils.powerset import Powerset
from torch import Tensor

from pyannote_diarizen.errors import unknown_keys
from pyannote_diarizen.functional.losses import (
    change_between_frames,
    cross_entropy,
    distance_to_smoothed,
    multilabel_cross_entropy,
)

PARTS = ("cross_entropy", "binary_cross_entropy", "neighbours", "smoothness")


@dataclass(frozen=True)
class SegmentationLoss:
    """Weights of the parts of a loss, and options of each.

    By default, the loss is that of the original: cross-entropy of powerset classes.

    Parameters
    ----------
    cross_entropy : float, optional
        Weight of the cross-entropy of powerset classes. Defaults to 1.
    binary_cross_entropy : float, optional
        Weight of the cross-entropy of the activity of each speaker. Defaults to 0.
    neighbours : float, optional
        Weight of how much probabilities change from a frame to the next. Defaults to 0.
    smoothness : float, optional
        Weight of how far probabilities are from themselves smoothed by a Gaussian.
        Defaults to 0.
    focusing : float, optional
        Exponent of the focal loss, which makes the cross-entropy of powerset classes
        turn to frames that are hard; 2 is usual. Defaults to 0, all frames alike.
    label_smoothing : float, optional
        What the cross-entropy of powerset classes leaves to all of them alike. Defaults
        to 0.
    class_balance : float, optional
        Weigh powerset classes by their frequency in the training set to the power of
        minus this: from 0 (default), as they come, to 1, each the same part.
    sigma : float, optional
        Standard deviation of the Gaussian of `smoothness`, in frames. Defaults to 3.

    Raises
    ------
    ValueError
        If a value is out of range, or no part has a weight.
    """

    cross_entropy: float = 1.0
    binary_cross_entropy: float = 0.0
    neighbours: float = 0.0
    smoothness: float = 0.0
    focusing: float = 0.0
    label_smoothing: float = 0.0
    class_balance: float = 0.0
    sigma: float = 3.0

    def __post_init__(self) -> None:
        """Check ranges."""
        for field in fields(self):
            value = getattr(self, field.name)
            if not value >= 0:
                raise ValueError(f"`{field.name}` should not be negative, got {value}.")
        if not self.label_smoothing < 1:
            raise ValueError(
                f"`label_smoothing` should be below 1, got {self.label_smoothing}."
            )
        if self.sigma == 0:
            raise ValueError("`sigma` should be greater than 0 frames.")
        if not (self.cross_entropy or self.binary_cross_entropy):
            raise ValueError(
                "Nothing tells who speaks: give `cross_entropy` or "
                "`binary_cross_entropy` a weight."
            )

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> "SegmentationLoss":
        """Read options of a configuration file.

        Raises
        ------
        ValueError
            If one is unknown; the message lists those that are known.
        """
        known = [field.name for field in fields(cls)]
        unknown = [name for name in options if name not in known]
        if unknown:
            raise ValueError(unknown_keys("of the loss", unknown, known))
        return cls(**options)

    def __call__(
        self,
        log_probabilities: Tensor,
        target: Tensor,
        powerset: Powerset,
        class_weights: Tensor | None = None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute the loss of a batch, whatever the order of its speakers.

        Parameters
        ----------
        log_probabilities : (batch_size, num_frames, num_classes) Tensor
        target : (batch_size, num_frames, num_speakers) Tensor
            1 where a speaker is active, else 0.
        powerset : Powerset
        class_weights : (num_classes,) Tensor, optional
            See `cross_entropy` in `pyannote_diarizen.functional.losses`.

        Returns
        -------
        loss : () Tensor
            Weighted sum of parts.
        parts : dict
            Those that have a weight, by name, before they are weighted.
        """
        with torch.autocast(log_probabilities.device.type, enabled=False):
            scores = log_probabilities.float()
            active, _ = permutate(powerset.to_multilabel(scores), target)
            parts = {
                part: self._part(part, scores, active, powerset, class_weights).mean()
                for part in PARTS
                if getattr(self, part)
            }
            loss = torch.stack(
                [getattr(self, part) * value for part, value in parts.items()]
            ).sum()
        return loss, parts

    def _part(
        self,
        part: str,
        scores: Tensor,
        active: Tensor,
        powerset: Powerset,
        class_weights: Tensor | None,
    ) -> Tensor:
        if part == "cross_entropy":
            return cross_entropy(
                scores,
                powerset.to_powerset(active.float()).argmax(dim=-1),
                class_weights=class_weights,
                label_smoothing=self.label_smoothing,
                focusing=self.focusing,
            )
        if part == "binary_cross_entropy":
            return multilabel_cross_entropy(scores, powerset.mapping, active)
        if part == "neighbours":
            return change_between_frames(scores)
        return distance_to_smoothed(scores, self.sigma)


REFERENCE = SegmentationLoss()
"""That of the original."""
