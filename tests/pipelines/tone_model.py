# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Models that detect tones: test doubles with known outputs.

A speaker is a tone; `tones` makes conversations.
"""

from collections import Counter
from collections.abc import Iterable

import numpy as np
import pytest
import torch
from pyannote.audio.core.model import Model
from pyannote.audio.core.task import Problem, Resolution, Specifications
from pyannote.audio.models.blocks.pooling import StatsPool
from pyannote.audio.utils.powerset import Powerset
from pyannote.audio.utils.receptive_field import (
    conv1d_num_frames,
    conv1d_receptive_field_center,
    conv1d_receptive_field_size,
)

SAMPLE_RATE = 16000
FREQUENCIES = (320, 720, 1520)
TURNS = [(0.4, 2.6, 0), (2.8, 5.0, 1), (4.5, 6.2, 2), (6.8, 8.1, 0), (8.3, 9.9, 1)]
DURATION = 10.3
CONV = {"kernel_size": 400, "stride": 320, "padding": 0, "dilation": 1}


class ToneModel(Model):
    """Amplitude of each tone every 20 ms."""

    def __init__(self, task=None):
        super().__init__(sample_rate=SAMPLE_RATE, num_channels=1, task=task)
        phase = np.outer(np.arange(400) / SAMPLE_RATE, 2 * np.pi * np.r_[FREQUENCIES])
        basis = np.exp(-1j * phase) / 200
        self.register_buffer("basis", torch.tensor(basis, dtype=torch.complex64))

    def num_frames(self, num_samples: int) -> int:
        return conv1d_num_frames(num_samples, **CONV)

    def receptive_field_size(self, num_frames: int = 1) -> int:
        return conv1d_receptive_field_size(num_frames, **CONV)

    def receptive_field_center(self, frame: int = 0) -> int:
        return conv1d_receptive_field_center(frame, **CONV)

    def amplitudes(self, waveforms: torch.Tensor) -> torch.Tensor:
        """(batch, frames, tones) of (batch, 1, samples)."""
        frames = waveforms.squeeze(1).unfold(-1, 400, 320)
        return (frames.to(torch.complex64) @ self.basis).abs()


class ToneSegmentation(ToneModel):
    """One speaker per tone, numbered by order of appearance in the chunk."""

    def __init__(self, powerset: bool = True, duration: float = 2.0, task=None):
        super().__init__(task=task)
        self.save_hyperparameters("powerset", "duration")
        self.specifications = Specifications(
            problem=(
                Problem.MONO_LABEL_CLASSIFICATION
                if powerset
                else Problem.MULTI_LABEL_CLASSIFICATION
            ),
            resolution=Resolution.FRAME,
            duration=duration,
            classes=[f"speaker#{k}" for k in range(len(FREQUENCIES))],
            powerset_max_classes=2 if powerset else None,
            permutation_invariant=True,
        )

    def forward(self, waveforms: torch.Tensor) -> torch.Tensor:
        active = (self.amplitudes(waveforms) > 0.1).float()
        # (batch, frames, speakers); speakers who never speak come last
        first = torch.where(active.any(1), active.argmax(1), active.shape[1])
        order = first.argsort(dim=1, stable=True)
        active = active.gather(2, order[:, None].expand_as(active))
        if not self.hparams.powerset:
            return 0.1 + 0.8 * active
        mapping = Powerset(len(FREQUENCIES), 2).mapping.to(active)
        distance = (active[:, :, None] - mapping).abs().sum(dim=-1)
        return torch.log_softmax(-10 * distance, dim=-1)


class ToneEmbedding(ToneModel):
    """Mean and deviation of amplitudes, one pass for all speakers of a chunk."""

    dimension = 2 * len(FREQUENCIES)

    def __init__(self, task=None):
        super().__init__(task=task)
        self.pool = StatsPool()
        self.specifications = Specifications(
            problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=2.0
        )

    def forward_frames(self, waveforms: torch.Tensor) -> torch.Tensor:
        return self.amplitudes(waveforms).transpose(1, 2)

    def forward_embedding(self, frames, weights=None) -> torch.Tensor:
        return self.pool(frames, weights=weights)

    def forward(self, waveforms: torch.Tensor, weights=None) -> torch.Tensor:
        return self.forward_embedding(self.forward_frames(waveforms), weights)


def tones(
    turns: Iterable[tuple[float, float, int]], duration: float, seed: int = 0
) -> torch.Tensor:
    """(1, num_samples) waveform with one tone per (start, end, speaker) turn."""
    time = np.arange(round(duration * SAMPLE_RATE)) / SAMPLE_RATE
    waveform = 1e-3 * np.random.default_rng(seed).standard_normal(time.shape)
    for start, end, speaker in turns:
        tone = 0.3 * np.sin(2 * np.pi * FREQUENCIES[speaker] * time)
        waveform += np.where((start <= time) & (time < end), tone, 0.0)
    return torch.tensor(waveform, dtype=torch.float32)[None]


def count_passes(monkeypatch: pytest.MonkeyPatch) -> Counter:
    """Count, from now on, the batches that go through each network."""
    passes = Counter()
    amplitudes = ToneModel.amplitudes

    def spy(model, waveforms):
        passes[type(model).__name__] += 1
        return amplitudes(model, waveforms)

    monkeypatch.setattr(ToneModel, "amplitudes", spy)
    return passes
