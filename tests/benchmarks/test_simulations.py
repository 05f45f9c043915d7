# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Simulated conversations to measure pipelines on."""

import numpy as np
import pytest

from pyannote_diarizen.simulation.simulator import TurnTaking
from pyannote_diarizen.simulation.speech import SpeechPool


@pytest.fixture
def simulations(load_benchmark, monkeypatch, rng):
    """Conversations of ten noises."""
    module = load_benchmark("simulations")
    monkeypatch.setattr(module, "DURATION", (30.0, 60.0))
    noise = rng.integers(-9000, 9000, 32000).astype(np.int16)
    pool = SpeechPool.from_utterances([("noises", str(n), noise) for n in range(10)])
    return module.Simulations(pool, TurnTaking())


def test_durations_and_numbers_of_speakers_are_in_range(simulations):
    for file in simulations.files(8):
        duration = file["waveform"].shape[1] / file["sample_rate"]
        assert 30 <= duration <= 60
        assert 1 <= len(file["annotation"].labels()) <= duration / 12


def test_a_larger_set_begins_with_the_same_conversations(simulations):
    first, second = simulations.files(2)
    again = simulations.file(1)
    assert again["uri"] == second["uri"] != first["uri"]
    assert again["annotation"] == second["annotation"]
    assert again["waveform"].equal(second["waveform"])
