# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""DiariZen speaker diarization as a plugin of pyannote.audio 4."""

from pyannote_diarizen._host import ignore_missing_ffmpeg

ignore_missing_ffmpeg()

__version__ = "0.1.0"
