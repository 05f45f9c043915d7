# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Tiny models and a conversation of tones that pipelines are tested on."""

import sys
from collections import Counter
from pathlib import Path

import pytest
import torch
from pyannote.audio.models.embedding import WeSpeakerResNet34
from pyannote.core import Annotation, Segment

from pyannote_diarizen.clustering.plda import PLDA
from pyannote_diarizen.pipelines import DiariZen

# checkpoints name the module of their model: it has to be importable
sys.path.append(str(Path(__file__).parent))

from tone_model import (
    DURATION,
    SAMPLE_RATE,
    TURNS,
    ToneEmbedding,
    ToneSegmentation,
    count_passes,
    tones,
)
from tone_pipeline import tone_plda, write_tone_pipeline

collect_ignore = ["original_script.py"]  # a command, run by test_original.py


@pytest.fixture(scope="session")
def segmentation_model() -> ToneSegmentation:
    return ToneSegmentation().eval()


@pytest.fixture(scope="session")
def embedding_model() -> ToneEmbedding:
    return ToneEmbedding().eval()


@pytest.fixture(scope="session")
def wespeaker_model() -> WeSpeakerResNet34:
    """ResNet34 of pyannote.audio with random weights; few bands to be fast."""
    torch.manual_seed(0)
    return WeSpeakerResNet34(num_mel_bins=16).eval()


@pytest.fixture(scope="session")
def plda() -> PLDA:
    return tone_plda()


@pytest.fixture
def conversation() -> dict:
    """Three speakers, with overlap and pauses; the last chunk is padded."""
    return {
        "uri": "tones",
        "waveform": tones(TURNS, DURATION),
        "sample_rate": SAMPLE_RATE,
    }


@pytest.fixture
def passes(monkeypatch) -> Counter:
    return count_passes(monkeypatch)


@pytest.fixture(scope="session")
def folder(tmp_path_factory) -> Path:
    """Pipeline as it is published: a folder with a config.yaml and checkpoints."""
    return write_tone_pipeline(tmp_path_factory.mktemp("pipeline"))


@pytest.fixture
def build(segmentation_model, embedding_model, plda):
    """Pipeline of tone models, with default hyper-parameters."""

    def build(**options) -> DiariZen:
        options = {
            "segmentation": segmentation_model,
            "embedding": embedding_model,
            "plda": plda,
            "segmentation_step": 0.25,
            **options,
        }
        pipeline = DiariZen(**options)
        return pipeline.instantiate(pipeline.default_parameters())

    return build


@pytest.fixture
def reference() -> Annotation:
    """Who speaks when in `conversation`."""
    reference = Annotation(uri="tones")
    for track, (start, end, speaker) in enumerate(TURNS):
        reference[Segment(start, end), track] = f"tone{speaker}"
    return reference
