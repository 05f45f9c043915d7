# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Prunable WavLM backbone."""

from pyannote_diarizen.wavlm.config import WavLMConfig
from pyannote_diarizen.wavlm.model import WavLM
from pyannote_diarizen.wavlm.predefined import PREDEFINED, get_config

__all__ = ["PREDEFINED", "WavLM", "WavLMConfig", "get_config"]
