# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""DiariZen speaker diarization as a plugin of pyannote.audio 4."""

__version__ = "0.1.0"
