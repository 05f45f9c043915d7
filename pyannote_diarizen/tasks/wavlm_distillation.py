# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Knowledge distillation of the hidden states of WavLM.

The student has as many layers, of the same dimension, as the teacher, so that states
are compared without a projection. State 0 is the input of the first layer, state l the
output of layer l.

References
----------
J. Han et al., "Fine-tune Before Structured Pruning: Towards Compact and Accurate
Self-Supervised Models for Speaker Diarization", Interspeech 2025.
"""

from collections.abc import Sequence
from dataclasses import dataclass
from functools import partial
from math import prod
from typing import Any, get_args

import torch
import torch.nn.functional as F  # noqa: N812 - usual name
from pyannote.audio.core.model import Model
from torch import Tensor, nn

from pyannote_diarizen.functional.distillation import (
    CosineType,
    cosine_loss,
    posterior_divergence,
)
from pyannote_diarizen.models.checkpoint import fingerprint
from pyannote_diarizen.wavlm import WavLM


@dataclass(frozen=True)
class WavLMDistillation:
    """Teacher of a WavLM, and weights of the losses.

    Parameters
    ----------
    teacher : Model or WavLM
        Segmentation model with a WavLM, or a WavLM.
    layers : sequence of int, optional
        Indices of the compared states, from 0 to the number of layers. Defaults to four
        of them, from first to last: 0, 4, 8 and 12 of WavLM Base.
    l2, l1, cosine : float, optional
        Weights of mean square error, mean absolute error, and `cosine_loss`. Default
        to 0, 1 and 1.
    cosine_type : {"raw", "log_sig"}, optional
        See `cosine_loss`. Defaults to "raw".
    posteriors : float, optional
        Weight of `posterior_divergence`. Defaults to 0: the layers after WavLM do not
        run, and stay as they are.
    temperature : float, optional
        See `posterior_divergence`. Defaults to 1.

    Raises
    ------
    ValueError
        If a value is out of range, or the teacher has no WavLM.
    """

    teacher: nn.Module
    layers: Sequence[int] | None = None
    l2: float = 0.0
    l1: float = 1.0
    cosine: float = 1.0
    cosine_type: CosineType = "raw"
    posteriors: float = 0.0
    temperature: float = 1.0

    def __post_init__(self) -> None:
        """Check options."""
        depth = find_wavlm(self.teacher, "teacher").config.encoder_num_layers
        if self.layers is not None and (
            not self.layers or not all(0 <= layer <= depth for layer in self.layers)
        ):
            raise ValueError(
                f"`layers` should be indices from 0 to {depth}, the number of layers, "
                f"got {list(self.layers)}."
            )
        if self.cosine_type not in get_args(CosineType):
            known = ", ".join(get_args(CosineType))
            raise ValueError(
                f"`cosine_type` should be one of {known}, got '{self.cosine_type}'."
            )
        weights = (self.l2, self.l1, self.cosine, self.posteriors)
        if min(weights) < 0 or not any(weights):
            raise ValueError(
                "`l2`, `l1`, `cosine` and `posteriors` should be at least 0, one of "
                f"them above, got {weights}."
            )
        if not self.temperature > 0:
            raise ValueError(
                f"`temperature` should be above 0, got {self.temperature}."
            )
        if self.posteriors and isinstance(self.teacher, WavLM):
            raise ValueError("`posteriors` needs a segmentation model as teacher.")

    def indices(self) -> list[int]:
        """Return the indices of the compared states."""
        if self.layers is not None:
            return list(self.layers)
        depth = find_wavlm(self.teacher, "teacher").config.encoder_num_layers
        return sorted({round(depth * third / 3) for third in range(4)})


def find_wavlm(model: nn.Module, role: str) -> WavLM:
    """Return the WavLM of a model, or the model if it is one.

    Parameters
    ----------
    model : nn.Module
    role : str
        Name of the model in the message: "teacher" or "student".

    Raises
    ------
    ValueError
        If there is none.
    """
    wavlm = model if isinstance(model, WavLM) else getattr(model, "wavlm_model", None)
    if not isinstance(wavlm, WavLM):
        raise ValueError(
            f"The {role} is a {type(model).__name__} without a WavLM: pruning and "
            "distillation of hidden states need a WavLMConformer."
        )
    return wavlm


class HiddenStates:
    """Hidden states of a WavLM, recorded at each call of the model that it is part of.

    Parameters
    ----------
    model : nn.Module
        WavLM, or model that has one.
    role : str
        See `find_wavlm`.
    indices : sequence of int
        Indices of the recorded states.
    """

    def __init__(self, model: nn.Module, role: str, indices: Sequence[int]) -> None:
        self.model = model
        self.wavlm = find_wavlm(model, role)
        self.indices = indices
        self._states: dict[int, Tensor] = {}
        layers = self.wavlm.encoder.transformer.layers
        layers[0].register_forward_pre_hook(self._record_input)
        for index, layer in enumerate(layers, start=1):
            if index in indices:
                layer.register_forward_hook(partial(self._record, index))

    def _record_input(self, layer: nn.Module, inputs: tuple[Any, ...]) -> None:
        self._states[0] = inputs[0]

    def _record(self, index: int, layer: nn.Module, _: Any, output: Tensor) -> None:
        self._states[index] = output

    def __call__(
        self, waveforms: Tensor, with_scores: bool
    ) -> tuple[Tensor, Tensor | None]:
        """Run the model.

        Parameters
        ----------
        waveforms : (batch, channel, sample) Tensor
        with_scores : bool
            Whether to run the layers after WavLM. If not, only the first channel is
            processed.

        Returns
        -------
        states : (batch, num_states, num_frames, embed_dim) Tensor
            In single precision.
        scores : (batch, num_frames, num_classes) Tensor or None
        """
        scores = None
        if with_scores:
            scores = self.model(waveforms)
        else:
            for _ in self.wavlm.hidden_states(waveforms[:, 0]):
                pass  # hooks record the states
        recorded, self._states = self._states, {}
        stacked = torch.stack([recorded[index] for index in self.indices], dim=1)
        return stacked.float(), scores


class HiddenStateDistillation:
    """Distillation losses of a student.

    Parameters
    ----------
    options : WavLMDistillation
    student : Model

    Raises
    ------
    ValueError
        If student and teacher cannot be compared.
    """

    def __init__(self, options: WavLMDistillation, student: Model) -> None:
        check_teacher(options, student)
        self.options = options
        teacher = options.teacher.eval().requires_grad_(False)
        self._teacher = HiddenStates(teacher, "teacher", options.indices())
        self._student = HiddenStates(student, "student", options.indices())

    def __call__(
        self, waveforms: Tensor, with_scores: bool = False
    ) -> tuple[dict[str, Tensor], Tensor | None]:
        """Compare student and teacher.

        Parameters
        ----------
        waveforms : (batch, channel, sample) Tensor
        with_scores : bool, optional
            Whether to return scores. Defaults to False.

        Returns
        -------
        parts : dict of str to () Tensor
            "l2", "l1", "cosine" and "posteriors", without those whose weight is 0.
        scores : (batch, num_frames, num_classes) Tensor or None
            Log-probabilities by the student.
        """
        options = self.options
        has_posteriors = options.posteriors > 0
        with torch.no_grad():
            self._teacher.model.to(waveforms.device).eval()
            targets, expected = self._teacher(waveforms, has_posteriors)
        states, scores = self._student(waveforms, with_scores or has_posteriors)
        parts = {}
        if options.l2:
            parts["l2"] = F.mse_loss(states, targets)
        if options.l1:
            parts["l1"] = F.l1_loss(states, targets)
        if options.cosine:
            parts["cosine"] = cosine_loss(states, targets, options.cosine_type)
        if scores is not None and expected is not None:
            parts["posteriors"] = posterior_divergence(
                scores, expected, options.temperature
            )
        return parts, scores

    def loss(self, parts: dict[str, Tensor]) -> Tensor:
        """Weighted sum of the parts of `__call__`."""
        weighted = [getattr(self.options, name) * part for name, part in parts.items()]
        return torch.stack(weighted).sum()


def check_teacher(options: WavLMDistillation, student: Model) -> None:
    """Raise a ValueError if two models cannot be compared, or are the same."""
    learning, teaching = (
        find_wavlm(model, role)
        for model, role in ((student, "student"), (options.teacher, "teacher"))
    )
    ours, theirs = _shape(learning), _shape(teaching)
    if ours != theirs:
        raise ValueError(
            f"Teacher and student differ in shape: {theirs} against {ours}. Pruning "
            "keeps the number of layers, their dimension and the frame rate."
        )
    same = learning.config == teaching.config
    if same and fingerprint(learning) == fingerprint(teaching):
        raise ValueError(
            "The student has the weights of its teacher, and learns nothing without "
            "gates: give the model before pruning by distillation.teacher.name=..."
        )
    if not options.posteriors:
        return
    if student.hparams.num_channels > 1:
        raise ValueError("`posteriors` needs a model of one channel.")
    models: tuple[Any, Any] = (options.teacher, student)
    classes, own = (model.specifications.num_powerset_classes for model in models)
    if classes != own:
        raise ValueError(
            f"The teacher has {classes} classes, the student {own}: give the teacher's "
            "`max_speakers_per_chunk` and `max_speakers_per_frame`."
        )


def _shape(wavlm: WavLM) -> str:
    config = wavlm.config
    hop = prod(stride for _, _, stride in config.extractor_conv_layer_config)
    size = wavlm.feature_extractor.receptive_field_size()
    return (
        f"{config.encoder_num_layers} layers of {config.encoder_embed_dim} dimensions, "
        f"frames of {size} samples every {hop}"
    )
