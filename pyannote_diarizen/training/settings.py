# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Usual mistakes in the settings of a training: learning rates, batches, warm-up."""

import math
from collections.abc import Iterator

from omegaconf import DictConfig

from pyannote_diarizen.findings import Finding

FINE_TUNING_RATE = 2e-5
"""Of a backbone that learned elsewhere, in all recipes."""
_FASTEST_FINE_TUNING = 2e-4
_FASTEST, _SLOWEST = 1e-2, 1e-6
"""Beyond these, trainings with Adam seldom converge, or seldom move."""
_LEAST_BATCH = 8
_FEWEST_STEPS = 10
_MOST_WARM_UP = 0.5


def examine_rates(config: DictConfig) -> Finding:
    """Look for learning rates that are swapped, or unlike what anybody uses.

    Parameters
    ----------
    config : DictConfig
        Of a training.
    """
    head, backbone = config.optimizer.get("lr"), config.backbone.lr
    if head is None:
        return Finding("ok", f"learning rates: what {config.optimizer._target_} takes")
    if config.backbone.frozen:
        text = f"learning rates: {head:g}, backbone frozen"
    elif backbone is None:
        text = f"learning rates: {head:g} for all"
    else:
        text = f"learning rates: head {head:g}, backbone {backbone:g}"
    if backbone is not None and backbone > head:
        return Finding(
            "error",
            f"{text}: the backbone, which has learned, is to learn faster than the "
            "head, which has not: are they swapped?",
            f"optimizer.lr={backbone:g} backbone.lr={head:g}",
        )
    is_adam = "Adam" in config.optimizer._target_
    if is_adam and not _SLOWEST <= head <= _FASTEST:
        return Finding("warning", f"{text}: unusual for Adam", "optimizer.lr=0.001")
    rate = head if backbone is None else backbone
    if _has_learned(config) and rate > _FASTEST_FINE_TUNING:
        return Finding(
            "warning",
            f"{text}: weights that have learned elsewhere forget it at such a rate",
            f"backbone.lr={FINE_TUNING_RATE:g}",
        )
    return Finding("ok", text)


def _has_learned(config: DictConfig) -> bool:
    """Whether the backbone starts from weights of its own, and moves from there."""
    from_file = isinstance(config.model.get("wavlm"), str)
    return not config.backbone.frozen and (from_file or bool(config.get("pretrained")))


def examine_batches(config: DictConfig, hours: float) -> Iterator[Finding]:
    """Look for batches that are too small, and epochs that are too short.

    Parameters
    ----------
    config : DictConfig
        Of a training.
    hours : float
        Recordings to train on.
    """
    task, trainer = config.task, config.trainer
    devices = trainer.devices if isinstance(trainer.devices, int) else 1
    copies = trainer.accumulate_grad_batches * max(devices, 1) * trainer.num_nodes
    per_step = task.batch_size * copies
    num_batches = task.get("batches_per_epoch") or math.ceil(
        max(1.0, 3600 * hours / task.duration / task.batch_size)
    )
    num_steps = math.ceil(num_batches / copies)
    text = (
        f"batches: {per_step} chunks of {task.duration:g} s per step, about "
        f"{num_steps} steps per epoch"
    )
    if per_step < _LEAST_BATCH:
        times = math.ceil(16 / per_step) * trainer.accumulate_grad_batches
        yield Finding(
            "warning",
            f"{text}: gradients of fewer than {_LEAST_BATCH} chunks are mostly noise",
            f"task.batch_size=16, or trainer.accumulate_grad_batches={times} if that "
            "does not fit in memory",
        )
    elif num_steps < _FEWEST_STEPS:
        yield Finding(
            "warning",
            f"{text}: validation comes too often",
            f"task.batches_per_epoch={100 * copies}",
        )
    else:
        yield Finding("ok", text)
    warm_up = config.scheduler.get("warm_up") or 0
    total = num_steps * trainer.max_epochs
    if warm_up > _MOST_WARM_UP * total > 0:
        yield Finding(
            "warning",
            f"schedule: the warm-up takes {warm_up:g} of some {total} steps",
            f"scheduler.warm_up={total // 20}",
        )
