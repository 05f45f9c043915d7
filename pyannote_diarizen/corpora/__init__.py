# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Listings, Kaldi folders and pyannote.database protocols: reading and validation."""

from pyannote_diarizen._host import import_pyannote

import_pyannote()
