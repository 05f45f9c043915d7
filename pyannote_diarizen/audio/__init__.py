# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Reading of audio files: any format, rate and channels, without FFmpeg."""

from pyannote_diarizen._host import import_pyannote

import_pyannote()
