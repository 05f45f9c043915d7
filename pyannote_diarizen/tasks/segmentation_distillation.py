# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Imitation of a segmentation model that met more conversations than the student can.

Labels of simulated conversations say who speaks, but not how real conversations
sound. A model trained on many of those answers by what it knows: its posteriors [1]_
and what its layers hold [2]_ are worth more to the student than labels alone. At first,
each layer of the student may hear what the teacher's hears, so that all learn at once,
none waiting for those before it [3]_; see also `teacher_forcing`. A recurrent layer
that has never heard itself goes astray once it is alone, so that it should do so in
part of the chunks [4]_.

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
import torch.nn.functional as F  # noqa: N812 - the name everybody knows
from pyannote.audio.core.model import Model
from pyannote.audio.models.segmentation import PyanNet
from torch import Tensor, nn

from pyannote_diarizen.tasks.scheduled_sampling import forced_outputs


@dataclass(frozen=True)
class Imitation:
    """A teacher, and how much what it says matters.

    Parameters
    ----------
    teacher : Model
        Segmentation model of the same powerset. Its order of speakers is imitated, too.
    layers : sequence of str
        Names that layers have in both models, one after the other. What enters them is
        imitated; it should be (batch, frame, feature), of as many features. None by
        default.
    forced_steps : int, optional
        Steps of training in which each of these layers hears what the teacher's hears,
        an LSTM also what the teacher's has just said. Defaults to 0.
    sampled : float, optional
        Share of chunks in which such an LSTM hears what it has just said itself, given
        what the teacher's hears [4]_. Defaults to 0.
    reference : float, optional
        Weight of the loss of the labels. Defaults to 1.
    posteriors : float, optional
        Weight of the divergence from its posteriors. Defaults to 1.
    hidden : float, optional
        Weight of the errors of what enters `layers`. Defaults to 1.

    Raises
    ------
    ValueError
        If `sampled` is no share, or of steps that are not forced.
    """

    teacher: Model
    layers: Sequence[str] = ()
    forced_steps: int = 0
    sampled: float = 0.0
    reference: float = 1.0
    posteriors: float = 1.0
    hidden: float = 1.0

    def __post_init__(self) -> None:
        """Check options."""
        if not 0 <= self.sampled <= 1:
            raise ValueError(
                f"`sampled` should be between 0 and 1, got {self.sampled}."
            )
        if self.sampled and not self.forced_steps:
            raise ValueError("`sampled` is of no use without `forced_steps`.")


class LayerInputs:
    """What enters some layers of a model, each time it is called.

    Parameters
    ----------
    model : nn.Module
    layers : sequence of str
        Names of its layers.

    Attributes
    ----------
    heard : dict of str to Tensor
        What entered each layer in the last call.
    layers : dict of str to nn.Module

    Raises
    ------
    ValueError
        If there is no such layer.
    """

    def __init__(self, model: nn.Module, layers: Sequence[str]) -> None:
        self.heard: dict[str, Tensor] = {}
        self.layers: dict[str, nn.Module] = {}
        self._replaced: Mapping[str, Tensor] = {}
        known = dict(model.named_modules())
        for name in layers:
            if name not in known:
                raise ValueError(
                    f"{type(model).__name__} has no layer {name!r} but "
                    f"{', '.join(layer for layer in known if layer)}."
                )

            def listen(
                layer: nn.Module, inputs: tuple[Any, ...], name: str = name
            ) -> tuple[Any, ...] | None:
                self.heard[name] = inputs[0]
                if name not in self._replaced:
                    return None
                return (self._replaced[name], *inputs[1:])

            self.layers[name] = known[name]
            known[name].register_forward_pre_hook(listen)

    @contextmanager
    def replaced(self, inputs: Mapping[str, Tensor]) -> Iterator[None]:
        """Let layers hear something else."""
        self._replaced = inputs
        try:
            yield
        finally:
            self._replaced = {}


class SegmentationTeacher:
    """A segmentation model, asked at the frames of another.

    Parameters
    ----------
    model : Model
    layers : sequence of str
        Names of the layers whose input is told, (batch, frame, feature).

    Raises
    ------
    ValueError
        If `model` has no such layer.
    """

    def __init__(self, model: Model, layers: Sequence[str]) -> None:
        self.model = model.eval().requires_grad_(False)
        self._inputs = LayerInputs(model, layers)

    @torch.no_grad()
    def __call__(
        self, waveforms: Tensor, centers: np.ndarray
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Tell what the model says at given instants.

        Parameters
        ----------
        waveforms : (batch, channel, sample) Tensor
        centers : (num_frames,) np.ndarray
            Instants, in samples.

        Returns
        -------
        probabilities : (batch, num_frames, num_classes) Tensor
        inputs : dict of str to (batch, num_frames, num_features) Tensor
            Both at the frames nearest to the instants.
        """
        self.model.to(waveforms.device).eval()
        scores = self.model(waveforms)
        first = self.model.receptive_field_center(0)
        step = self.model.receptive_field_center(1) - first
        nearest = np.round((centers - first) / step).astype(int)
        nearest = np.clip(nearest, 0, scores.shape[1] - 1)
        inputs = {
            name: frames[:, nearest].float()
            for name, frames in self._inputs.heard.items()
        }
        return scores[:, nearest].float().exp(), inputs


class SegmentationImitation:
    """What a student is asked to imitate.

    Parameters
    ----------
    imitation : Imitation
    student : Model

    Raises
    ------
    ValueError
        If one of the models lacks a layer, or their classes differ.
    """

    def __init__(self, imitation: Imitation, student: Model) -> None:
        classes, own = (
            model.specifications.num_powerset_classes
            for model in (imitation.teacher, student)
        )
        if classes != own:
            raise ValueError(
                f"The teacher tells {classes} classes, the student should tell "
                f"{own}: `max_speakers_per_chunk` and `max_speakers_per_frame` "
                "should be those of the teacher."
            )
        self.imitation = imitation
        self.student = student
        self._teacher = SegmentationTeacher(imitation.teacher, imitation.layers)
        self._inputs = LayerInputs(student, imitation.layers)

    def __call__(
        self, waveforms: Tensor, step: int
    ) -> tuple[Tensor, dict[str, Tensor]]:
        """Compare student and teacher.

        Parameters
        ----------
        waveforms : (batch, channel, sample) Tensor
        step : int
            Of training.

        Returns
        -------
        scores : (batch, num_frames, num_classes) Tensor
            By the student.
        parts : dict of str to () Tensor
            "divergence" of Kullback and Leibler per frame, in nats, and, for each
            layer, the mean square error of what enters it: 1 for the mean.
        """
        num_frames = self.student.num_frames(waveforms.shape[-1])
        center = self.student.receptive_field_center
        centers = np.array([center(frame) for frame in range(num_frames)])
        probabilities, told = self._teacher(waveforms, centers)
        is_forced = step < self.imitation.forced_steps
        with self._inputs.replaced(told if is_forced else {}):
            scores = self.student(waveforms)
        heard = dict(self._inputs.heard)
        if is_forced:
            heard |= self._force(told, heard)
        parts = {
            "divergence": F.kl_div(
                scores.flatten(0, 1), probabilities.flatten(0, 1), reduction="batchmean"
            )
        }
        for name, expected in told.items():
            variance = expected.var(dim=(0, 1), correction=0).mean()
            parts[name] = F.mse_loss(heard[name].float(), expected) / variance
        return scores, parts

    def _force(
        self, told: Mapping[str, Tensor], own: Mapping[str, Tensor]
    ) -> dict[str, Tensor]:
        """Tell what enters layers that follow an LSTM, if that is forced."""
        first = next(iter(told.values()))
        is_sampled = torch.rand(len(first), 1, 1) < self.imitation.sampled
        is_sampled = is_sampled.to(first.device)

        def before(follower: str) -> Tensor:
            return torch.where(is_sampled, own[follower].detach(), told[follower])

        layers = {
            follower: (layer, told[name], before(follower))
            for name, follower in pairwise(told)
            if isinstance(layer := self._inputs.layers[name], nn.LSTM)
        }
        if not layers:
            return {}
        outputs = forced_outputs(*zip(*layers.values(), strict=True))
        return dict(zip(layers, outputs, strict=True))

    def loss(self, reference: Tensor, parts: Mapping[str, Tensor]) -> Tensor:
        """Weigh the loss of the labels and what `__call__` found."""
        weights = self.imitation
        hidden = sum(parts[name] for name in weights.layers)
        return (
            weights.reference * reference
            + weights.posteriors * parts["divergence"]
            + weights.hidden * hidden
        )


def separate_lstm_layers(model: PyanNet) -> PyanNet:
    """Return the same model with one LSTM per layer, whose inputs can be heard.

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
            re.sub(r"^lstm\.(\w+)_l(\d+)", r"lstm.\2.\1_l0", name): weights
            for name, weights in model.state_dict().items()
        }
    )
    return separate
