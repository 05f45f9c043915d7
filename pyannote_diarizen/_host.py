# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Workarounds for pyannote.audio, each with upstream version and reason.

A test in `tests/test_host.py` fails once a workaround is no longer needed.
"""

import traceback
import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import TYPE_CHECKING

from pyannote_diarizen.errors import IncompatiblePackagesError

if TYPE_CHECKING:
    import numpy as np
    from pyannote.core import SlidingWindow


def ignore_missing_ffmpeg() -> None:
    """Ignore the sixty lines that pyannote.audio prints on import without FFmpeg.

    pyannote.audio 4.0.7 decodes with torchcodec alone and warns where that does not
    load. We read audio without it. The package calls this on import.
    Delete it with `test_pyannote_warns_where_torchcodec_does_not_load`.
    """
    warnings.filterwarnings(
        "ignore",
        message=r"\s*torchcodec is not installed correctly",
        category=UserWarning,
        module=r"pyannote\.audio\.core\.io",
    )


def import_pyannote() -> None:
    """Import pyannote.audio, or explain which installed versions clash.

    Subpackages that need pyannote.audio call this first. torch, torchaudio and
    torchcodec do not declare which versions go together, so pip installs sets that do
    not load; the message of the loader names a file, but no package.

    Raises
    ------
    IncompatiblePackagesError
        If it cannot be imported. Two lines: which versions clash, and the pip line.
    """
    from pyannote_diarizen.installation import (
        IMPORT_ERRORS,
        explain_import_failure,
        find_import_failure,
        read_installed,
    )

    import_databases()
    try:
        import pyannote.audio  # noqa: F401
    except IMPORT_ERRORS as error:
        failure = find_import_failure()
        if failure is None:
            raise
        explanation = explain_import_failure(failure, read_installed())
        raise IncompatiblePackagesError(explanation) from error


@contextmanager
def without_warning_of_number() -> Iterator[None]:
    """Ignore the warning of pyannote.audio that the number of speakers is another one.

    pyannote.audio 4.0.7 compares the number of clusters, not of speakers in the output,
    and takes the file for too short. `Reconstruction` warns with the reason. Delete
    this with `test_pyannote_warns_of_clusters`.
    """
    with warnings.catch_warnings():
        warnings.filterwarnings("ignore", r"\s*The detected number of speakers")
        yield


def as_int64(numbers: Mapping[str, int | None]) -> "dict[str, np.int64 | None]":
    """Convert numbers of speakers, so that pyannote.audio takes those above 255.

    pyannote.audio 4.0.7 takes the minimum of `max_speakers` and of a count in 8 bits,
    to which NumPy 2 does not convert larger integers of Python. Delete this with
    `test_pyannote_refuses_256_speakers`.
    """
    import numpy as np

    return {
        name: None if number is None else np.int64(number)
        for name, number in numbers.items()
    }


def import_databases() -> None:
    """Import pyannote.database, or name the `database.yml` that is wrong.

    On import, pyannote.database 6.1 reads `database.yml` of the current folder, that
    of `~/.pyannote`, and those of PYANNOTE_DATABASE_CONFIG. Its errors do not always
    name the file. Delete this with
    `test_a_wrong_database_in_the_current_folder_stops_pyannote`.

    Raises
    ------
    ValueError
        If a file is wrong.
    """
    try:
        import pyannote.database  # noqa: F401
    except ImportError:
        return  # explained with the other packages
    except Exception as error:
        frames = (frame.f_locals for frame, _ in traceback.walk_tb(error.__traceback__))
        paths = [own["database_yml"] for own in frames if "database_yml" in own]
        if not paths:
            raise
        raise ValueError(
            f"'{paths[-1]}', which pyannote.database reads on import, is wrong: "
            "correct or rename it. In another folder, `pyannote-diarizen validate` "
            f"lists its errors, the first one is: {' '.join(str(error).split())}."
        ) from error


def without_ties(chunks: "SlidingWindow", frame_step: float) -> "SlidingWindow":
    """Shift chunks so that none starts halfway between two frames.

    `Inference.aggregate` of pyannote.audio 4.0.7 rounds starts of chunks, and the end
    of the last one, to the nearest frame. Halfway, both round to the even frame, and a
    chunk may end one frame after the last frame: with a step of 12.5 frames, one file
    in four failed with "operands could not be broadcast together". A step that is
    longer by a billionth, 0.1 ms in a day, breaks the tie. Delete this with
    `test_pyannote_refuses_chunks_that_start_between_frames`.

    Parameters
    ----------
    chunks : SlidingWindow
        Chunks of a file.
    frame_step : float
        Step between frames, in seconds.

    Returns
    -------
    chunks : SlidingWindow
        The same chunks, unless starts may be halfway.
    """
    # A start is halfway if the step is an odd number of half frames.
    half_frames = 2 * chunks.step / frame_step
    if abs(half_frames - round(half_frames)) > 1e-6 or round(half_frames) % 2 == 0:
        return chunks
    return type(chunks)(
        start=chunks.start, duration=chunks.duration, step=chunks.step * (1 + 1e-9)
    )
