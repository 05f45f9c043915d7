# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Clusterings of speaker embeddings that pyannote.audio pipelines can tune."""

from pyannote_diarizen._host import import_pyannote

import_pyannote()

from pyannote_diarizen.clustering.agglomerative import AgglomerativeClustering
from pyannote_diarizen.clustering.combined import AutoClustering, HybridClustering
from pyannote_diarizen.clustering.num_speakers import NumSpeakersEvidence
from pyannote_diarizen.clustering.plda import PLDA
from pyannote_diarizen.clustering.vbx import VBxClustering

__all__ = [
    "PLDA",
    "AgglomerativeClustering",
    "AutoClustering",
    "HybridClustering",
    "NumSpeakersEvidence",
    "VBxClustering",
]
