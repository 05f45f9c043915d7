# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Pipelines."""

from pyannote_diarizen.pipelines.diarizen import DiariZen

__all__ = ["DiariZen"]
