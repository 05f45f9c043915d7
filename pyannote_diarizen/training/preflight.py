# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Checks before a training: settings, data, and the recordings for a task.

Each `check_*` returns findings. `pyannote-diarizen doctor --config` prints all of them
(`check_training`); a run raises the errors that make it impossible. The data are
checked by `corpora.validation.check_protocol`, as in all commands.
"""

import math
import warnings
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf
from pyannote.audio.core.task import Task
from pyannote.audio.tasks import SpeakerDiarization
from pyannote.database import ProtocolFile

from pyannote_diarizen.atomic import expand_home
from pyannote_diarizen.composition import CONFIG
from pyannote_diarizen.corpora.protocols import subset_files
from pyannote_diarizen.corpora.validation import check_protocol
from pyannote_diarizen.errors import in_one_line
from pyannote_diarizen.findings import Finding, require
from pyannote_diarizen.functional.schedules import warm_up_steps
from pyannote_diarizen.training.configuration import database_of, make_task
from pyannote_diarizen.training.preflight_recordings import (
    check_chunks,
    check_classes,
    check_disjoint,
    check_durations,
    describe_recordings,
    hours,
)

_REQUIRED = (
    "protocol",
    "model",
    "task",
    "optimizer",
    "scheduler",
    "backbone",
    "trainer",
)
FINE_TUNING_RATE = 2e-5
"""Learning rate of a pretrained backbone in all recipes."""
_MAX_FINE_TUNING_RATE = 2e-4
_MIN_ADAM_RATE, _MAX_ADAM_RATE = 1e-6, 1e-2
"""Adam seldom makes progress below the first, and seldom converges above the second."""
_MIN_CHUNKS_PER_STEP = 8
_MIN_STEPS_PER_EPOCH = 10
_MAX_WARM_UP = 0.5
"""Maximum share of all steps."""


def read_config(path: Path | str) -> DictConfig:
    """Read the configuration of a training.

    Parameters
    ----------
    path : Path or str
        `config.yaml` of a run, its folder, or a file with the output of
        `pyannote-audio-train ... --cfg job`.

    Raises
    ------
    FileNotFoundError
        If `path` does not exist.
    ValueError
        If it is no configuration of a training.
    """
    path = expand_home(path)
    if path.is_dir():
        path = path / CONFIG
    if not path.is_file():
        raise FileNotFoundError(f"There is no configuration '{path}'.")
    try:
        config = OmegaConf.load(path)
    except yaml.YAMLError as error:
        raise ValueError(f"'{path}' is no YAML: {error}") from error
    missing = [name for name in _REQUIRED if not _holds(config, name)]
    if not isinstance(config, DictConfig) or missing:
        raise ValueError(
            f"'{path}' is no configuration of a training, it lacks "
            f"{', '.join(missing)}: write one by `pyannote-audio-train ... --cfg job`, "
            "or use the config.yaml of a run."
        )
    return config


def _holds(config: Any, name: str) -> bool:
    return name in config and not OmegaConf.is_missing(config, name)


def check_training(config: DictConfig) -> Iterator[Finding]:
    """Check settings and recordings of a training.

    Parameters
    ----------
    config : DictConfig
        See `read_config`.

    Yields
    ------
    finding : Finding
    """
    yield check_rates(config)
    try:
        findings = check_data(config)
        yield from findings
        if any(finding.status == "error" for finding in findings):
            return
        yield Finding("ok", "audio: complete, and as long as its annotations")
        task = make_task(config)
        files = list_files(task)
    except (OSError, ValueError) as error:
        yield Finding("error", f"task: {in_one_line(error)}")
        return
    yield from check_recordings(task, files)
    train = files["train"]
    yield from check_batches(config, hours(train))
    if task.has_validation:
        yield check_disjoint(train, files["development"])
    else:
        yield check_development(config, task)
    yield from check_speakers(task, train, config.max_crowded)


def check_data(config: DictConfig) -> list[Finding]:
    """Check lists, annotations and audio of a training, as `validate` does.

    pyannote.database misreads some of them, and skips turns without duration.

    Parameters
    ----------
    config : DictConfig
        Configuration of a training.

    Raises
    ------
    OSError, ValueError
        If there is no such protocol.
    """
    subsets = ("train", "development")
    checked = check_protocol(config.protocol, database_of(config), subsets=subsets)
    return [finding for each in checked for finding in each.findings]


def require_data(config: DictConfig) -> None:
    """Raise the first error in the data of a training; warn of the first warning.

    Raises
    ------
    OSError, ValueError
        If there is an error, or no such protocol.
    """
    findings = check_data(config)
    require(findings)
    if findings:
        warnings.warn(
            f"{len(findings)} warnings about the data, the first one: {findings[0]} "
            f"`pyannote-diarizen validate {config.protocol}` lists all.",
            stacklevel=2,
        )


def list_files(task: Task) -> dict[str, list[ProtocolFile]]:
    """List the recordings of each subset that a task needs.

    Raises
    ------
    OSError, ValueError
        If a file or subset is missing.
    """
    subsets = ("train", "development") if task.has_validation else ("train",)
    return {subset: subset_files(task.protocol, subset) for subset in subsets}


def check_recordings(
    task: Task, files: Mapping[str, Sequence[ProtocolFile]]
) -> Iterator[Finding]:
    """Check the durations of all recordings that a task needs.

    Parameters
    ----------
    task : Task
    files : mapping of str to sequence of ProtocolFile
        See `list_files`.
    """
    for subset, recordings in files.items():
        yield describe_recordings(recordings, subset)
        yield check_durations(recordings, subset, task.duration)


def check_development(config: DictConfig, task: Task) -> Finding:
    """Check that there is a development subset if early stopping depends on it.

    Parameters
    ----------
    config : DictConfig
        Configuration of a training.
    task : Task
    """
    if task.has_validation:
        return Finding("ok", "development: the protocol has this subset")
    callbacks = [each for each in config.callbacks.values() if each]
    stops_early = any("EarlyStopping" in each._target_ for each in callbacks)
    return Finding(
        "error" if stops_early else "warning",
        f"development: {task.protocol.name} has no development subset, so there is no "
        "validation loss to stop at or to choose epochs by",
        "add one to the protocol, or use ~callbacks.early_stopping",
    )


def check_speakers(
    task: Task, train: Sequence[ProtocolFile], max_crowded: float
) -> Iterator[Finding]:
    """Check the number of speakers against the classes of a segmentation model.

    Parameters
    ----------
    task : Task
        Tasks of other models have no such classes: they have no finding.
    train : sequence of ProtocolFile
        Training set.
    max_crowded : float
        See `check_chunks`.
    """
    if not isinstance(task, SpeakerDiarization):
        return
    max_per_chunk = task.max_speakers_per_chunk
    if max_per_chunk:  # otherwise estimated from the training set
        yield check_chunks(train, task.duration, max_per_chunk, max_crowded)
    if task.max_speakers_per_frame:  # otherwise multilabel: one class per speaker
        yield check_classes(train, task.max_speakers_per_frame)


def check_rates(config: DictConfig) -> Finding:
    """Check learning rates: swapped, or far from the usual ones.

    Parameters
    ----------
    config : DictConfig
        Configuration of a training.
    """
    head, backbone = config.optimizer.get("lr"), config.backbone.lr
    if head is None:
        return Finding("ok", f"learning rates: default of {config.optimizer._target_}")
    if config.backbone.frozen:
        text = f"learning rates: {head:g}, backbone frozen"
    elif backbone is None:
        text = f"learning rates: {head:g} for all"
    else:
        text = f"learning rates: head {head:g}, backbone {backbone:g}"
    if backbone is not None and backbone > head:
        return Finding(
            "error",
            f"{text}: the rate of the pretrained backbone is above that of the new "
            "head: are they swapped?",
            f"optimizer.lr={backbone:g} backbone.lr={head:g}",
        )
    is_adam = "Adam" in config.optimizer._target_
    if is_adam and not _MIN_ADAM_RATE <= head <= _MAX_ADAM_RATE:
        return Finding("warning", f"{text}: unusual for Adam", "optimizer.lr=0.001")
    rate = head if backbone is None else backbone
    if _is_fine_tuned(config) and rate > _MAX_FINE_TUNING_RATE:
        return Finding(
            "warning",
            f"{text}: too high for pretrained weights, which lose what they learned",
            f"backbone.lr={FINE_TUNING_RATE:g}",
        )
    return Finding("ok", text)


def _is_fine_tuned(config: DictConfig) -> bool:
    """Whether the backbone starts from pretrained weights and is updated."""
    from_file = isinstance(config.model.get("wavlm"), str)
    return not config.backbone.frozen and (from_file or bool(config.get("pretrained")))


def check_batches(config: DictConfig, hours: float) -> Iterator[Finding]:
    """Check the size of batches, the length of epochs and the warm-up.

    Parameters
    ----------
    config : DictConfig
        Configuration of a training.
    hours : float
        Duration of the training set.
    """
    task, trainer = config.task, config.trainer
    devices = trainer.devices if isinstance(trainer.devices, int) else 1
    # batches per optimizer step
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
    if per_step < _MIN_CHUNKS_PER_STEP:
        times = math.ceil(16 / per_step) * trainer.accumulate_grad_batches
        yield Finding(
            "warning",
            f"{text}: gradients of fewer than {_MIN_CHUNKS_PER_STEP} chunks are noisy",
            f"task.batch_size=16, or trainer.accumulate_grad_batches={times} if that "
            "does not fit in memory",
        )
    elif num_steps < _MIN_STEPS_PER_EPOCH:
        yield Finding(
            "warning",
            f"{text}: validation is too frequent",
            f"task.batches_per_epoch={100 * copies}",
        )
    else:
        yield Finding("ok", text)
    total = num_steps * trainer.max_epochs
    warm_up = warm_up_steps(config.scheduler.get("warm_up") or 0, total)
    if warm_up > _MAX_WARM_UP * total > 0:
        yield Finding(
            "warning",
            f"schedule: the warm-up takes {warm_up:g} of about {total} steps",
            f"scheduler.warm_up={total // 20}",
        )
