# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Audio reading and simulated conversations."""

from pyannote_diarizen._host import import_pyannote

import_pyannote()
