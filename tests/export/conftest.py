# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Models to export, built once."""

from collections.abc import Callable
from functools import cache

import pytest
import torch
from pyannote.audio.core.model import Model
from pyannote.audio.core.task import Problem, Resolution, Specifications
from pyannote.audio.models.embedding import WeSpeakerResNet34
from tiny_wavlm import WAVLM

from pyannote_diarizen.hub.bundled import bundled_folder
from pyannote_diarizen.models import FBankConformer, WavLMConformer
from pyannote_diarizen.pipelines.components import load_network

CONFORMER = {"attention_in": 16, "ffn_hidden": 24, "num_layer": 1, "kernel_size": 7}
# one layer without heads, one with half of them and with fewer units
PRUNED = {
    **WAVLM,
    "encoder_use_attention": [True, False],
    "encoder_remaining_heads": [[0, 2], []],
    "encoder_ff_interm_features": [24, 48],
}


def _specify(model: Model) -> Model:
    model.specifications = Specifications(
        problem=Problem.MONO_LABEL_CLASSIFICATION,
        resolution=Resolution.FRAME,
        duration=2.0,
        classes=["speaker#1", "speaker#2", "speaker#3"],
        powerset_max_classes=2,
        permutation_invariant=True,
    )
    model.setup()
    return model.eval()


def _bundled(role: str) -> Model:
    return load_network(bundled_folder() / role, role)


BUILDERS = {
    "segmentation": lambda: _bundled("segmentation"),
    "embedding": lambda: _bundled("embedding"),
    "wavlm": lambda: _specify(WavLMConformer(wavlm=WAVLM, **CONFORMER)),
    "wavlm-pruned": lambda: _specify(WavLMConformer(wavlm=PRUNED, **CONFORMER)),
    "fbank": lambda: _specify(FBankConformer(**CONFORMER)),
    "wespeaker": lambda: WeSpeakerResNet34(num_mel_bins=16).eval(),
}


@pytest.fixture(scope="session")
def build() -> Callable[[str], Model]:
    """Model of a name of `BUILDERS`."""

    @cache
    def build(name: str) -> Model:
        torch.manual_seed(1)
        return BUILDERS[name]()

    return build
