# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Pretrained models: checkpoints, and the segmentation of pipelines by name.

For `+pretrained=` and for the teacher of a distillation.
"""

from collections.abc import Mapping

from pyannote.audio.core.model import Model
from pyannote.audio.core.task import Task
from pyannote.audio.models.segmentation import PyanNet

from pyannote_diarizen.atomic import expand_home
from pyannote_diarizen.hub.bundled import find_result, is_model, resolve_pipeline
from pyannote_diarizen.models.checkpoint import load_model
from pyannote_diarizen.pipelines.published import pretrained_config
from pyannote_diarizen.tasks.segmentation_distillation import separate_lstm_layers
from pyannote_diarizen.training.checkpoints import LAST


def load_pretrained(name: str) -> Model:
    """Load the model that training starts from.

    Parameters
    ----------
    name : str
        Checkpoint of pyannote.audio, DiariZen or an earlier run; folder of such a run,
        for its last checkpoint; or a pipeline (see `resolve_pipeline`), whose
        segmentation model is loaded.

    Returns
    -------
    model : Model
        In training mode.

    Raises
    ------
    FileNotFoundError
        If there is no such model.
    ValueError
        If it cannot be loaded.
    """
    path = expand_home(find_result(name))
    if (path / LAST).is_file():
        path = path / LAST
    if is_model(path):
        return load_model(path).train()
    config = pretrained_config(resolve_pipeline(name))
    segmentation = config["pipeline"]["params"]["segmentation"]
    if not isinstance(segmentation, Mapping):
        segmentation = {"checkpoint": segmentation}
    return load_model(**segmentation).train()


def load_teacher(checkpoint: str) -> Model:
    """Load the teacher of a distillation, with one module per LSTM layer.

    Parameters
    ----------
    checkpoint : str
        See `load_pretrained`, which raises the same errors.

    Returns
    -------
    teacher : Model
    """
    teacher = load_pretrained(checkpoint)
    if isinstance(teacher, PyanNet) and teacher.hparams.lstm["monolithic"]:
        return separate_lstm_layers(teacher)
    return teacher


def match_classes(task: Task, model: Model) -> None:
    """Set the number of speakers of a task to that of a pretrained model.

    Parameters
    ----------
    task : Task
        `max_speakers_per_chunk` is set if it is None.
    model : Model

    Raises
    ------
    ValueError
        If `task` has another number.
    """
    specifications = model.specifications
    if not specifications.powerset:
        return
    classes = {
        "max_speakers_per_chunk": len(specifications.classes),
        "max_speakers_per_frame": specifications.powerset_max_classes,
    }
    if getattr(task, "max_speakers_per_chunk", 0) is None:
        task.max_speakers_per_chunk = classes["max_speakers_per_chunk"]
    for option, number in classes.items():
        wanted = getattr(task, option, number)
        if wanted != number:
            raise ValueError(
                f"The pretrained model has classes for {option}={number}, not for "
                f"{wanted}: train with task.{option}={number}, or without +pretrained."
            )
