# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Structured pruning of the WavLM of a segmentation model, with distillation [1]_.

In the first stage, the student is a copy of the teacher, with gates. It learns the
hidden states of the teacher, while an augmented Lagrangian [2]_ moves the expected
sparsity to a target, which rises from zero during a warm-up. `wavlm.prune` then removes
closed units. The second stage is the same without gates: the pruned student recovers.
The third one, training on labels, is that of `PowersetDiarization`.

References
----------
.. [1] J. Han et al., "Fine-tune Before Structured Pruning: Towards Compact and Accurate
   Self-Supervised Models for Speaker Diarization", Interspeech 2025.
.. [2] Z. Wang, J. Wohlwend, T. Lei, "Structured Pruning of Large Language Models",
   EMNLP 2020.
"""

from collections.abc import Collection, Iterator, Mapping
from dataclasses import fields
from math import ceil, isfinite
from typing import Any, get_args

import torch
from pyannote.audio.core.model import Model
from pyannote.database.protocol.protocol import Protocol
from torch import Tensor, nn

from pyannote_diarizen.errors import unknown_keys
from pyannote_diarizen.functional.hard_concrete import sparsity_penalty
from pyannote_diarizen.tasks.powerset_diarization import PowersetDiarization
from pyannote_diarizen.tasks.wavlm_distillation import (
    HiddenStateDistillation,
    WavLMDistillation,
    find_wavlm,
)
from pyannote_diarizen.wavlm import add_gates
from pyannote_diarizen.wavlm.cost import (
    Measure,
    expected_num_macs,
    expected_num_parameters,
    max_sparsity,
    num_macs,
    num_parameters,
)


class LagrangeMultipliers(nn.Module):
    """Multipliers of the penalty of sparsity, see `sparsity_penalty`."""

    def __init__(self) -> None:
        super().__init__()
        self.lambda1 = nn.Parameter(torch.zeros(()))
        self.lambda2 = nn.Parameter(torch.zeros(()))


class DistillationPruning(PowersetDiarization):
    """Distillation of a WavLM that is pruned, or was.

    Chunks are those of `PowersetDiarization`. Their labels are used in validation only.

    Parameters
    ----------
    protocol : SpeakerDiarizationProtocol
        Real recordings.
    distillation : WavLMDistillation or mapping
        Required. Teacher and losses, or the options of `WavLMDistillation`.
    units : collection of str, optional
        Units to prune, see `wavlm.add_gates`. None of them is the second stage,
        distillation only. Defaults to "conv", "head" and "interm".
    gated_layers : str, optional
        Range of layers whose blocks have gates, as in "3-5". Defaults to none.
    sparsity : float, optional
        Share of the teacher's WavLM to remove. Defaults to 0.8.
    measure : {"parameters", "macs"}, optional
        What `sparsity` is a share of. Defaults to "parameters".
    positions : bool, optional
        Whether relative positions count; DiariZen leaves them out. Defaults to True.
    sparsity_warm_up : float, optional
        Number of epochs in which the target rises from 0 to `sparsity`. Defaults to 5.
    distillation_only : float, optional
        Number of epochs before, without penalty. Defaults to 0.
    gate_lr : float, optional
        Learning rate of gates and, for ascent, of multipliers. Defaults to 2e-2.
    **options
        See `PowersetDiarization`, but for its losses.

    Raises
    ------
    ValueError
        If a value is out of range, options contradict each other, or `distillation` is
        missing.
    """

    def __init__(
        self,
        protocol: Protocol,
        *,
        distillation: WavLMDistillation | Mapping[str, Any] | None = None,
        units: Collection[str] = ("conv", "head", "interm"),
        gated_layers: str | None = None,
        sparsity: float = 0.8,
        measure: Measure = "parameters",
        positions: bool = True,
        sparsity_warm_up: float = 5.0,
        distillation_only: float = 0.0,
        gate_lr: float = 2e-2,
        **options: Any,
    ) -> None:
        super().__init__(protocol, **options)
        if self.identification:
            raise ValueError("`identification` has no effect on distillation.")
        if distillation is None:
            raise ValueError(
                "`distillation` is missing: add distillation=wavlm, and the model to "
                "learn from as +pretrained= or distillation.teacher.name=."
            )
        if isinstance(distillation, Mapping):
            known = [field.name for field in fields(WavLMDistillation)]
            unknown = [name for name in distillation if name not in known]
            if unknown:
                where = "of `distillation`, which should be distillation=wavlm"
                raise ValueError(unknown_keys(where, unknown, known))
            distillation = WavLMDistillation(**distillation)
        check_sparsity(sparsity)
        if measure not in get_args(Measure):
            raise ValueError(
                f"`measure` should be one of {', '.join(get_args(Measure))}, "
                f"got '{measure}'."
            )
        if sparsity_warm_up < 0 or distillation_only < 0:
            raise ValueError(
                "`sparsity_warm_up` and `distillation_only` should be at least 0 "
                f"epochs, got {sparsity_warm_up} and {distillation_only}."
            )
        if not gate_lr > 0:
            raise ValueError(f"`gate_lr` should be above 0, got {gate_lr}.")
        self.teacher_distillation = distillation
        self.units = tuple(units)
        self.gated_layers = gated_layers
        self.sparsity = sparsity
        self.measure = measure
        self.positions = positions
        self.sparsity_warm_up = sparsity_warm_up
        self.distillation_only = distillation_only
        self.gate_lr = gate_lr

    @property
    def prunes(self) -> bool:
        """Whether this is the first stage, with gates."""
        return bool(self.units or self.gated_layers)

    def add_gates(self, model: Model) -> None:
        """Add gates to the WavLM of a model, unless it has some.

        Parameters
        ----------
        model : Model
            Changed in place, with its hyper-parameters.

        Raises
        ------
        ValueError
            If it has no WavLM, or its gates cannot reach the target.
        """
        wavlm = find_wavlm(model, "student")
        if not self.prunes or wavlm.config.has_gates:
            return
        gated = add_gates(wavlm, self.units, self.gated_layers)
        highest = max_sparsity(gated.config, self._total_size(), self.measure)
        if self.sparsity >= highest:
            raise ValueError(
                f"The gates of {', '.join(self.units) or 'blocks'} can remove at most "
                f"{highest:.1%} of the {self.measure} of the teacher's WavLM, not "
                f"{self.sparsity:.1%}: lower `sparsity`, or prune more `units`."
            )
        if gated.config.encoder_layer_norm_first:
            # without effect on states, see `WavLMConformer`
            gated.encoder.transformer.layer_norm.requires_grad_(False)
        model.wavlm_model = gated
        model.hparams["wavlm"] = gated.config.to_dict()

    def setup_loss_func(self) -> None:
        """Add gates, teacher and multipliers to the model."""
        super().setup_loss_func()
        self.add_gates(self.model)
        self._compare = HiddenStateDistillation(self.teacher_distillation, self.model)
        if self.prunes:
            self.model.loss_func = LagrangeMultipliers()
        for weight in self._weights_without_gradient():
            weight.requires_grad_(False)  # distributed training refuses them
        if "configure_optimizers" not in vars(self.model):
            self.model.configure_optimizers = self.configure_optimizers

    def _weights_without_gradient(self) -> Iterator[nn.Parameter]:
        """Yield weights that do not change the loss, at least at the start."""
        if self.prunes and self.distillation_only:
            # later, all processes compute the same gradient
            yield from self.model.loss_func.parameters()
        options = self.teacher_distillation
        if options.posteriors:
            return
        for name, part in self.model.named_children():
            if name not in ("wavlm_model", "loss_func"):
                yield from part.parameters()
        layers = find_wavlm(self.model, "student").encoder.transformer.layers
        for name, weight in layers[max(options.indices()) :].named_parameters():
            if not name.endswith("log_alpha"):  # of the expected sparsity
                yield weight

    def configure_optimizers(self) -> torch.optim.Optimizer:
        """Optimizer of DiariZen, unless the model has its own."""
        apart = self.parameter_groups()
        known = {id(weight) for group in apart for weight in group["params"]}
        others = [
            weight
            for weight in self.model.parameters()
            if weight.requires_grad and id(weight) not in known
        ]
        groups = [{"name": "main", "params": others}, *apart]
        return torch.optim.AdamW(groups, lr=2e-4, weight_decay=0.0)

    def parameter_groups(self) -> list[dict[str, Any]]:
        """Parameter groups of gates and multipliers, which have their own rates.

        Multipliers are maximised, by a negative rate, and their gradients not clipped.
        """
        if not self.prunes:
            return []
        gates = [
            weight
            for name, weight in self.model.wavlm_model.named_parameters()
            if name.endswith("log_alpha")
        ]
        multipliers = list(self.model.loss_func.parameters())
        options: dict[str, Any] = {"weight_decay": 0.0}
        return [
            {"name": "log_alpha", "params": gates, "lr": self.gate_lr, **options},
            {
                "name": "lambda",
                "params": multipliers,
                "lr": -self.gate_lr,
                "is_clipped": False,
                **options,
            },
        ]

    def expected_sparsity(self) -> Tensor:
        """Return the share of the teacher's WavLM that gates are expected to remove."""
        wavlm = find_wavlm(self.model, "student")
        if self.measure == "parameters":
            size = expected_num_parameters(wavlm, self.positions)
        else:
            size = expected_num_macs(wavlm, positions=self.positions)
        return torch.as_tensor(1 - size / self._total_size())

    def target_sparsity(self) -> float | None:
        """Target of the present step, None while there is no penalty.

        It counts updates: DiariZen counts batches, and rises faster if gradients
        accumulate.
        """
        trainer = self.model.trainer
        if not self._is_training:
            return None
        per_epoch = ceil(trainer.num_training_batches / trainer.accumulate_grad_batches)
        step = self.model.global_step - self.distillation_only * per_epoch
        warm_up = self.sparsity_warm_up * per_epoch
        if step < 0:
            return None
        return self.sparsity * (min(1.0, step / warm_up) if warm_up else 1.0)

    def training_step(
        self, batch: dict[str, Tensor], batch_idx: int
    ) -> dict[str, Tensor]:
        """Compute the losses of distillation and sparsity; log each part."""
        parts, _ = self._compare(batch["X"])
        loss = self._compare.loss(parts)
        self._log_parts("loss/train", parts)
        loss = loss + self._penalty("loss/train")
        self._log("loss/train", loss)
        return {"loss": loss}

    def validation_step(self, batch: dict[str, Tensor], batch_idx: int) -> None:
        """Compute the loss of distillation and the error rate, with fixed gates.

        `loss/val` is the loss of distillation, logged once the target is reached: until
        then, the loss rises. It chooses checkpoints and stops the training.
        """
        parts, scores = self._compare(batch["X"], with_scores=True)
        loss = self._compare.loss(parts)
        self._log_parts("loss/val", parts)
        self._log("loss/val/total", loss + self._penalty("loss/val"))
        warm_up = self.distillation_only + self.sparsity_warm_up
        reached = not self._is_training or self.model.current_epoch + 1 > warm_up
        if not self.prunes or reached:
            self._log("loss/val", loss)
        multilabel = self.model.powerset.to_multilabel(scores)
        self.model.validation_metric(
            multilabel.transpose(1, 2), batch["y"].transpose(1, 2)
        )
        self.model.log_dict(self.model.validation_metric, on_step=False, on_epoch=True)

    def _penalty(self, name: str) -> Tensor | float:
        """Penalty of the present step; log sparsity, its target and the penalty."""
        if not self.prunes:
            return 0.0
        sparsity, target = self.expected_sparsity(), self.target_sparsity()
        stage = name.removeprefix("loss/")
        self._log(f"sparsity/{stage}", sparsity)
        if target is None:
            return 0.0
        multipliers = self.model.loss_func.requires_grad_(True)
        penalty = sparsity_penalty(
            sparsity, target, (multipliers.lambda1, multipliers.lambda2)
        )
        self._log(f"{name}/penalty", penalty)
        return penalty

    def _log_parts(self, name: str, parts: Mapping[str, Tensor]) -> None:
        for part, value in parts.items():
            self._log(f"{name}/{part}", value)

    @property
    def _is_training(self) -> bool:
        """False in a validation alone, and in the one before a training."""
        return isfinite(self.model.trainer.num_training_batches)

    def _total_size(self) -> int:
        """Size of the teacher's WavLM."""
        config = find_wavlm(self.teacher_distillation.teacher, "teacher").config
        if self.measure == "parameters":
            return num_parameters(config)
        return num_macs(config)


def check_sparsity(sparsity: float) -> None:
    """Raise a ValueError if a sparsity is not between 0 and 1."""
    if not 0 < sparsity < 1:
        hint = ": is it in percent?" if sparsity > 1 else "."
        raise ValueError(
            f"`sparsity` should be above 0 and below 1, got {sparsity:g}{hint}"
        )
