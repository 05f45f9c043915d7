# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Pipelines."""

from pyannote_diarizen.pipelines.diarizen import DiariZen
from pyannote_diarizen.pipelines.original import DiariZenPipeline

__all__ = ["DiariZen", "DiariZenPipeline"]
