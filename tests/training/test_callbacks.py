# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Callbacks log and draw a training without changing it."""

from pathlib import Path
from types import SimpleNamespace

import numpy as np
import pytest
import soundfile
import torch
from lightning.pytorch import Trainer, seed_everything
from lightning.pytorch.loggers import TensorBoardLogger
from pyannote.core import Annotation, Segment, Timeline
from pyannote.database.protocol import SpeakerDiarizationProtocol
from pyannote.database.util import load_rttm
from tensorboard.backend.event_processing.event_accumulator import EventAccumulator

from pyannote_diarizen.models import FBankConformer
from pyannote_diarizen.tasks.powerset_diarization import PowersetDiarization
from pyannote_diarizen.training.callbacks import (
    Curves,
    StepMonitor,
    TrainingChunks,
    ValidationFigures,
)
from pyannote_diarizen.training.configuration import build
from pyannote_diarizen.training.history import TABLE, EpochTable, History
from pyannote_diarizen.training.run import assemble

pytestmark = pytest.mark.filterwarnings(
    "ignore:The .*dataloader.* does not have many workers"
)


class Tones(SpeakerDiarizationProtocol):
    """One file: a speaker from 1 to 3 s, another from 2 to 5 s."""

    name = "Tones.SpeakerDiarization.Test"

    def __init__(self, folder) -> None:
        super().__init__()
        self.file = folder / "two voices.wav"
        soundfile.write(self.file, 0.1 * np.sin(0.2 * np.arange(6 * 16000)), 16000)

    def train_iter(self):
        annotation = Annotation()
        annotation[Segment(1, 3)], annotation[Segment(2, 5)] = "A", "B"
        yield {
            "uri": "tones",
            "database": "Tones",
            "scope": "file",
            "audio": self.file,
            "annotated": Timeline([Segment(0, 6)]),
            "annotation": annotation,
        }

    development_iter = train_iter


def fit(folder, callbacks, epochs=2) -> Trainer:
    seed_everything(1)
    task = PowersetDiarization(
        Tones(folder),
        loss={"temporal_consistency": 0.5},
        duration=2.0,
        max_speakers_per_chunk=3,
        batch_size=2,
        num_workers=0,
    )
    model = FBankConformer(
        attention_in=16,
        ffn_hidden=24,
        num_layer=1,
        residual_channels=(4,),
        residual_blocks=(1,),
        task=task,
    )
    model.configure_optimizers = lambda: torch.optim.SGD(
        [
            {"params": model.classifier.parameters(), "name": "classifier", "lr": 1e-2},
            {"params": model.conformer.parameters(), "name": "conformer"},
        ],
        lr=1e-3,
    )
    trainer = Trainer(
        accelerator="cpu",
        max_epochs=epochs,
        logger=TensorBoardLogger(folder, name="tensorboard", version=""),
        callbacks=callbacks,
        enable_checkpointing=False,
        enable_progress_bar=False,
        enable_model_summary=False,
        log_every_n_steps=1,
    )
    trainer.fit(model)
    return trainer


@pytest.fixture(scope="module")
def run(tmp_path_factory):
    folder = tmp_path_factory.mktemp("run")
    callbacks = [
        StepMonitor(),
        ValidationFigures(folder, num_chunks=4),
        EpochTable(folder / TABLE),
        Curves(folder),
    ]
    return folder, fit(folder, callbacks)


def test_all_that_matters_is_in_the_table(run):
    folder, _ = run
    history = History.read(folder)
    assert list(history.epochs) == [0, 1]
    for name in (
        "loss/train",
        "loss/train/cross_entropy",
        "loss/train/temporal_consistency",
        "loss/val",
        "DiarizationErrorRate",
        "DiarizationErrorRate/Confusion",
        "DiarizationErrorRate/Miss",
        "DiarizationErrorRate/FalseAlarm",
        "gradient_norm/classifier",
        "gradient_norm/conformer",
    ):
        assert np.isfinite(history.column(name)).all(), name
    np.testing.assert_allclose(history.column("learning_rate/classifier"), 1e-2)
    np.testing.assert_allclose(history.column("learning_rate/conformer"), 1e-3)
    np.testing.assert_allclose(
        history.column("loss/train"),
        history.column("loss/train/cross_entropy")
        + 0.5 * history.column("loss/train/temporal_consistency"),
        rtol=1e-5,
    )


def test_steps_are_on_the_tensorboard(run):
    folder, trainer = run
    events = EventAccumulator(str(folder / "tensorboard")).Reload()
    num_steps = trainer.global_step
    for name in ("loss/step", "learning_rate/conformer", "gradient_norm/conformer"):
        assert len(events.Scalars(name)) == num_steps, name
    mean = np.mean([event.value for event in events.Scalars("loss/step")])
    losses = [event.value for event in events.Scalars("loss/train")]
    np.testing.assert_allclose(np.mean(losses), mean, rtol=1e-5)
    assert "validation/chunks" in events.Tags()["images"]


def test_pictures_are_in_their_folder(run):
    folder, _ = run
    names = sorted(path.name for path in (folder / "figures").iterdir())
    assert names == ["chunks-0000.png", "chunks-0001.png", "curves.png"]


def test_callbacks_change_nothing(run, tmp_path):
    observed = run[1].model.state_dict()
    for name, weight in fit(tmp_path, []).model.state_dict().items():
        assert torch.equal(weight, observed[name]), name


def test_chunks_are_those_of_the_validation_set(run):
    _, trainer = run
    (figures,) = (c for c in trainer.callbacks if isinstance(c, ValidationFigures))
    assert len(figures._chunks) == 3  # of 2 s
    references = np.concatenate([chunk.reference for chunk in figures._chunks])
    step = figures._chunks[0].step
    np.testing.assert_allclose(references.sum() * step, 5.0, atol=0.2)
    assert all(chunk.name.startswith("two voices, DER") for chunk in figures._chunks)
    for chunk in figures._chunks:
        assert chunk.reference.shape == chunk.hypothesis.shape
        assert ((chunk.hypothesis >= 0) & (chunk.hypothesis <= 1)).all()


def test_gradient_norms_are_those_of_torch():
    layer = torch.nn.Linear(3, 2, bias=False)
    layer.weight.grad = torch.arange(6.0).reshape(2, 3)
    logged = {}
    layer.log_dict = lambda values, **_: logged.update(values)
    recorded = []
    logger = SimpleNamespace(log_metrics=lambda values, step: recorded.append(values))
    trainer = SimpleNamespace(global_step=4, log_every_n_steps=4, loggers=[logger])
    unused = torch.nn.Parameter(torch.ones(1))
    optimizer = torch.optim.SGD([{"params": [layer.weight]}, {"params": [unused]}], 1.0)
    StepMonitor().on_before_optimizer_step(trainer, layer, optimizer)
    norm = pytest.approx(55**0.5)
    expected = {"learning_rate/0": 1, "gradient_norm/0": norm, "learning_rate/1": 1}
    assert logged == expected
    assert recorded == [expected]
    trainer.global_step = 5
    StepMonitor().on_before_optimizer_step(trainer, layer, optimizer)
    assert len(recorded) == 1


def test_validation_steps_inside_calls_of_the_model_are_no_scores(tmp_path):
    """As strategies of several processes make them."""
    figures, scores = ValidationFigures(tmp_path), torch.zeros(1, 5, 4)
    model = torch.nn.Identity()
    model.register_forward_hook(figures._record)
    model.forward = lambda step: step()

    def validation_step() -> None:
        model(lambda: scores)

    model(validation_step)
    assert figures._scores is scores


def test_a_run_has_these_callbacks_by_default(configure):
    config = configure(callbacks__chunks=None, callbacks__curves=None)
    callbacks = {name: build(each) for name, each in config.callbacks.items()}
    assert isinstance(callbacks["curves"], Curves)
    assert callbacks["chunks"].run == Path(config.run)
    names = list(callbacks)
    assert names.index("steps") < names.index("clipping")


def test_the_first_chunks_are_written(configure):
    run = assemble(configure(trainer__max_steps=1, task__batch_size=3))
    batches = []
    step = run.model.task.training_step
    run.model.task.training_step = lambda batch, index: (
        batches.append(batch) or step(batch, index)
    )
    run.fit()
    folder = next(c.run for c in run.trainer.callbacks if isinstance(c, TrainingChunks))
    assert len(list((folder / "chunks").iterdir())) == 6
    samples, rate = soundfile.read(folder / "chunks" / "1.flac")
    assert rate == 16000
    expected = batches[0]["X"][1, 0].numpy()
    np.testing.assert_allclose(samples, expected, atol=1e-4)
    turns = load_rttm(folder / "chunks" / "1.rttm")
    active = batches[0]["y"][1].any(dim=-1).float().mean().item()
    speech = sum(each.get_timeline().support().duration() for each in turns.values())
    assert speech == pytest.approx(active * len(expected) / rate, abs=0.05)
