# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Weighted loss of segmentation: powerset cross-entropy plus optional regularisers.

The formulas and papers are in `pyannote_diarizen.functional.losses`.
"""

from collections.abc import Callable, Mapping
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

_NEEDED = {
    "focal_gamma": "cross_entropy",
    "label_smoothing": "cross_entropy",
    "class_balance": "cross_entropy",
    "pos_weight": "binary_cross_entropy",
    "sigma": "smoothness",
}
"""Part of the loss that an option belongs to."""

PARTS = ("cross_entropy", "binary_cross_entropy", "temporal_consistency", "smoothness")


@dataclass(frozen=True)
class SegmentationLoss:
    """Weighted sum of losses, permutation-invariant.

    The default is the loss of DiariZen: cross-entropy of powerset classes.

    Parameters
    ----------
    cross_entropy : float, optional
        Weight of the cross-entropy of powerset classes. Defaults to 1.
    binary_cross_entropy : float, optional
        Weight of the cross-entropy of the activity of each speaker. Defaults to 0.
    temporal_consistency : float, optional
        Weight of the squared change of probabilities between neighbouring frames.
        Defaults to 0.
    smoothness : float, optional
        Weight of the squared distance between probabilities and the same probabilities
        smoothed by a Gaussian. Defaults to 0.
    focal_gamma : float, optional
        Exponent of the focal loss, for the cross-entropy of powerset classes: larger
        values give more weight to difficult frames. Defaults to 0 (no focal loss); 2 is
        usual.
    label_smoothing : float, optional
        Share of the target distributed over all powerset classes. Defaults to 0.
    class_balance : float, optional
        Exponent of the inverse class frequency in the training set, which weighs
        powerset classes: 0 (default) weighs all frames alike, 1 all classes.
    sigma : float, optional
        Standard deviation of the Gaussian of `smoothness`, in frames. Defaults to 3.
    pos_weight : float, optional
        Weight of active speakers in `binary_cross_entropy`: above 1, fewer are missed,
        with more false alarms. Defaults to 1.

    Raises
    ------
    ValueError
        If a value is out of range, or no part has a weight.
    """

    cross_entropy: float = 1.0
    binary_cross_entropy: float = 0.0
    temporal_consistency: float = 0.0
    smoothness: float = 0.0
    focal_gamma: float = 0.0
    label_smoothing: float = 0.0
    class_balance: float = 0.0
    sigma: float = 3.0
    pos_weight: float = 1.0

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
        for name in ("sigma", "pos_weight"):
            if getattr(self, name) == 0:
                raise ValueError(f"`{name}` should be greater than 0.")
        if not (self.cross_entropy or self.binary_cross_entropy):
            raise ValueError(
                "`cross_entropy` or `binary_cross_entropy` should be above 0: other "
                "parts do not depend on the labels."
            )
        for name, part in _NEEDED.items():
            is_set = getattr(self, name) != getattr(type(self), name)
            if is_set and not getattr(self, part):
                raise ValueError(
                    f"`{name}` has no effect without `{part}`: set that above 0, too."
                )

    @classmethod
    def from_options(cls, options: Mapping[str, Any]) -> "SegmentationLoss":
        """Build a loss from the options of a configuration file.

        Raises
        ------
        ValueError
            If an option is unknown; the message lists the known ones.
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
        """Compute the loss of a batch, for the best permutation of its speakers.

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
        parts : dict of str to () Tensor
            Parts with a weight above 0, before they are weighted.
        """
        with torch.autocast(log_probabilities.device.type, enabled=False):
            scores, active = _permuted(log_probabilities, target, powerset)
            parts = self.parts(scores, active, powerset, class_weights)
            loss = torch.stack(
                [getattr(self, part) * value for part, value in parts.items()]
            ).sum()
        return loss, parts

    def parts(
        self,
        scores: Tensor,
        active: Tensor,
        powerset: Powerset,
        class_weights: Tensor | None = None,
    ) -> dict[str, Tensor]:
        """Compute the parts with a weight above 0, before they are weighted.

        Parameters
        ----------
        scores : (batch_size, num_frames, num_classes) Tensor
            Log-probabilities of powerset classes.
        active : (batch_size, num_frames, num_speakers) Tensor
            Activities, with speakers in the best order.
        powerset : Powerset
        class_weights : (num_classes,) Tensor, optional
        """
        return {
            part: self._part(part, scores, active, powerset, class_weights).mean()
            for part in PARTS
            if getattr(self, part)
        }

    def _part(
        self,
        part: str,
        scores: Tensor,
        active: Tensor,
        powerset: Powerset,
        class_weights: Tensor | None,
    ) -> Tensor:
        """One part, (batch_size, num_frames)."""
        if part == "cross_entropy":
            return cross_entropy(
                scores,
                # one-hot classes to their indices, (batch_size, num_frames)
                powerset.to_powerset(active.float()).argmax(dim=-1),
                class_weights=class_weights,
                label_smoothing=self.label_smoothing,
                focal_gamma=self.focal_gamma,
            )
        if part == "binary_cross_entropy":
            return multilabel_cross_entropy(
                scores, powerset.mapping, active, self.pos_weight
            )
        if part == "temporal_consistency":
            return change_between_frames(scores)
        return distance_to_smoothed(scores, self.sigma)


REFERENCE = SegmentationLoss()
"""Loss of DiariZen."""


class OwnLoss:
    """Loss of one's own, called like `SegmentationLoss`.

    Parameters
    ----------
    function : callable
        Maps log-probabilities (batch_size, num_frames, num_classes) of powerset
        classes, activities (batch_size, num_frames, num_speakers) with speakers in the
        best order, and the `Powerset` to a () Tensor. A `torch.nn.Module` moves with
        the model, and its parameters are trained.
    """

    class_balance = 0.0

    def __init__(self, function: Callable[[Tensor, Tensor, Powerset], Tensor]) -> None:
        self.function = function

    def __call__(
        self,
        log_probabilities: Tensor,
        target: Tensor,
        powerset: Powerset,
        class_weights: Tensor | None = None,
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute the loss of a batch; see `SegmentationLoss`."""
        with torch.autocast(log_probabilities.device.type, enabled=False):
            scores, active = _permuted(log_probabilities, target, powerset)
            return self.function(scores, active, powerset), {}


def make_loss(loss: Any) -> SegmentationLoss | OwnLoss:
    """Build a loss from options, or wrap one of one's own.

    Parameters
    ----------
    loss : SegmentationLoss, mapping or callable
        Loss, options of `SegmentationLoss`, or argument of `OwnLoss`.

    Returns
    -------
    loss : SegmentationLoss or OwnLoss

    Raises
    ------
    TypeError, ValueError
        If it is none of these, or an option is unknown.
    """
    if isinstance(loss, SegmentationLoss):
        return loss
    if isinstance(loss, Mapping):
        return SegmentationLoss.from_options(loss)
    if callable(loss):
        return OwnLoss(loss)
    raise TypeError(
        f"`loss` should be options of SegmentationLoss, or a callable, got {loss!r}."
    )


def _permuted(
    log_probabilities: Tensor, target: Tensor, powerset: Powerset
) -> tuple[Tensor, Tensor]:
    """Return scores in single precision, and targets in the order of their speakers."""
    scores = log_probabilities.float()
    active, _ = permutate(powerset.to_multilabel(scores), target)
    return scores, active
