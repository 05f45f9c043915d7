# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""A fingerprint follows the weights and nothing else."""

from pathlib import Path

import torch
from pyannote.audio.core.task import Problem, Resolution, Specifications

from pyannote_diarizen.models import SpeakerResNet
from pyannote_diarizen.models.checkpoint import load_model, save_model
from pyannote_diarizen.models.fingerprint import fingerprint


def resnet(seed: int) -> SpeakerResNet:
    torch.manual_seed(seed)
    model = SpeakerResNet(channels=(4, 8), blocks=(1, 1), dimension=16)
    model.specifications = Specifications(
        problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=2.0
    )
    return model.eval()


def test_same_weights_same_fingerprint(tmp_path: Path):
    model = resnet(1)
    before = fingerprint(model)
    assert fingerprint(resnet(1)) == before
    model.double()
    assert fingerprint(model) == before
    model.float()
    model(torch.zeros(1, 1, 16000))
    assert fingerprint(model) == before
    save_model(model, tmp_path / "pytorch_model.bin")
    assert fingerprint(load_model(tmp_path)) == before


def test_other_weights_other_fingerprint():
    model = resnet(1)
    before = fingerprint(model)
    assert fingerprint(resnet(2)) != before
    next(model.parameters()).data.view(-1)[0] += 1e-3
    assert fingerprint(model) != before
