# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""What would go wrong in a training, found in a minute and not after hours."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import yaml
from omegaconf import DictConfig, OmegaConf
from pyannote.audio.core.task import Task
from pyannote.audio.tasks import SpeakerDiarization
from pyannote.database import ProtocolFile

from pyannote_diarizen.corpora.protocols import subset_files
from pyannote_diarizen.findings import Finding
from pyannote_diarizen.training.preflight import check_files
from pyannote_diarizen.training.recordings import (
    examine_chunks,
    examine_classes,
    examine_durations,
    examine_labels,
    examine_speakers,
    hours,
)
from pyannote_diarizen.training.run import make_task
from pyannote_diarizen.training.settings import examine_batches, examine_rates

_NEEDED = (
    "protocol",
    "model",
    "task",
    "optimizer",
    "scheduler",
    "backbone",
    "trainer",
)


def read_config(path: Path | str) -> DictConfig:
    """Read the configuration of a training.

    Parameters
    ----------
    path : Path or str
        `config.yaml` of a run, or what `pyannote-audio-train ... --cfg job` prints.

    Raises
    ------
    FileNotFoundError
        If there is none.
    ValueError
        If it is not such a configuration.
    """
    path = Path(path).expanduser()
    if path.is_dir():
        path = path / "config.yaml"
    if not path.is_file():
        raise FileNotFoundError(f"There is no configuration '{path}'.")
    try:
        config = OmegaConf.load(path)
    except yaml.YAMLError as error:
        raise ValueError(f"'{path}' is no YAML: {error}") from error
    missing = [name for name in _NEEDED if not _holds(config, name)]
    if not isinstance(config, DictConfig) or missing:
        raise ValueError(
            f"'{path}' is no configuration of a training, it lacks "
            f"{', '.join(missing)}: write one by `pyannote-audio-train ... --cfg job`, "
            "or take the config.yaml of a run."
        )
    return config


def _holds(config: Any, name: str) -> bool:
    return name in config and not OmegaConf.is_missing(config, name)


def examine_training(config: DictConfig) -> Iterator[Finding]:
    """Look for the usual mistakes in settings and recordings.

    Parameters
    ----------
    config : DictConfig
        See `read_config`.

    Yields
    ------
    finding : Finding
    """
    yield examine_rates(config)
    try:
        task = make_task(config)
        train = _files(task, "train")
        development = _files(task, "development") if task.has_validation else []
    except (OSError, ValueError) as error:
        yield Finding("error", f"task: {' '.join(str(error).split())}")
        return
    yield from examine_batches(config, hours(train))
    for subset, files in (("train", train), ("development", development)):
        if files:
            yield examine_labels(files, subset)
            yield examine_durations(files, subset, task.duration)
    yield _examine_validation(train, development)
    if isinstance(task, SpeakerDiarization):
        yield from _examine_counts(task, train, config.max_crowded)
    yield _examine_files(task)


def _examine_counts(
    task: SpeakerDiarization, train: list[ProtocolFile], max_crowded: float
) -> Iterator[Finding]:
    most = task.max_speakers_per_chunk
    if most:  # otherwise estimated of the training set
        yield examine_chunks(train, task.duration, most, max_crowded)
    if task.max_speakers_per_frame:  # otherwise each speaker is a class
        yield examine_classes(train, task.max_speakers_per_frame)


def _files(task: Task, subset: str) -> list[ProtocolFile]:
    return subset_files(task.protocol, subset)


def _examine_validation(
    train: list[ProtocolFile], development: list[ProtocolFile]
) -> Finding:
    if development:
        return examine_speakers(train, development)
    return Finding(
        "warning",
        "development: no recording, nothing tells when to stop nor which epoch is best",
        "add a development subset to the protocol, or use ~callbacks.early_stopping",
    )


def _examine_files(task: Task) -> Finding:
    try:
        check_files(task)
    except (OSError, ValueError) as error:
        return Finding("error", f"audio: {' '.join(str(error).split())}")
    return Finding("ok", "audio: there, and as long as annotations say")
