# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Tiny models and a conversation of tones that pipelines are tested on."""

import sys
from pathlib import Path

import lightning
import numpy as np
import pytest
import torch
import yaml
from pyannote.audio.core.model import Model
from pyannote.audio.models.embedding import WeSpeakerResNet34

from pyannote_diarizen.clustering.plda import PLDA

# checkpoints name the module of their model: it has to be importable
sys.path.append(str(Path(__file__).parent))

from tone_model import (
    DURATION,
    SAMPLE_RATE,
    TURNS,
    ToneEmbedding,
    ToneSegmentation,
    tones,
)

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
    """Tells mixtures of tones apart."""
    rng = np.random.default_rng(0)
    tones_and_deviations = [0.3 * rng.dirichlet([0.3] * 3, 40), np.full((40, 3), 3e-3)]
    speakers = np.repeat(np.hstack(tones_and_deviations), 5, axis=0)
    noise = rng.standard_normal(speakers.shape) * np.repeat([1e-2, 1e-3], 3)
    return PLDA.fit(speakers + noise, np.repeat(np.arange(40), 5), 5)


@pytest.fixture
def conversation() -> dict:
    """Three speakers, with overlap and pauses; the last chunk is padded."""
    return {
        "uri": "tones",
        "waveform": tones(TURNS, DURATION),
        "sample_rate": SAMPLE_RATE,
    }


@pytest.fixture(scope="session")
def folder(tmp_path_factory, segmentation_model, embedding_model, plda) -> Path:
    """Pipeline as it is published: a folder with a config.yaml and checkpoints."""
    folder = tmp_path_factory.mktemp("pipeline")
    _save(segmentation_model, folder / "segmentation")
    _save(embedding_model, folder / "embedding")
    plda.save(folder / "plda")
    config = {
        "dependencies": {"pyannote.audio": "4.0.0"},
        "pipeline": {
            "name": "pyannote_diarizen.pipelines.DiariZen",
            "params": {
                "segmentation": "$model/segmentation",
                "embedding": "$model/embedding",
                "plda": "$model/plda",
                "clustering": "VBxClustering",
                "segmentation_step": 0.25,
            },
        },
        "params": {
            "segmentation": {"min_duration_off": 0.0},
            "clustering": {"threshold": 0.6, "Fa": 0.07, "Fb": 0.8},
        },
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config))
    return folder


def _save(model: Model, folder: Path) -> None:
    """Write a checkpoint as a Lightning trainer does."""
    checkpoint = {
        "state_dict": model.state_dict(),
        "hyper_parameters": dict(model.hparams),
        "pytorch-lightning_version": lightning.__version__,
    }
    model.on_save_checkpoint(checkpoint)
    folder.mkdir()
    torch.save(checkpoint, folder / "pytorch_model.bin")
