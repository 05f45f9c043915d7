# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Segmentation and embedding models, subclasses of the `Model` of pyannote.audio."""

from pyannote_diarizen._host import import_pyannote

import_pyannote()

from pyannote_diarizen.models.fbank_conformer import FBankConformer
from pyannote_diarizen.models.multi_channel_wavlm_conformer import (
    MultiChannelWavLMConformer,
)
from pyannote_diarizen.models.speaker_resnet import SpeakerResNet
from pyannote_diarizen.models.wavlm_conformer import WavLMConformer

__all__ = [
    "FBankConformer",
    "MultiChannelWavLMConformer",
    "SpeakerResNet",
    "WavLMConformer",
]
