# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Labels of simulated conversations are those of the speech in them."""

import numpy as np
import numpy.testing as npt
import pytest
from pyannote.core import SlidingWindow

from pyannote_diarizen.data.acoustics import Rooms
from pyannote_diarizen.data.simulation import ConversationSimulator, Mixing
from pyannote_diarizen.data.speech import SpeechPool

RATE = 16000
FREQUENCIES = {"a": 500, "b": 1000, "c": 2000}
CLEAN = Mixing(snr=(200.0, 200.0), telephone=0.0, tilt=0.0, speaker_spread=0.0)


@pytest.fixture
def pool(rng: np.random.Generator) -> SpeechPool:
    """Three speakers who hum one note each."""
    utterances = []
    for speaker, frequency in FREQUENCIES.items():
        for seconds in rng.uniform(0.5, 4.0, size=10):
            time = np.arange(round(seconds * RATE)) / RATE
            tone = 8000 * np.sin(2 * np.pi * frequency * time)
            utterances.append(("tones", speaker, tone.astype(np.int16)))
    return SpeechPool.from_utterances(utterances)


def loud_frames(waveform: np.ndarray, frequency: float) -> np.ndarray:
    """Whether each frame of 20 ms holds a note."""
    frames = waveform[: len(waveform) // 320 * 320].reshape(-1, 320)
    phase = np.exp(2j * np.pi * frequency * np.arange(320) / RATE)
    level = np.abs(frames @ phase)
    return level > 0.3 * level.max()


def test_same_seed_gives_same_conversation(pool: SpeechPool) -> None:
    simulator = ConversationSimulator(
        pool, num_speakers=(1, 3), rooms=Rooms.simulate(2)
    )
    first, again = (simulator.simulate(4.0, np.random.default_rng(7)) for _ in range(2))
    assert first.turns == again.turns
    npt.assert_array_equal(first.waveform, again.waveform)


@pytest.mark.parametrize("room", [0.0, 1.0])
def test_labels_follow_the_energy_of_each_speaker(
    pool: SpeechPool, rng: np.random.Generator, room: float
) -> None:
    mixing = Mixing(**{**CLEAN.__dict__, "room": room})
    simulator = ConversationSimulator(
        pool,
        num_speakers=(2, 3),
        mixing=mixing,
        rooms=Rooms.simulate(4, rt60=(0.1, 0.1), direct_to_reverberant=(25, 25)),
    )
    agreement = []
    for _ in range(10):
        conversation = simulator.simulate(8.0, rng)
        activity = conversation.activity(SlidingWindow(0.02, 0.02), 400)
        for index, speaker in enumerate(conversation.speakers):
            heard = loud_frames(conversation.waveform, FREQUENCIES[speaker])
            agreement.append(np.mean(heard == activity[:, index]))
    assert np.mean(agreement) > 0.97
