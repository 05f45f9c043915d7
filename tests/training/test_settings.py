# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Settings that seldom work are found, those of the recipes are left in peace."""

import pytest
from omegaconf import OmegaConf

from pyannote_diarizen.training.settings import examine_batches, examine_rates


def config(**options):
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
        ({"optimizer": {"_target_": "mine.Own"}}, "ok", "what mine.Own takes"),
        ({"optimizer__lr": 2e-5, "backbone__lr": 1e-3}, "error", "are they swapped"),
        ({"backbone__lr": None}, "warning", "forget"),
        ({"backbone__lr": 5e-4}, "warning", "forget"),
        ({"optimizer__lr": 1.0, "backbone__frozen": True}, "warning", "unusual"),
    ],
)
def test_learning_rates(options, status, text):
    finding = examine_rates(config(**options))
    assert finding.status == status
    assert text in finding.text
    assert bool(finding.remedy) == (status != "ok")


def test_a_checkpoint_has_learned_too():
    options = {"backbone__lr": None, "model__wavlm": None, "pretrained": "a.ckpt"}
    assert examine_rates(config(**options)).status == "warning"


@pytest.mark.parametrize(
    ("options", "told"),
    [
        ({}, ["ok batches: 16 chunks of 8 s per step, about 282 steps per epoch"]),
        (
            {"trainer__devices": 2, "trainer__accumulate_grad_batches": 3},
            ["ok batches: 96 chunks of 8 s per step, about 47 steps per epoch"],
        ),
        ({"task__batch_size": 4}, ["warning batches: 4 .* noise"]),
        ({"task__batches_per_epoch": 4}, ["warning batches: .* 4 steps .* too often"]),
        (
            {"scheduler__warm_up": 20000},
            ["ok", "warning schedule: the warm-up takes 20000 of some 28200 steps"],
        ),
    ],
)
def test_batches(options, told):
    findings = list(examine_batches(config(**options), hours=10.0))
    assert len(findings) == len(told)
    for finding, pattern in zip(findings, told, strict=True):
        status, _, text = pattern.partition(" ")
        assert finding.status == status
        assert all(word in finding.text for word in text.split(" .* "))
