# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Fine-tuning of the bundled segmentation: its conversations and its checkpoints."""

import importlib
import sys
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch

from pyannote_diarizen.simulation.speech import SpeechPool

RECIPE = Path(__file__).parents[2] / "recipes" / "diarizen_tiny"


@pytest.fixture(scope="module")
def load():
    """Import a module of the recipe."""
    sys.path.insert(0, str(RECIPE))
    yield importlib.import_module
    sys.path.remove(str(RECIPE))


def test_conversations_are_recorded(load, rng):
    finetune = load("finetune_segmentation")
    noise = rng.integers(-9000, 9000, 32000).astype(np.int16)
    pool = SpeechPool.from_utterances([("noises", str(n), noise) for n in range(4)])
    voices = finetune.VoiceBank(pool, torch.device("cpu"), finetune.VOICES[:2])
    middles = np.arange(0.01, 10, 0.02)
    meeting = [(0.0, 8.0, "a"), (7.0, 12.0, "b")]
    batch = next(
        iter(
            finetune.ConversationDataset(voices.pool, [meeting], middles, 3, 2, seed=1)
        )
    )
    assert batch.activity.shape == (3, len(middles), finetune.MAX_SPEAKERS)
    assert batch.activity.any()
    stretch = torch.from_numpy(rng.normal(size=200_000)).float()
    recorder = finetune.BatchRecorder(
        voices.samples,
        finetune.simulate_rooms(1, 4, finetune.LEAD),
        stretch,
        stretch,
    )
    waveforms = recorder.record(batch, stretch[None, : finetune.NUM_SAMPLES])
    assert waveforms.shape == (3, 1, finetune.NUM_SAMPLES)
    assert waveforms.isfinite().all()
    assert (waveforms.abs().amax(dim=2) > 0).all()


def test_excerpts_of_meetings_have_their_labels(load, tmp_path, rng):
    finetune = load("finetune_segmentation")
    noise = rng.integers(-9000, 9000, 20 * finetune.SAMPLE_RATE).astype(np.int16)
    soundfile.write(tmp_path / "a.flac", noise, finetune.SAMPLE_RATE)
    (tmp_path / "train.lst").write_text("a\n")
    turn = "SPEAKER a 1 {} 20.000 <NA> <NA> {} <NA> <NA>\n"
    (tmp_path / "train.rttm").write_text(
        turn.format("0.000", "x") + turn.format("30.000", "y")
    )
    middles = torch.arange(0.01, 10, 0.02)
    excerpts = finetune.MeetingExcerpts(tmp_path, torch.device("cpu"), middles)
    waveforms, activity = excerpts.draw(2)
    assert waveforms.shape == (2, finetune.NUM_SAMPLES)
    assert activity.sum(dim=(0, 1)).tolist() == [2 * len(middles), 0, 0]


def test_weights_are_interpolated(load, tmp_path):
    student, run = tmp_path / "student.bin", tmp_path / "run.pt"
    torch.save({"state_dict": {"weight": torch.zeros(2)}}, student)
    torch.save({"snapshots": {"0.75": {"weight": torch.tensor([2.0, 4.0])}}}, run)
    load("interpolate_weights").interpolate(student, [run], "0.75", 0.5, student)
    weights = torch.load(student, weights_only=True)["state_dict"]
    assert weights["weight"].tolist() == [1, 2]
