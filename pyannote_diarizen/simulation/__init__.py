# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Simulation of conversations out of isolated utterances, rooms and noise."""

from pyannote_diarizen._host import import_pyannote

import_pyannote()
