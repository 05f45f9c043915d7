# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Every workaround for pyannote.audio: upstream version, reason, when to delete it.

`tests/test_host.py` has a test for each that fails once upstream does without.
"""

import warnings


def ignore_missing_ffmpeg() -> None:
    """Ignore the sixty lines that pyannote.audio prints on import without FFmpeg.

    pyannote.audio 4.0.7 decodes with torchcodec alone and warns where that does not
    load. We read audio with soundfile first and say ourselves when a file needs
    FFmpeg. To be called before pyannote.audio is imported; to be deleted with
    `test_pyannote_warns_where_torchcodec_does_not_load`.
    """
    warnings.filterwarnings(
        "ignore",
        message=r"\s*torchcodec is not installed correctly",
        category=UserWarning,
        module=r"pyannote\.audio\.core\.io",
    )
