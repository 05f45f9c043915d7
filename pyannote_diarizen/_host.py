# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Every workaround for pyannote.audio: upstream version, reason, when to delete it.

`tests/test_host.py` has a test for each that fails once upstream does without.
"""

import warnings
from typing import TYPE_CHECKING

from pyannote_diarizen.errors import IncompatiblePackagesError

if TYPE_CHECKING:
    from pyannote.core import SlidingWindow


def ignore_missing_ffmpeg() -> None:
    """Ignore the sixty lines that pyannote.audio prints on import without FFmpeg.

    pyannote.audio 4.0.7 decodes with torchcodec alone and warns where that does not
    load. We read audio without it. The package calls it when it is imported; to be
    deleted with `test_pyannote_warns_where_torchcodec_does_not_load`.
    """
    warnings.filterwarnings(
        "ignore",
        message=r"\s*torchcodec is not installed correctly",
        category=UserWarning,
        module=r"pyannote\.audio\.core\.io",
    )


def import_pyannote() -> None:
    """Import pyannote.audio, or explain which installed versions clash.

    The subpackages that need pyannote.audio call it first. torch, torchaudio and
    torchcodec do not declare which versions go together, so that pip installs sets
    that do not load; the message of the loader names a file and no package.

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

    try:
        import pyannote.audio  # noqa: F401
    except IMPORT_ERRORS as error:
        failure = find_import_failure()
        if failure is None:
            raise
        explanation = explain_import_failure(failure, read_installed())
        raise IncompatiblePackagesError(explanation) from error


def without_ties(chunks: "SlidingWindow", frame_step: float) -> "SlidingWindow":
    """Chunks of which none starts halfway between two frames.

    `Inference.aggregate` of pyannote.audio 4.0.7 rounds starts of chunks, and the end
    of the last one, to the nearest frame. Halfway, both go to the even one, and a chunk
    may end one frame after the end of all: one file in four was refused with "operands
    could not be broadcast together" where a step is 12.5 frames. A step that is longer
    by a billionth, 0.1 ms in a day, decides. To be deleted with
    `test_pyannote_refuses_chunks_that_start_between_frames`.

    Parameters
    ----------
    chunks : SlidingWindow
    frame_step : float
        In seconds.

    Returns
    -------
    chunks : SlidingWindow
        The same ones, unless starts may be halfway.
    """
    half_frames = 2 * chunks.step / frame_step
    if abs(half_frames - round(half_frames)) > 1e-6 or round(half_frames) % 2 == 0:
        return chunks
    return type(chunks)(
        start=chunks.start, duration=chunks.duration, step=chunks.step * (1 + 1e-9)
    )
