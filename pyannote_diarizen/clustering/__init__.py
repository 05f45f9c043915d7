# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Clusterings of speaker embeddings that pyannote.audio pipelines can tune."""

from pyannote_diarizen.clustering.plda import PLDA

__all__ = ["PLDA"]
