# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Runs on chunks by a shift, mixed and augmented, in several processes."""

from pathlib import Path

import numpy as np
import pytest
import soundfile
from torch.utils.data import DataLoader

from pyannote_diarizen.training.history import read_table
from pyannote_diarizen.training.run import assemble


@pytest.fixture
def folder(tmp_path, rng) -> Path:
    """Noise, which stands for a room as well."""
    path = tmp_path / "noises" / "noise.flac"
    path.parent.mkdir()
    soundfile.write(path, 0.1 * rng.standard_normal(16000), 16000)
    return path.parent


def test_all_at_once(configure, folder):
    config = configure(
        task__shift=0.5,
        task__mixing="{share: 0.5}",
        task__batches_per_epoch="null",
        augmentation="recording",
        augmentation__noises=f"[{folder}]",
        augmentation__rooms=f"[{folder}]",
        trainer__max_epochs=1,
    )
    run = assemble(config)
    transforms = run.model.task.augmentation.augmentation.transforms
    kinds = [type(transform).__name__ for transform in transforms]
    assert kinds == ["Speed", "Reverberation", "BackgroundNoise", "Gain"]
    run.fit()
    # eleven chunks in each of two recordings of 6 s, two to a batch
    assert run.trainer.global_step == 11
    (row,) = read_table(Path(config.run) / "metrics.csv")
    assert np.isfinite(float(row["loss/train"]))


def test_workers_share_the_chunks_of_an_epoch(configure, monkeypatch):
    monkeypatch.setenv("PL_GLOBAL_SEED", "1")
    run = assemble(configure(task__shift=0.5, task__batches_per_epoch="null"))
    task = run.model.task
    task.prepare_data()
    run.model.trainer = run.trainer
    run.model.setup("fit")
    seen = []
    monkeypatch.setattr(task, "prepare_chunk", lambda *chunk: {"chunk": chunk})
    dataset = task.train_dataloader().dataset
    batches = DataLoader(
        dataset, task.batch_size, num_workers=2, collate_fn=lambda chunks: chunks
    )
    for batch in batches:
        seen += [tuple(map(float, each["chunk"])) for each in batch]
        if len(seen) == 22:
            break
    assert len(set(seen)) == 22
