# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The models of `tone_model` as a pipeline is published: folder and checkpoints."""

from pathlib import Path

import numpy as np
import soundfile
import yaml
from tone_model import SAMPLE_RATE, ToneEmbedding, ToneSegmentation, tones

from pyannote_diarizen.clustering.plda import PLDA
from pyannote_diarizen.models.checkpoint import save_model

CONFIG = {
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


def tone_plda() -> PLDA:
    """Separates mixtures of tones."""
    rng = np.random.default_rng(0)
    tones_and_deviations = [0.3 * rng.dirichlet([0.3] * 3, 40), np.full((40, 3), 3e-3)]
    speakers = np.repeat(np.hstack(tones_and_deviations), 5, axis=0)
    noise = rng.standard_normal(speakers.shape) * np.repeat([1e-2, 1e-3], 3)
    return PLDA.fit(speakers + noise, np.repeat(np.arange(40), 5), 5)


def write_tone_pipeline(folder: Path) -> Path:
    """Write `config.yaml` and what it names."""
    save_model(ToneSegmentation(), folder / "segmentation" / "pytorch_model.bin")
    save_model(ToneEmbedding(), folder / "embedding" / "pytorch_model.bin")
    tone_plda().save(folder / "plda")
    (folder / "config.yaml").write_text(yaml.safe_dump(CONFIG))
    return folder


def write_tones(path: Path, turns: list[tuple[float, float, int]]) -> None:
    """Write an audio file of (start, end, tone)."""
    path.parent.mkdir(parents=True, exist_ok=True)
    duration = max((end for _, end, _ in turns), default=2.6) + 0.4
    soundfile.write(path, tones(turns, duration)[0].numpy(), SAMPLE_RATE)
