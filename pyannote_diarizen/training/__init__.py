# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Training runs: what `pyannote-audio-train` makes of a configuration."""

from pyannote_diarizen._host import import_pyannote

import_pyannote()
