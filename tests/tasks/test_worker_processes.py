# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Data loaders that are started by spawn draw the chunks of those that are forked."""

import pickle
from itertools import islice
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch
from lightning.pytorch import Trainer
from pyannote.audio.core.task import TrainDataset
from pyannote.core import Annotation, Segment, Timeline
from pyannote.database.protocol import SpeakerDiarizationProtocol
from torch_audiomentations import Gain

from pyannote_diarizen.models import FBankConformer
from pyannote_diarizen.tasks.powerset_diarization import PowersetDiarization


@pytest.fixture
def task(tmp_path, rng) -> PowersetDiarization:
    """Task whose protocol has a class that cannot be pickled, as those of databases."""
    soundfile.write(tmp_path / "a.wav", rng.uniform(-0.1, 0.1, 16000 * 6), 16000)

    class OneFile(SpeakerDiarizationProtocol):
        name = "A.SpeakerDiarization.B"

        def train_iter(self):
            annotation = Annotation(uri="a")
            annotation[Segment(0, 3)], annotation[Segment(2, 5)] = "a", "b"
            yield {
                "uri": "a",
                "database": "A",
                "scope": "file",
                "audio": str(tmp_path / "a.wav"),
                "annotated": Timeline([Segment(0, 6)], uri="a"),
                "annotation": annotation,
            }

        development_iter = train_iter

    task = PowersetDiarization(
        OneFile(),
        duration=1.0,
        max_speakers_per_chunk=2,
        batch_size=2,
        batches_per_epoch=5,
        num_workers=0,
        mixing={"share": 0.5},
        augmentation=Gain(p=0.5, output_type="dict"),
    )
    task.prepare_data()
    task.setup()
    task.model = FBankConformer(attention_in=8, ffn_hidden=8, num_layer=1, task=task)
    task.model.setup()
    return task


def drawn_batches(task: PowersetDiarization, num_workers: int) -> list[dict]:
    task.num_workers = num_workers
    return list(islice(task.train_dataloader(), 5))


@pytest.mark.parametrize("shift", [None, 0.3])
def test_batches_do_not_depend_on_the_number_of_workers(task, shift, monkeypatch):
    monkeypatch.setenv("PL_GLOBAL_SEED", "3")
    task.shift = shift
    task.model.trainer = Trainer(logger=False, barebones=True)
    torch.manual_seed(0)
    alone = drawn_batches(task, num_workers=0)
    state = torch.get_rng_state()
    for num_workers in (1, 2, 4):
        torch.manual_seed(num_workers)
        for batch, expected in zip(
            drawn_batches(task, num_workers), alone, strict=True
        ):
            for key in ("X", "y", "speaker"):
                assert torch.equal(batch[key], expected[key])
    assert len({batch["X"].sum().item() for batch in alone}) == 5
    torch.manual_seed(0)
    drawn_batches(task, num_workers=2)
    assert torch.equal(torch.get_rng_state(), state)  # of the training itself


def first_chunks(task: PowersetDiarization, num: int = 3) -> list[torch.Tensor]:
    chunks = iter(TrainDataset(task))
    return [next(chunks)["X"] for _ in range(num)]


def test_copies_draw_the_chunks_of_each_epoch(task):
    drawn = []
    for epoch in range(2):
        task.model._trainer = SimpleNamespace(
            current_epoch=epoch,
            global_step=epoch,
            world_size=1,
            global_rank=0,
            local_rank=0,
            unpicklable=lambda: None,
        )
        task.model.configure_optimizers = lambda: None
        received = pickle.loads(pickle.dumps(task))
        expected = first_chunks(task)
        for chunk, other in zip(first_chunks(received), expected, strict=True):
            np.testing.assert_array_equal(chunk, other)
        drawn.append(torch.stack([torch.as_tensor(chunk) for chunk in expected]))
    assert not torch.equal(*drawn)


def test_options_of_workers_reach_both_loaders(task):
    task.num_workers = 2
    task.set_workers(prefetch_factor=5, start_method="spawn")
    for loader in (task.train_dataloader(), task.val_dataloader()):
        assert loader.prefetch_factor == 5
        assert loader.multiprocessing_context.get_start_method() == "spawn"
    task.set_workers(None, None)
    assert task.train_dataloader().prefetch_factor == 2
    task.num_workers = 0
    task.set_workers(5, "spawn")
    assert task.train_dataloader().multiprocessing_context is None


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"prefetch_factor": 0}, "at least 1, got 0"),
        ({"start_method": "thread"}, r"one of .*spawn.*, got 'thread'"),
    ],
)
def test_wrong_options_of_workers_are_refused(task, options, message):
    with pytest.raises(ValueError, match=message):
        PowersetDiarization(task.protocol, duration=1.0, **options)
