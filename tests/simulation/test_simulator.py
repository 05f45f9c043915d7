# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Simulated conversations, and their labels."""

from dataclasses import replace
from pathlib import Path

import numpy as np
import numpy.testing as npt
import pytest
from pyannote.core import SlidingWindow
from pyannote.database.util import load_rttm

from pyannote_diarizen.simulation.acoustics import Rooms
from pyannote_diarizen.simulation.simulator import ConversationSimulator, Mixing
from pyannote_diarizen.simulation.speech import SpeechPool
from pyannote_diarizen.simulation.turn_taking import TurnTaking

RATE = 16000
FREQUENCIES = {"a": 500, "b": 1000, "c": 2000}
CLEAN = Mixing(
    room=0.0, snr=(200.0, 200.0), telephone=0.0, tilt=0.0, speaker_spread=0.0
)


@pytest.fixture
def pool(rng: np.random.Generator) -> SpeechPool:
    """Three speakers, each with a tone of its own."""
    utterances = []
    for speaker, frequency in FREQUENCIES.items():
        for seconds in rng.uniform(0.5, 4.0, size=10):
            time = np.arange(round(seconds * RATE)) / RATE
            tone = 8000 * np.sin(2 * np.pi * frequency * time)
            source = "low" if speaker == "a" else "high"
            utterances.append((source, speaker, tone.astype(np.int16)))
    return SpeechPool.from_utterances(utterances)


def loud_frames(waveform: np.ndarray, frequency: float) -> np.ndarray:
    """Whether each frame of 20 ms has a tone."""
    frames = waveform[: len(waveform) // 320 * 320].reshape(-1, 320)
    phase = np.exp(2j * np.pi * frequency * np.arange(320) / RATE)
    level = np.abs(frames @ phase)
    return level > 0.3 * level.max()


def test_same_seed_gives_same_conversation(pool):
    simulator = ConversationSimulator(
        pool, num_speakers=(1, 3), rooms=Rooms.simulate(2)
    )
    first, again = (simulator.simulate(4.0, np.random.default_rng(7)) for _ in range(2))
    assert first.turns == again.turns
    npt.assert_array_equal(first.waveform, again.waveform)
    other = simulator.simulate(4.0, np.random.default_rng(8))
    assert other.turns != first.turns


@pytest.mark.parametrize("speed", [(1.0, 1.0), (1.1, 1.3)])
def test_targets_equal_those_of_the_rttm(pool, rng, tmp_path, speed):
    simulator = ConversationSimulator(pool, num_speakers=(2, 3), speed=speed)
    path = tmp_path / "conversation.rttm"
    for _ in range(10):
        conversation = simulator.simulate(8.0, rng)
        with path.open("w") as file:
            conversation.annotation("conversation").write_rttm(file)
        if not conversation.turns:
            continue
        read = load_rttm(path)["conversation"].itertracks(yield_label=True)
        turns = [(turn.start, turn.end, speaker) for turn, _, speaker in read]
        again = replace(conversation, turns=sorted(turns))
        # steps of WavLM, fbank and PyanNet, and one with centres on milliseconds
        for duration, step in (
            *((0.025, 0.02), (0.025, 0.01)),
            *((0.0619375, 0.016875), (0.002, 0.001)),
        ):
            frames, num_frames = SlidingWindow(duration, step), round(8 / step)
            npt.assert_array_equal(
                conversation.activity(frames, num_frames),
                again.activity(frames, num_frames),
            )


@pytest.mark.parametrize("room", [0.0, 1.0])
def test_labels_follow_the_energy_of_each_speaker(pool, rng, room):
    rooms = Rooms.simulate(4, rt60=(0.1, 0.1), direct_to_reverberant=(25, 25))
    simulator = ConversationSimulator(
        pool,
        num_speakers=(2, 3),
        mixing=replace(CLEAN, room=room),
        rooms=rooms,
        turn_taking=TurnTaking(silence=0.0),
    )
    agreement = []
    for _ in range(10):
        conversation = simulator.simulate(8.0, rng)
        activity = conversation.activity(SlidingWindow(0.02, 0.02), 400)
        for index, speaker in enumerate(conversation.speakers):
            heard = loud_frames(conversation.waveform, FREQUENCIES[speaker])
            agreement.append(np.mean(heard == activity[:, index]))
    assert np.mean(agreement) > 0.98


@pytest.mark.parametrize("speed", [0.8, 1.25])
def test_speed_is_that_of_pitch_and_labels(pool, rng, speed):
    simulator = ConversationSimulator(
        pool, num_speakers=(2, 2), mixing=CLEAN, speed=(speed, speed)
    )
    conversation = simulator.simulate(20.0, rng)
    assert len(conversation.waveform) == 20 * RATE
    frames = SlidingWindow(duration=0.02, step=0.02)
    activity = conversation.activity(frames, 1000)
    for speaker, active in zip(conversation.speakers, activity.T, strict=True):
        note = speed * FREQUENCIES[speaker]
        loud = loud_frames(conversation.waveform, note)
        assert np.mean(loud == active) > 0.9, speaker


def test_speeds_are_drawn_between_bounds(pool, rng):
    simulator = ConversationSimulator(pool, num_speakers=(1, 2), speed=(0.5, 2.0))
    drawn = np.log2([simulator._draw_speed(rng) for _ in range(200)])
    assert -1 <= drawn.min() < -0.9
    assert 0.9 < drawn.max() <= 1
    with pytest.raises(ValueError, match=r"`speed` should be \(min, max\) above 0"):
        ConversationSimulator(pool, num_speakers=(1, 2), speed=(0.0, 1.0))


def test_silence_is_noise_without_speaker(pool, rng):
    simulator = ConversationSimulator(
        pool, num_speakers=(1, 3), turn_taking=TurnTaking(silence=1.0)
    )
    conversation = simulator.simulate(2.0, rng)
    assert conversation.turns == []
    assert conversation.activity(SlidingWindow(0.02, 0.02), 100).shape == (100, 0)
    assert np.std(conversation.waveform) > 0


def test_turns_are_joined_over_short_pauses(pool):
    turns = []
    for min_pause in (0.25, 1.0):
        simulator = ConversationSimulator(
            pool, num_speakers=(2, 2), min_pause=min_pause
        )
        rng = np.random.default_rng(3)
        turns.append(len(simulator.simulate(60.0, rng).turns))
    assert turns[1] < turns[0]


def test_speakers_come_from_one_source(pool, rng):
    simulator = ConversationSimulator(pool, num_speakers=(2, 2), same_source=1.0)
    pairs = [frozenset(simulator.simulate(20.0, rng).speakers) for _ in range(30)]
    # "a" is alone in its source: it may meet anyone
    assert pairs.count(frozenset("bc")) > 15


def test_more_speakers_than_the_pool_has_is_an_error(pool):
    with pytest.raises(ValueError, match="3 speakers of the pool"):
        ConversationSimulator(pool, num_speakers=(1, 4))


def test_annotation_has_the_turns(pool, rng):
    simulator = ConversationSimulator(pool, num_speakers=(3, 3), mixing=CLEAN)
    conversation = simulator.simulate(10.0, rng)
    annotation = conversation.annotation("file")
    assert annotation.uri == "file"
    turns = [(s.start, s.end, k) for s, _, k in annotation.itertracks(yield_label=True)]
    assert sorted(turns) == conversation.turns
    assert conversation.duration == 10


def test_real_speech_is_labelled_where_it_is_loud(shared: Path, rng):
    pool = SpeechPool.from_folder(shared / "speech", "dev", ["speechocean762"])
    simulator = ConversationSimulator(pool, num_speakers=(2, 3), mixing=CLEAN)
    energies, labels = [], []
    for _ in range(10):
        conversation = simulator.simulate(8.0, rng)
        activity = conversation.activity(SlidingWindow(0.02, 0.02), 400)
        frames = conversation.waveform.reshape(400, 320)
        energies.append(np.mean(frames**2, axis=1))
        labels.append(activity.any(axis=1))
    energy, speech = np.concatenate(energies), np.concatenate(labels)
    assert 0.5 < speech.mean() < 0.95
    assert energy[speech].sum() > 0.999 * energy.sum()
