# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Knowledge distillation of segmentation models [1]_.

A teacher trained on many real conversations gives the student more than the labels of
simulated ones: its posteriors [1]_, and the hidden states that enter its layers [2]_.

During the first steps, each layer of the student can take the hidden states of the
teacher as input, so that all layers learn in parallel [3]_. An LSTM layer then also
takes the teacher's outputs as recurrent inputs (`teacher_forcing`). At inference, it
takes its own: scheduled sampling [4]_ does so in a share of the chunks already.

References
----------
.. [1] G. Hinton, O. Vinyals, J. Dean, "Distilling the Knowledge in a Neural Network",
   2015.
.. [2] A. Romero, N. Ballas, S. E. Kahou, A. Chassang, C. Gatta, Y. Bengio, "FitNets:
   Hints for Thin Deep Nets", ICLR 2015.
.. [3] C. Blakeney, X. Li, Y. Yan, Z. Zong, "Parallel Blockwise Knowledge Distillation
   for Deep Neural Network Compression", IEEE TPDS 2021.
.. [4] S. Bengio, O. Vinyals, N. Jaitly, N. Shazeer, "Scheduled Sampling for Sequence
   Prediction with Recurrent Neural Networks", NeurIPS 2015.
"""

import re
from collections.abc import Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import pairwise
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812 - usual name
from pyannote.audio.core.model import Model
from pyannote.audio.models.segmentation import PyanNet
from torch import Tensor, nn

from pyannote_diarizen.functional.distillation import posterior_divergence
from pyannote_diarizen.tasks.teacher_forcing import teacher_forced_outputs


@dataclass(frozen=True)
class Distillation:
    """Teacher of a segmentation model, and weights of the losses.

    Parameters
    ----------
    teacher : Model
        Segmentation model with the powerset classes of the student. The student learns
        the teacher's order of speakers, too.
    layers : sequence of str, optional
        Names of layers that both models have, in order. The student also learns their
        inputs, (batch, frame, feature) hidden states of the same size in both models.
        None by default.
    teacher_forcing_steps : int, optional
        Number of training steps during which the teacher's hidden states enter these
        layers of the student. Defaults to 0.
    scheduled_sampling : float, optional
        Share of chunks, during these steps, in which the recurrent inputs of an LSTM
        layer are its own outputs instead of the teacher's [4]_. Defaults to 0.
    reference : float, optional
        Weight of the loss of the labels. Defaults to 1.
    posteriors : float, optional
        Weight of the divergence from the teacher's posteriors. Defaults to 1.
    hidden : float, optional
        Weight of the errors of the inputs of `layers`. Defaults to 1.
    temperature : float, optional
        See `posterior_divergence`. Defaults to 1.

    Raises
    ------
    ValueError
        If `temperature` is not above 0, or `scheduled_sampling` is out of range, or
        without `teacher_forcing_steps`.
    """

    teacher: Model
    layers: Sequence[str] = ()
    teacher_forcing_steps: int = 0
    scheduled_sampling: float = 0.0
    reference: float = 1.0
    posteriors: float = 1.0
    hidden: float = 1.0
    temperature: float = 1.0

    def __post_init__(self) -> None:
        """Check options."""
        if not self.temperature > 0:
            raise ValueError(
                f"`temperature` should be above 0, got {self.temperature}."
            )
        if not 0 <= self.scheduled_sampling <= 1:
            raise ValueError(
                "`scheduled_sampling` should be between 0 and 1, got "
                f"{self.scheduled_sampling}."
            )
        if self.scheduled_sampling and not self.teacher_forcing_steps:
            raise ValueError(
                "`scheduled_sampling` has no effect without `teacher_forcing_steps`."
            )


class LayerInputs:
    """Inputs of some layers of a model, recorded at each call and replaced on demand.

    Parameters
    ----------
    model : nn.Module
    layers : sequence of str
        Names of layers of `model`.

    Attributes
    ----------
    inputs : dict of str to Tensor
        Input of each layer in the last call.
    layers : dict of str to nn.Module

    Raises
    ------
    ValueError
        If `model` has no such layer.
    """

    def __init__(self, model: nn.Module, layers: Sequence[str]) -> None:
        self.inputs: dict[str, Tensor] = {}
        self.layers: dict[str, nn.Module] = {}
        self._replaced: Mapping[str, Tensor] = {}
        known = dict(model.named_modules())
        for name in layers:
            if name not in known:
                raise ValueError(
                    f"{type(model).__name__} has no layer '{name}' but "
                    f"{', '.join(layer for layer in known if layer)}."
                )

            def record(
                layer: nn.Module, inputs: tuple[Any, ...], name: str = name
            ) -> tuple[Any, ...] | None:
                self.inputs[name] = inputs[0]
                if name not in self._replaced:
                    return None
                return (self._replaced[name], *inputs[1:])

            self.layers[name] = known[name]
            known[name].register_forward_pre_hook(record)

    @contextmanager
    def replaced(self, inputs: Mapping[str, Tensor]) -> Iterator[None]:
        """Replace the inputs of layers by others, by name."""
        self._replaced = inputs
        try:
            yield
        finally:
            self._replaced = {}


class SegmentationTeacher:
    """Segmentation model, evaluated at the frames of another one.

    Parameters
    ----------
    model : Model
    layers : sequence of str
        Names of the layers whose (batch, frame, feature) inputs are returned.

    Raises
    ------
    ValueError
        If `model` has no such layer.
    """

    def __init__(self, model: Model, layers: Sequence[str]) -> None:
        self.model = model.eval().requires_grad_(False)
        self._recorded = LayerInputs(model, layers)

    @torch.no_grad()
    def __call__(
        self, waveforms: Tensor, centers: np.ndarray
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Compute scores and hidden states at the frames nearest to `centers`.

        Parameters
        ----------
        waveforms : (batch, channel, sample) Tensor
        centers : (num_frames,) np.ndarray
            Centres of the frames of the student, in samples.

        Returns
        -------
        scores : (batch, num_frames, num_classes) Tensor
            Log-probabilities.
        hidden : dict of str to (batch, num_frames, num_features) Tensor
            Inputs of `layers`.
        """
        self.model.to(waveforms.device).eval()
        scores = self.model(waveforms)
        # centre of frame k of the teacher: first + k * step
        first = self.model.receptive_field_center(0)
        step = self.model.receptive_field_center(1) - first
        nearest = np.round((centers - first) / step).astype(int)
        nearest = np.clip(nearest, 0, scores.shape[1] - 1)
        hidden = {
            name: frames[:, nearest].float()
            for name, frames in self._recorded.inputs.items()
        }
        return scores[:, nearest].float(), hidden


class SegmentationDistillation:
    """Distillation losses of a student.

    Parameters
    ----------
    options : Distillation
    student : Model

    Raises
    ------
    ValueError
        If one of the models lacks a layer, or their classes differ.
    """

    def __init__(self, options: Distillation, student: Model) -> None:
        classes, own = (
            model.specifications.num_powerset_classes
            for model in (options.teacher, student)
        )
        if classes != own:
            raise ValueError(
                f"The teacher has {classes} classes, the student {own}: give the "
                "teacher's `max_speakers_per_chunk` and `max_speakers_per_frame`."
            )
        self.options = options
        self.student = student
        self._teacher = SegmentationTeacher(options.teacher, options.layers)
        self._recorded = LayerInputs(student, options.layers)

    def __call__(
        self, waveforms: Tensor, step: int
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Compare student and teacher.

        Parameters
        ----------
        waveforms : (batch, channel, sample) Tensor
        step : int
            Training step.

        Returns
        -------
        scores : (batch, num_frames, num_classes) Tensor
            Log-probabilities by the student.
        parts : dict of str to () Tensor
            "divergence": Kullback-Leibler divergence per frame, in nats. For each
            layer: mean square error of its input, divided by the variance of the
            teacher's, so that predicting the mean gives 1.
        """
        num_frames = self.student.num_frames(waveforms.shape[-1])
        center = self.student.receptive_field_center
        centers = np.array([center(frame) for frame in range(num_frames)])
        # (batch, num_frames, num_classes), (batch, num_frames, num_features) per layer
        expected, targets = self._teacher(waveforms, centers)
        is_forced = step < self.options.teacher_forcing_steps
        with self._recorded.replaced(targets if is_forced else {}):
            scores = self.student(waveforms)
        hidden = dict(self._recorded.inputs)
        if is_forced:
            hidden |= self._force(targets, hidden)
        temperature = self.options.temperature
        divergence = posterior_divergence(scores.float(), expected, temperature)
        parts = {"divergence": divergence}
        for name, target in targets.items():
            # total variance of the features, averaged: 1 is the error of the mean
            variance = target.var(dim=(0, 1), correction=0).mean()
            parts[name] = F.mse_loss(hidden[name].float(), target) / variance
        return scores, parts

    def _force(
        self, targets: Mapping[str, Tensor], own: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """Teacher-forced inputs of the layers that follow an LSTM layer.

        Parameters
        ----------
        targets, own : mapping of str to (batch, frame, feature) Tensor
            Inputs of each layer, of the teacher and of the student.
        """
        first = next(iter(targets.values()))
        # one draw per chunk, (batch, 1, 1)
        is_sampled = torch.rand(len(first), 1, 1) < self.options.scheduled_sampling
        is_sampled = is_sampled.to(first.device)

        def recurrent(follower: str) -> Tensor:
            """Recurrent inputs: the outputs, that is, the input of the next layer."""
            return torch.where(is_sampled, own[follower].detach(), targets[follower])

        layers = {
            follower: (layer, targets[name], recurrent(follower))
            for name, follower in pairwise(targets)
            if isinstance(layer := self._recorded.layers[name], nn.LSTM)
        }
        if not layers:
            return {}
        outputs = teacher_forced_outputs(*zip(*layers.values(), strict=True))
        return dict(zip(layers, outputs, strict=True))

    def loss(self, reference: Tensor, parts: Mapping[str, Tensor]) -> Tensor:
        """Weighted sum of the loss of the labels and of the parts of `__call__`."""
        weights = self.options
        hidden = sum(parts[name] for name in weights.layers)
        return (
            weights.reference * reference
            + weights.posteriors * parts["divergence"]
            + weights.hidden * hidden
        )


def separate_lstm_layers(model: PyanNet) -> PyanNet:
    """Copy a model with one LSTM module per layer, so that `LayerInputs` finds them.

    Parameters
    ----------
    model : PyanNet
        Its LSTM is monolithic, as in segmentation-3.0.
    """
    hparams = dict(model.hparams)
    hparams["lstm"] = {**hparams["lstm"], "monolithic": False}
    separate = PyanNet(**hparams)
    separate.specifications = model.specifications
    separate.setup()
    separate.load_state_dict(
        {
            # lstm.weight_ih_l2 becomes lstm.2.weight_ih_l0
            re.sub(r"^lstm\.(\w+)_l(\d+)", r"lstm.\2.\1_l0", name): weights
            for name, weights in model.state_dict().items()
        }
    )
    return separate
