# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Pools that decode the speakers that are drawn."""

import pickle
from pathlib import Path

import numpy as np
import numpy.testing as npt
import pytest
import soundfile

from pyannote_diarizen.errors import AudioFileError, NoSpeechError
from pyannote_diarizen.simulation.lazy_speech import LazySpeechPool
from pyannote_diarizen.simulation.simulator import ConversationSimulator
from pyannote_diarizen.simulation.speech import SpeechPool

RATE = 16000
SPEAKERS = {"ann": 2, "bob": 3, "eve": 1}
"""Number of utterances of each speaker."""


@pytest.fixture
def folder(tmp_path: Path, rng: np.random.Generator) -> Path:
    """Three speakers, of two sources, with utterances of one to two seconds."""
    lines = ["source\tspeaker\tsplit\tfile\tstart_sample\tnum_samples\n"]
    for name, num_utterances in SPEAKERS.items():
        waveform = np.empty(0)
        for num_samples in rng.integers(RATE, 2 * RATE, size=num_utterances):
            source = "far" if name == "bob" else "near"
            row = (source, name, "train", f"{name}.wav", len(waveform), num_samples)
            lines.append("\t".join(map(str, row)) + "\n")
            tone = 0.2 * np.sin(0.3 * np.arange(num_samples))
            waveform = np.append(waveform, tone)
        soundfile.write(tmp_path / f"{name}.wav", waveform, RATE)
    (tmp_path / "utterances.tsv").write_text("".join(lines))
    return tmp_path


@pytest.fixture
def lazy(folder: Path) -> LazySpeechPool:
    return LazySpeechPool(folder, cache=folder / "cache")


def silence(folder: Path, *names: str) -> None:
    for name in names:
        path = folder / f"{name}.wav"
        soundfile.write(path, np.zeros(soundfile.info(path).frames), RATE)


def test_conversations_are_those_of_the_whole_pool(folder, lazy):
    whole = SpeechPool.from_folder(folder, cache=folder / "whole")
    assert (lazy.speakers, lazy.sources) == (whole.speakers, whole.sources)
    lazy.durations = whole.durations  # without the silence at both ends
    first, second = (
        ConversationSimulator(pool, num_speakers=(1, 3)) for pool in (whole, lazy)
    )
    for seed in range(4):
        expected = first.simulate(6.0, np.random.default_rng(seed))
        got = second.simulate(6.0, np.random.default_rng(seed))
        assert got.turns == expected.turns
        npt.assert_array_equal(got.waveform, expected.waveform)


def test_durations_are_those_of_the_list(folder, lazy):
    frames = [soundfile.info(folder / f"{name}.wav").frames for name in SPEAKERS]
    npt.assert_allclose(lazy.durations, np.array(frames) / RATE)
    assert len(lazy) == sum(SPEAKERS.values())


def test_only_selected_speakers_are_decoded(folder, lazy):
    (folder / "ann.wav").unlink()
    pool, indices = lazy.select([2, 1])
    assert (pool.speakers, list(indices)) == (["eve", "bob"], [0, 1])
    with pytest.raises(AudioFileError, match="ann"):
        lazy.select([0])


def test_speakers_are_decoded_once(folder, lazy, monkeypatch):
    first, _ = lazy.select([1])
    monkeypatch.setattr("pyannote_diarizen.simulation.speech.decode", None)
    for pool in (lazy, LazySpeechPool(folder, cache=folder / "cache")):
        again, _ = pool.select([1])
        end = len(first.samples)
        npt.assert_array_equal(again.samples[0:end], first.samples[0:end])


def test_speakers_of_conversations_are_decoded_before_them(folder, lazy):
    simulator = ConversationSimulator(lazy, num_speakers=(1, 2), speed=(0.9, 1.1))
    seeds = range(4)
    expected = [simulator.simulate(2.0, np.random.default_rng(seed)) for seed in seeds]
    drawn = {speaker for each in expected for speaker in each.speakers}
    fresh = ConversationSimulator(
        LazySpeechPool(folder, cache=folder / "other"),
        num_speakers=(1, 2),
        speed=(0.9, 1.1),
    )
    fresh.prepare(np.random.default_rng(seed) for seed in seeds)
    for path in folder.glob("*.wav"):
        path.unlink()
    assert drawn
    for seed, conversation in zip(seeds, expected, strict=True):
        again = fresh.simulate(2.0, np.random.default_rng(seed))
        npt.assert_array_equal(again.waveform, conversation.waveform)


def test_other_processes_read_speech_from_the_cache(folder, lazy, monkeypatch):
    decoded, _ = lazy.select([1, 0])
    received = pickle.loads(pickle.dumps(lazy))
    monkeypatch.setattr("pyannote_diarizen.simulation.speech.decode", None)
    again, _ = received.select([1, 0])
    start, end = again.bounds[-1]
    npt.assert_array_equal(again.samples[start:end], decoded.samples[start:end])
    assert len(pickle.dumps(lazy)) < RATE


def test_a_cache_that_cannot_be_written_is_one_warning(folder):
    (folder / "file").touch()
    pool = LazySpeechPool(folder, cache=folder / "file")
    with pytest.warns(UserWarning, match="not cached") as warned:
        pool.select([0, 1, 2])
    assert len({str(each.message) for each in warned}) == 1


def test_a_speaker_without_speech_stays_silent(folder, lazy, rng):
    silence(folder, "bob")
    pool, indices = lazy.select([0, 1, 2])
    assert (pool.speakers, list(indices)) == (["ann", "bob", "eve"], [0, 2])
    simulator = ConversationSimulator(lazy, num_speakers=(3, 3))
    assert set(simulator.simulate(30.0, rng).speakers) == {"ann", "eve"}


def test_a_conversation_without_speech_has_no_turn(folder, lazy, rng):
    silence(folder, "ann", "bob")
    lazy.durations = np.array([1.0, 1.0, 0.0])
    simulator = ConversationSimulator(lazy, num_speakers=(2, 2), same_source=0)
    conversation = simulator.simulate(4.0, rng)
    assert conversation.turns == []
    assert conversation.waveform.shape == (4 * RATE,)


def test_a_folder_without_speech_is_an_error(folder, lazy):
    silence(folder, *SPEAKERS)
    with pytest.raises(NoSpeechError, match=f"No speech.*{folder}"):
        lazy.select([0, 1, 2])
