# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""WavLM backbone: dense, with gates of structured pruning, or pruned."""

from pyannote_diarizen._host import import_pyannote

import_pyannote()

from pyannote_diarizen.wavlm.config import WavLMConfig
from pyannote_diarizen.wavlm.model import WavLM
from pyannote_diarizen.wavlm.predefined import PREDEFINED, get_config
from pyannote_diarizen.wavlm.pruning import add_gates, prune

__all__ = ["PREDEFINED", "WavLM", "WavLMConfig", "add_gates", "get_config", "prune"]
