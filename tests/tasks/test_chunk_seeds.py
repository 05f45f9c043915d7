# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Random numbers of chunks, which leave those of the training as they are."""

import random

import numpy as np
import torch

from pyannote_diarizen.tasks.chunk_seeds import seeded


def draw() -> tuple[float, float, float]:
    return random.random(), np.random.rand(), torch.rand(()).item()  # noqa: NPY002


def test_generators_are_seeded_and_restored(monkeypatch):
    gpus = []
    with seeded(3):
        expected = draw()
    with seeded(4):
        outside = draw()
        monkeypatch.setattr(torch.cuda, "manual_seed_all", gpus.append)
        with seeded(3):
            assert draw() == expected
        after = draw()
    with seeded(4):
        assert (draw(), draw()) == (outside, after)
    assert gpus == []
