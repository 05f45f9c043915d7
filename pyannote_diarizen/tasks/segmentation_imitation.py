# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Imitation of a segmentation model that met more conversations than the student can.

Labels of simulated conversations say who speaks, but not how real conversations
sound. A model trained on many of those answers by what it knows: its posteriors [1]_
and what its last layers hold [2]_ are worth more to the student than labels alone.

References
----------
.. [1] G. Hinton, O. Vinyals, J. Dean, "Distilling the Knowledge in a Neural Network",
   2015.
.. [2] A. Romero, N. Ballas, S. E. Kahou, A. Chassang, C. Gatta, Y. Bengio, "FitNets:
   Hints for Thin Deep Nets", ICLR 2015.
"""

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from pyannote.audio.core.model import Model
from torch import Tensor, nn


class SegmentationTeacher:
    """A segmentation model, asked at the frames of another.

    Parameters
    ----------
    model : Model
        Of the same powerset as the student; its order of speakers is imitated, too.
    layer : str
        Name of the layer whose input is imitated, (batch, frame, feature).

    Raises
    ------
    ValueError
        If `model` has no such layer.
    """

    def __init__(self, model: Model, layer: str) -> None:
        self.model = model.eval().requires_grad_(False)
        layers = dict(model.named_modules())
        if layer not in layers:
            raise ValueError(
                f"The teacher, a {type(model).__name__}, has no layer {layer!r} but "
                f"{', '.join(name for name in layers if name)}."
            )
        layers[layer].register_forward_pre_hook(self._keep)

    def _keep(self, layer: nn.Module, inputs: tuple[Tensor]) -> None:
        self._hidden = inputs[0]

    @torch.no_grad()
    def __call__(self, waveforms: Tensor, centers: np.ndarray) -> tuple[Tensor, Tensor]:
        """Tell what the model says at given instants.

        Parameters
        ----------
        waveforms : (batch, channel, sample) Tensor
        centers : (num_frames,) np.ndarray
            Instants, in samples.

        Returns
        -------
        probabilities : (batch, num_frames, num_classes) Tensor
        hidden : (batch, num_frames, num_features) Tensor
            Linear interpolations of what precedes and what follows.
        """
        self.model.to(waveforms.device).eval()
        scores = self.model(waveforms)
        first = self.model.receptive_field_center(0)
        step = self.model.receptive_field_center(1) - first
        position = np.clip((centers - first) / step, 0, scores.shape[1] - 1)
        before = np.floor(position).astype(int)
        after = np.minimum(before + 1, scores.shape[1] - 1)
        share = torch.from_numpy(position - before).float().to(scores.device)[:, None]

        def at_centers(frames: Tensor) -> Tensor:
            frames = frames.float()
            return torch.lerp(frames[:, before], frames[:, after], share)

        return at_centers(scores.float().exp()), at_centers(self._hidden)


class SegmentationImitationLoss(nn.Module):
    """Say what the teacher says, from frames that tell what it knows.

    Parameters
    ----------
    num_features : int
        Of the student's frames.
    num_targets : int
        Of the teacher's.
    """

    def __init__(self, num_features: int, num_targets: int) -> None:
        super().__init__()
        # running mean and variance, no weights: brings targets to zero and one
        self.standardize = nn.BatchNorm1d(num_targets, affine=False, momentum=0.01)
        self.linear = nn.Linear(num_features, num_targets)

    def forward(
        self, scores: Tensor, frames: Tensor, probabilities: Tensor, hidden: Tensor
    ) -> tuple[Tensor, Tensor]:
        """Compare student and teacher.

        Parameters
        ----------
        scores : (batch, num_frames, num_classes) Tensor
            Log-probabilities by the student.
        frames : (batch, num_frames, num_features) Tensor
        probabilities : (batch, num_frames, num_classes) Tensor
            By the teacher.
        hidden : (batch, num_frames, num_targets) Tensor

        Returns
        -------
        divergence : () Tensor
            Kullback-Leibler divergence per frame, in nats.
        error : () Tensor
            Mean square error, 1 for whoever tells the mean.
        """
        divergence = F.kl_div(
            scores.flatten(0, 1), probabilities.flatten(0, 1), reduction="batchmean"
        )
        targets = self.standardize(hidden.flatten(0, 1))
        return divergence, F.mse_loss(self.linear(frames.flatten(0, 1)), targets)
