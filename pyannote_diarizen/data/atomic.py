# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Former place of `pyannote_diarizen.atomic`."""

from pyannote_diarizen.atomic import replacing

__all__ = ["replacing"]
