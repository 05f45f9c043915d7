# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Runs: assembled from their configuration, interrupted and resumed."""

import shutil
from pathlib import Path

import numpy as np
import pytest
import soundfile
import torch
from interrupted_runs import last, trained
from pyannote.audio.core.model import Model
from pyannote.database import registry

from pyannote_diarizen.training.history import read_table
from pyannote_diarizen.training.pretrained import load_pretrained
from pyannote_diarizen.training.run import assemble
from pyannote_diarizen.training.run_folder import write_start


def test_a_resumed_run_equals_an_uninterrupted_one(configure, tmp_path):
    options = {
        "trainer__max_epochs": 3,
        "scheduler": "cosine",
        "trainer__accumulate_grad_batches": 2,
    }
    whole = trained(configure(**options))
    options["run"] = tmp_path / "interrupted"
    broken = trained(configure(**options), interrupted_at=1)
    assert len(read_table(broken / "metrics.csv")) == 1
    trained(configure(**options, **{"+resume": "last"}))

    rows = read_table(whole / "metrics.csv")
    assert len({row["loss/train"] for row in rows}) == len(rows) == 3
    assert read_table(broken / "metrics.csv") == rows
    expected, resumed = last(whole), last(broken)
    for name, weight in expected["state_dict"].items():
        torch.testing.assert_close(resumed["state_dict"][name], weight, rtol=0, atol=0)
    (clipping,) = (k for k in expected["callbacks"] if "PercentileClipping" in k)
    norms = expected["callbacks"][clipping]["norms"]
    assert len(norms) == 6  # two steps in each of three epochs
    assert resumed["callbacks"][clipping]["norms"] == norms


@pytest.mark.slow
def test_losses_do_not_depend_on_workers_and_their_start(configure, tmp_path):
    tables = []
    for num_workers, start in ((0, None), (1, "fork"), (2, "fork"), (2, "spawn")):
        options = {"task__num_workers": num_workers, "task__start_method": start}
        folder = tmp_path / f"{num_workers}-{start}"
        config = configure(run=folder, trainer__max_epochs=2, **options)
        tables.append(read_table(trained(config) / "metrics.csv"))
    assert len({row["loss/train"] for row in tables[0]}) == 2
    assert tables[1:] == 3 * tables[:1]


def test_a_run_interrupted_before_its_first_checkpoint_starts_again(configure):
    run = assemble(configure(**{"+resume": "last"}))
    assert run.checkpoint is None


def test_a_damaged_table_of_epochs_is_an_error_before_a_training_goes_on(configure):
    folder = trained(configure(trainer__max_epochs=1))
    (folder / "metrics.csv").write_text("hello\n")
    with pytest.raises((OSError, ValueError), match=r"metrics\.csv"):
        assemble(configure(trainer__max_epochs=2, **{"+resume": "last"}))


def test_scores_of_a_checkpoint(configure, tmp_path):
    folder = trained(configure(trainer__max_epochs=2))
    rows = read_table(folder / "metrics.csv")
    files = {path: path.stat().st_mtime for path in folder.rglob("*")}
    resumed = configure(validate=True, **{"+resume": "last"})
    scores = assemble(resumed).validate()
    assert {path: path.stat().st_mtime for path in folder.rglob("*")} == files
    for name in ("loss/val", "DiarizationErrorRate"):
        assert scores[name] == pytest.approx(float(rows[-1][name]), rel=1e-4)

    first = {"+pretrained": folder / "checkpoints" / "0000.ckpt"}
    elsewhere = configure(run=tmp_path / "other", validate=True, **first)
    scores = assemble(elsewhere).validate()
    assert scores["loss/val"] == pytest.approx(float(rows[0]["loss/val"]), rel=1e-4)
    with pytest.raises(ValueError, match=r"needs a checkpoint: add .*\+resume=last"):
        assemble(configure(run=tmp_path / "new", validate=True))


def test_what_a_run_writes(configure):
    config = configure(trainer__max_epochs=1)
    folder = trained(config)
    write_start(config, [])
    written = {path.name for path in folder.iterdir()}
    assert {"checkpoints", "config.yaml", "metrics.csv", "tensorboard"} <= written
    checkpoints = sorted(path.name for path in (folder / "checkpoints").iterdir())
    assert checkpoints == ["0000.ckpt", "last.ckpt"]
    (row,) = read_table(folder / "metrics.csv")
    assert row["epoch"] == "0"
    assert float(row["loss/val"]) > 0
    assert float(row["DiarizationErrorRate"]) >= 0
    assert float(row["learning_rate/all"]) > 0
    checkpoint = folder / "checkpoints" / "0000.ckpt"
    for model in (
        Model.from_pretrained(checkpoint),
        load_pretrained(str(checkpoint)),
        load_pretrained(str(folder)),
    ):
        assert model(torch.zeros(1, 1, 16000)).shape[-1] == 4


def test_the_backbone_learns_at_its_own_rate(configure):
    config = configure(
        backbone__module="conformer", backbone__lr=1e-5, trainer__max_steps=1
    )
    run = assemble(config)
    run.fit()
    backbone, head = run.trainer.optimizers[0].param_groups
    assert (backbone["name"], backbone["lr"]) == ("backbone", 1e-5)
    assert (head["name"], head["lr"]) == ("head", 1e-3)
    of_conformer = {id(weight) for weight in run.model.conformer.parameters()}
    assert {id(weight) for weight in backbone["params"]} == of_conformer
    everything = len(list(run.model.parameters()))
    assert len(head["params"]) == everything - len(of_conformer)


def test_a_frozen_backbone_stays_as_it_is(configure):
    config = configure(
        backbone__module="conformer", backbone__frozen=True, trainer__max_steps=2
    )
    run = assemble(config)
    before = {k: v.clone() for k, v in run.model.conformer.state_dict().items()}
    head = run.model.proj.weight.clone()
    run.fit()
    for name, weight in run.model.conformer.state_dict().items():
        torch.testing.assert_close(weight, before[name], rtol=0, atol=0)
    assert not torch.equal(run.model.proj.weight, head)


def test_conversations_are_simulated_beside_recordings(configure, tmp_path):
    lines = ["source\tspeaker\tsplit\tfile\tstart_sample\tnum_samples\n"]
    for name in ("ann", "bob"):
        soundfile.write(tmp_path / f"{name}.wav", np.sin(0.3 * np.arange(32000)), 16000)
        lines.append(f"tones\t{name}\ttrain\t{name}.wav\t0\t32000\n")
    (tmp_path / "utterances.tsv").write_text("".join(lines))
    options = {
        "simulator": "speech",
        "simulator.pool.folder": tmp_path,
        "simulator.rooms.num_rooms": 1,
        "simulator.num_speakers": "[2,2]",
        "simulator.mixing.room": 1.0,
        "task.simulated": 1.0,
        "trainer.max_steps": 1,
    }
    run = assemble(configure(**options))
    simulator = run.model.task.simulator
    assert simulator.pool.speakers == ["ann", "bob"]
    assert simulator.recorder.mixing.room == 1.0
    run.fit()
    assert torch.isfinite(run.trainer.callback_metrics["loss/train"])


@pytest.fixture
def recurrent(tiny) -> dict:
    """Options of a small `PyanNet` instead of the small Conformer."""
    absent = dict.fromkeys(name for name in tiny if name.startswith("model."))
    return {**absent, "model": "PyanNet", "model.lstm.hidden_size": 4}


def test_a_teacher_is_distilled_layer_by_layer(configure, recurrent, tmp_path):
    steps = {**recurrent, "trainer.max_steps": 1}
    first = assemble(configure(**steps))
    assert first.model.hparams.lstm["monolithic"]
    first.fit()
    teacher = first.trainer.checkpoint_callback.best_model_path
    distillation = {
        "run": tmp_path / "student",
        "model.lstm.monolithic": False,
        "distillation": "teacher",
        "distillation.teacher.checkpoint": teacher,
        "distillation.layers": "[lstm.0,lstm.1,linear.0]",
        "distillation.teacher_forcing_steps": 1,
        "distillation.reference": 0.0,
    }
    run = assemble(configure(**steps, **distillation))
    run.fit()
    metrics = run.trainer.callback_metrics
    parts = [
        metrics[f"loss/train/{part}"]
        for part in ("divergence", "lstm.0", "lstm.1", "linear.0")
    ]
    torch.testing.assert_close(metrics["loss/train"], sum(parts))


def test_half_precision_and_gradient_checkpointing(configure, recurrent):
    run = assemble(
        configure(
            **recurrent,
            gradient_checkpointing=True,
            trainer__precision="bf16-mixed",
            trainer__max_steps=1,
        )
    )
    run.fit()
    assert run.trainer.global_step == 1
    assert torch.isfinite(run.trainer.callback_metrics["loss/train"])


@pytest.mark.parametrize(
    ("options", "message"),
    [
        ({"protocol": "No.SpeakerDiarization.Such"}, "no protocol called"),
        (
            {"+task.duratoin": 2.0},
            r"PowersetDiarization: duratoin\. Did you mean duration\?",
        ),
        (
            {"task.duration": 8.0},
            r"below 8 s, the duration of a chunk.*: task\.duration=6",
        ),
        (
            {"protocol": "Noise.SpeakerDiarization.NoDevelopment"},
            "no development subset.*~callbacks.early_stopping",
        ),
        (
            {"task.max_speakers_per_chunk": 1, "task.max_speakers_per_frame": 1},
            r"chunks: at most 2 speakers in 1 s, more than 1 in 17 % of chunks.* "
            r"use task\.max_speakers_per_chunk=2, .*max_crowded",
        ),
        ({"simulator": "speech"}, "ConversationSimulator needs .*pool.folder"),
        (
            {"simulator": "speech", "simulator.pool.folder": "nowhere"},
            "nowhere/utterances.tsv",
        ),
        ({"task.simulated": 0.5}, "need a `simulator`"),
        ({"distillation": "teacher"}, "Distillation needs .*teacher.checkpoint"),
        (
            {"distillation": "teacher", "distillation.teacher.checkpoint": "no.ckpt"},
            "no file 'no.ckpt'",
        ),
        ({"backbone.lr": 1e-5}, "part of FBankConformer .*'wavlm_model'"),
        ({"+pretrained": "nowhere.ckpt"}, "no file 'nowhere.ckpt'"),
        ({"+resume": "nowhere.ckpt"}, "no 'nowhere.ckpt'"),
        ({"+resume": "recording.wav"}, r"recording\.wav' is damaged or no file of w"),
        ({"task.duration": "five"}, "`duration` should be of type float, got 'five'"),
        ({"task.batch_size": 2.5}, "`batch_size` should be of type int, got 2.5"),
        ({"trainer.max_epochs": "x"}, "`max_epochs` should be of type .*int"),
        ({"patience": "x"}, "`patience` should be of type int, got 'x'"),
        ({"max_crowded": "x"}, "`max_crowded` should be of type float, got 'x'"),
        ({"gradient_checkpointing": 0.5}, "`gradient_.*` should be of type bool"),
        ({"optimizer.lr": -1}, "Invalid learning rate: -1"),
        ({"optimizer.lr": "nan"}, "Invalid learning rate: nan"),
        ({"+callbacks.own": 1}, "should hold `_target_`.* got 1"),
        ({"model.n_mels": 0}, "`n_mels` should be at least 1, got 0"),
        ({"model.attention_in": 0}, "`attention_in` should be at least 1, got 0"),
        ({"task.duration": 0}, "`duration` should be at least 0.01, got 0"),
    ],
)
def test_errors_are_raised_before_training(
    configure, options, message, tmp_path, monkeypatch
):
    monkeypatch.chdir(tmp_path)
    Path("recording.wav").write_bytes(b"RIFF0000WAVE")
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        assemble(configure(**options))


def test_a_shipped_protocol_lacks_its_files_only(configure, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    for content in ("configs", "databases"):  # of other tests
        monkeypatch.setattr(registry, content, {})
    name = "AMI-SDM.SpeakerDiarization.only_words"
    config = configure(**{"protocol": name, "+database": None})
    with pytest.raises(ValueError, match=r"`uri` of train: missing .*prepare"):
        assemble(config)


@pytest.mark.parametrize(
    ("name", "content", "message"),
    [
        (
            "all.rttm",
            "SPEAKER a 1 NaN 1.5 <NA> <NA> a0 <NA> <NA>",
            r"all\.rttm', line 1",
        ),
        (
            "all.uem",
            "a 1 0.0 9.0\nb 1 0.0 6.0\nc 1 0.0 6.0",
            "line 1: the region ends at 9 s",
        ),
        ("a.wav", None, r"database\.yml': audio .*missing.* '.*a\.wav'"),
        ("a.wav", "", "the audio of 'a' cannot be used"),
    ],
)
def test_files_are_checked_before_training(
    configure, database, tmp_path, name, content, message
):
    folder = tmp_path / "data"
    shutil.copytree(database.parent, folder)
    definition = folder / "database.yml"
    definition.write_text(
        definition.read_text().replace(str(database.parent), str(folder))
    )
    (folder / name).unlink()
    if content is not None:
        (folder / name).write_text(content)
    with pytest.raises((ValueError, FileNotFoundError), match=message):
        assemble(configure(**{"+database": definition}))


def test_an_embedding_trains_too(configure, tiny):
    absent = dict.fromkeys(
        name for name in tiny if name.startswith("model.") or "speakers" in name
    )
    run = assemble(
        configure(
            **absent,
            task="SpeakerEmbedding",
            model="SpeakerResNet",
            model__channels="[4,4]",
            model__blocks="[1,1]",
            task__min_duration=1.0,
            task__excerpt_duration=1.0,
            trainer__max_steps=1,
        )
    )
    run.fit()
    assert run.trainer.global_step == 1


def test_seeds_give_different_models(configure):
    first, other, again = (
        assemble(configure(seed=seed)).model.proj.weight for seed in (1, 2, 1)
    )
    assert torch.equal(first, again)
    assert not torch.equal(first, other)
