# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""What is checked before training, so that it is not found out hours later."""

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from lightning.pytorch import Callback
from lightning.pytorch.callbacks import EarlyStopping
from pyannote.audio.core.task import Task
from pyannote.audio.tasks import SpeakerDiarization
from pyannote.database import ProtocolFile

from pyannote_diarizen.audio.reader import audio_info
from pyannote_diarizen.corpora.protocols import find_protocol, subset_files
from pyannote_diarizen.corpora.validation import TOLERANCE, check_subset
from pyannote_diarizen.errors import AudioFileError
from pyannote_diarizen.training.recordings import examine_chunks

_SEVERAL = "X."


def check_lines(protocol: str, database: Path | None) -> None:
    """Refuse lists, RTTM and UEM files with a line that is wrong.

    pyannote.database takes some for others, and leaves out turns without a duration.

    Parameters
    ----------
    protocol : str
        As in "AMI.SpeakerDiarization.only_words". Those of several databases, which
        begin with "X.", have no files of their own.
    database : Path or None
        See `find_protocol`.

    Raises
    ------
    ValueError
        If there is such a line; the message says where.
    """
    if protocol.startswith(_SEVERAL):
        return
    subsets = find_protocol(protocol, database, None).subsets(protocol)
    for name in {"train", "development"} & set(subsets):
        findings = check_subset(subsets[name], with_audio=False)
        errors = [finding for finding in findings if finding.status == "error"]
        if errors:
            raise ValueError(
                f"{errors[0]} `pyannote-diarizen validate` lists all that is wrong."
            )


def check_files(task: Task) -> None:
    """Refuse to train on files that cannot be read, or hold nothing to train on.

    Parameters
    ----------
    task : Task

    Raises
    ------
    FileNotFoundError
        If there is no audio for a file.
    ValueError
        If a file is empty or damaged, shorter than its annotations say, or no part of
        a subset is as long as a chunk.
    """
    for subset in ("train", "development") if task.has_validation else ("train",):
        longest = 0.0
        for file in subset_files(task.protocol, subset):
            with _naming(file, subset):
                longest = max(longest, _longest_region(file))
        if longest < task.duration:
            raise ValueError(
                f"The longest annotated part of the {subset} subset of "
                f"{task.protocol.name} lasts {longest:.1f} s, less than a chunk: lower "
                f"task.duration, which is {task.duration:g}."
            )


def check_speakers(task: Task, max_crowded: float) -> None:
    """Refuse to train a model to leave many speakers out.

    Parameters
    ----------
    task : Task
    max_crowded : float
        Share of chunks that may hold more speakers than its model tells apart.

    Raises
    ------
    ValueError
        If more do.
    """
    if not isinstance(task, SpeakerDiarization) or not task.max_speakers_per_chunk:
        return  # of no concern, or estimated of the training set
    files = subset_files(task.protocol, "train")
    finding = examine_chunks(
        files, task.duration, task.max_speakers_per_chunk, max_crowded
    )
    if finding.status == "error":
        raise ValueError(
            f"Train subset of {task.protocol.name}: {finding.text}. Use "
            f"{finding.remedy}, shorter chunks, or leave them out by a higher "
            "max_crowded."
        )


def check_callbacks(task: Task, callbacks: list[Callback]) -> None:
    """Refuse to wait for a loss that nothing gives.

    Raises
    ------
    ValueError
        If training should stop early, but there is nothing to validate on.
    """
    if task.has_validation:
        return
    if any(isinstance(callback, EarlyStopping) for callback in callbacks):
        raise ValueError(
            f"{task.protocol.name} has no development subset, whose loss would tell "
            "when to stop: use ~callbacks.early_stopping with it."
        )


def _longest_region(file: ProtocolFile) -> float:
    """Duration of the longest annotated region, in seconds."""
    audio = audio_info(file)
    if not audio.num_samples:
        raise AudioFileError(f"'{file['audio']}' holds no sample.")
    annotated = file["annotated"]
    end = max(annotated.extent().end, file["annotation"].get_timeline().extent().end)
    if end > audio.duration + TOLERANCE:
        raise ValueError(
            f"it is annotated up to {end:.1f} s, but '{file['audio']}' lasts "
            f"{audio.duration:.1f} s"
        )
    return max((region.duration for region in annotated), default=0.0)


@contextmanager
def _naming(file: ProtocolFile, subset: str) -> Iterator[None]:
    """Say which file of the protocol an error is about."""
    place = f"File '{file['uri']}' of the {subset} subset"
    try:
        yield
    except FileNotFoundError as error:
        raise FileNotFoundError(f"{place}: {error}") from error
    except ValueError as error:
        raise type(error)(f"{place}: {error}") from error
