# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Pipelines."""

from pyannote_diarizen._host import import_pyannote

import_pyannote()

from pyannote_diarizen.pipelines.diarizen import DiariZen
from pyannote_diarizen.pipelines.fusion import Fusion
from pyannote_diarizen.pipelines.original_interface import DiariZenPipeline
from pyannote_diarizen.pipelines.recognition import SpeakerRecognition

__all__ = ["DiariZen", "DiariZenPipeline", "Fusion", "SpeakerRecognition"]
