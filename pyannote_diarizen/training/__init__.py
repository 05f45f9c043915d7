# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Training runs, as `pyannote-audio-train` assembles and runs them."""

from pyannote_diarizen._host import import_pyannote

import_pyannote()
