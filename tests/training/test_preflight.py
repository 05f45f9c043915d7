# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Checks before a training: settings, and the run as a whole."""

from pathlib import Path

import pytest
from omegaconf import OmegaConf

from pyannote_diarizen.findings import Finding, require
from pyannote_diarizen.training.preflight import (
    check_batches,
    check_rates,
    check_training,
    read_config,
)


def findings(config, folder) -> dict[str, str]:
    """Status by topic, of a configuration that was written and read again."""
    OmegaConf.save(config, folder / "config.yaml")
    found = check_training(read_config(folder))
    return {finding.text.partition(":")[0]: finding.status for finding in found}


def test_all_checks_of_a_training(configure, tmp_path):
    assert findings(configure(), tmp_path) == {
        "learning rates": "ok",
        "batches": "warning",  # of two chunks
        "train": "ok",
        "development": "ok",
        "speakers": "ok",
        "chunks": "ok",
        "classes": "ok",
        "audio": "ok",
    }


def test_early_stopping_needs_a_development_subset(configure, tmp_path):
    config = configure(protocol="Noise.SpeakerDiarization.NoDevelopment")
    assert findings(config, tmp_path)["development"] == "error"
    config.callbacks.early_stopping = None
    assert findings(config, tmp_path)["development"] == "warning"


def test_chunks_longer_than_files_and_missing_protocols_are_errors(configure, tmp_path):
    found = findings(configure(task__duration=20.0), tmp_path)
    assert (found["train"], found["audio"]) == ("error", "ok")
    found = findings(configure(protocol="A.SpeakerDiarization.B"), tmp_path)
    assert found == {"learning rates": "ok", "task": "error"}


def test_embedding_models_have_no_classes_to_check(configure, tmp_path):
    config = configure(
        task="SpeakerEmbedding", task__duration=2.0, task__max_speakers_per_chunk=None
    )
    found = findings(config, tmp_path)
    assert found["train"] == "ok"
    assert not found.keys() & {"task", "chunks", "classes"}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("task: {}", "it lacks protocol, model"),
        ("- a\n- b", "is no configuration of a training"),
        ("a: [", "is no YAML"),
    ],
)
def test_other_files_are_refused(tmp_path, text, message):
    (tmp_path / "config.yaml").write_text(text)
    with pytest.raises(ValueError, match=message):
        read_config(tmp_path)
    with pytest.raises(FileNotFoundError, match="no configuration"):
        read_config(tmp_path / "other.yaml")


def test_missing_audio_is_the_last_finding(configure, tmp_path):
    database = tmp_path / "database.yml"
    config = configure()
    text = Path(config.database).read_text()
    folder = Path(config.database).parent
    for name in ("train.lst", "development.lst", "all.rttm"):
        (tmp_path / name).write_text((folder / name).read_text())
    # no UEM, so that the annotated part depends on the audio
    text = text.replace(", annotated: all.uem", "").replace(str(folder), "nowhere")
    database.write_text(text)
    config.database = str(database)
    (tmp_path / "run").mkdir()
    found = findings(config, tmp_path / "run")
    *_, last = found
    assert found[last] == "error"
    assert last == "audio of development"


def test_the_first_error_is_raised():
    require([Finding("ok", "a"), Finding("warning", "b")])
    errors = [Finding("error", "c: wrong", "mend it"), Finding("error", "d")]
    with pytest.raises(ValueError, match=r"^c: wrong: mend it\. 1 more error\.$"):
        require(errors)


def settings(**options):
    made = OmegaConf.create(
        {
            "model": {"wavlm": "microsoft/wavlm-base-plus"},
            "optimizer": {"_target_": "torch.optim.AdamW", "lr": 1e-3},
            "backbone": {"lr": 2e-5, "frozen": False},
            "scheduler": {"warm_up": 0},
            "task": {"batch_size": 16, "duration": 8.0, "batches_per_epoch": None},
            "trainer": {
                "devices": "auto",
                "num_nodes": 1,
                "accumulate_grad_batches": 1,
                "max_epochs": 100,
            },
        }
    )
    for name, value in options.items():
        OmegaConf.update(made, name.replace("__", "."), value, merge=False)
    return made


@pytest.mark.parametrize(
    ("options", "status", "text"),
    [
        ({}, "ok", "head 0.001, backbone 2e-05"),
        ({"backbone__lr": None, "backbone__frozen": True}, "ok", "backbone frozen"),
        ({"backbone__lr": None, "model__wavlm": None}, "ok", "0.001 for all"),
        ({"optimizer": {"_target_": "mine.Own"}}, "ok", "default of mine.Own"),
        ({"optimizer__lr": 2e-5, "backbone__lr": 1e-3}, "error", "are they swapped"),
        ({"backbone__lr": None}, "warning", "too high for pretrained"),
        ({"backbone__lr": 5e-4}, "warning", "too high for pretrained"),
        ({"optimizer__lr": 1.0, "backbone__frozen": True}, "warning", "unusual"),
    ],
)
def test_learning_rates(options, status, text):
    finding = check_rates(settings(**options))
    assert finding.status == status
    assert text in finding.text
    assert bool(finding.remedy) == (status != "ok")


def test_a_checkpoint_is_pretrained_too():
    options = {"backbone__lr": None, "model__wavlm": None, "pretrained": "a.ckpt"}
    assert check_rates(settings(**options)).status == "warning"


@pytest.mark.parametrize(
    ("options", "expected"),
    [
        ({}, ["ok batches: 16 chunks of 8 s per step, about 282 steps per epoch"]),
        (
            {"trainer__devices": 2, "trainer__accumulate_grad_batches": 3},
            ["ok batches: 96 chunks of 8 s per step, about 47 steps per epoch"],
        ),
        ({"task__batch_size": 4}, ["warning batches: 4 .* noisy"]),
        (
            {"task__batches_per_epoch": 4},
            ["warning batches: .* 4 steps .* too frequent"],
        ),
        (
            {"scheduler__warm_up": 20000},
            ["ok", "warning schedule: the warm-up takes 20000 of about 28200 steps"],
        ),
    ],
)
def test_batches(options, expected):
    findings = list(check_batches(settings(**options), hours=10.0))
    assert len(findings) == len(expected)
    for finding, pattern in zip(findings, expected, strict=True):
        status, _, text = pattern.partition(" ")
        assert finding.status == status
        assert all(word in finding.text for word in text.split(" .* "))
