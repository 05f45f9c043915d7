# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Training tasks."""

from pyannote_diarizen._host import import_pyannote

import_pyannote()

from pyannote_diarizen.tasks.distillation_pruning import DistillationPruning
from pyannote_diarizen.tasks.powerset_diarization import PowersetDiarization
from pyannote_diarizen.tasks.speaker_embedding import SpeakerEmbedding
from pyannote_diarizen.tasks.wavlm_distillation import WavLMDistillation

__all__ = [
    "DistillationPruning",
    "PowersetDiarization",
    "SpeakerEmbedding",
    "WavLMDistillation",
]
