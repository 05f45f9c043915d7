# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""A pool holds the speech of each utterance, and nothing else."""

import numpy as np
import numpy.testing as npt
import pytest
import soundfile

from pyannote_diarizen.errors import AudioFileError
from pyannote_diarizen.simulation.speech import SpeechPool

RATE = 16000


def tone(seconds: float, amplitude: float = 8000) -> np.ndarray:
    """Half a second of silence on both sides of a tone."""
    wave = amplitude * np.sin(0.3 * np.arange(round(seconds * RATE)))
    return np.pad(wave, RATE // 2).astype(np.int16)


@pytest.fixture
def pool() -> SpeechPool:
    """Utterances of 1, 2 and 3 s, the last one loud; a silent one is dropped."""
    return SpeechPool.from_utterances(
        [
            ("near", "ann", tone(1.0)),
            ("far", "bob", tone(2.0)),
            ("far", "eve", np.zeros(RATE, dtype=np.int16)),
            ("near", "ann", tone(3.0, 16000)),
        ]
    )


def test_utterances_are_trimmed(pool):
    lengths = [len(pool.utterance(index)) / RATE for index in range(len(pool))]
    npt.assert_allclose(lengths, [1, 2, 3], atol=0.03)
    assert pool.utterance(2).dtype == np.float32
    npt.assert_allclose(np.abs(pool.utterance(2)).max(), 16000 / 2**15, rtol=1e-3)


def test_speakers_know_their_utterances(pool):
    assert pool.speakers == ["ann", "bob"]
    assert pool.sources == ["near", "far"]
    assert [u.tolist() for u in pool.utterances_of] == [[0, 2], [1]]
    npt.assert_allclose(pool.durations, [4, 2], atol=0.05)


def test_levels_are_those_of_speech(pool):
    expected = np.array([8000, 8000, 16000]) / np.sqrt(2) / 2**15
    npt.assert_allclose(pool.levels, expected, rtol=0.03)


def test_pauses_are_neither_speech_nor_level():
    speech = np.concatenate([tone(1.0), tone(1.0)])
    pool = SpeechPool.from_utterances([("near", "ann", speech)])
    assert pool.first_phrase.tolist() == [0, 2]
    assert len(pool.utterance(0)) == pytest.approx(3 * RATE, abs=RATE // 25)
    npt.assert_allclose(pool.durations, [2], atol=0.05)
    npt.assert_allclose(pool.levels, 8000 / np.sqrt(2) / 2**15, rtol=0.03)


def test_nothing_but_silence_is_an_error():
    with pytest.raises(ValueError, match="any speech"):
        SpeechPool.from_utterances([("near", "ann", np.zeros(RATE, dtype=np.int16))])


def test_what_is_saved_is_loaded(pool, tmp_path):
    pool.save(tmp_path / "pool")
    loaded = SpeechPool.load(tmp_path / "pool")
    assert (loaded.speakers, loaded.sources) == (pool.speakers, pool.sources)
    assert loaded.sample_rate == RATE
    for name in ("samples", "bounds", "phrases", "labels", "levels"):
        npt.assert_array_equal(getattr(loaded, name), getattr(pool, name))


def test_the_cache_is_used_the_second_time(tmp_path):
    folder, cache = tmp_path / "speech", tmp_path / "cache"
    folder.mkdir()
    soundfile.write(folder / "ann.wav", tone(1.0), RATE)
    (folder / "utterances.tsv").write_text(
        "source\tspeaker\tsplit\tfile\tstart_sample\tnum_samples\n"
        "near\tann\ttrain\tann.wav\t0\t32000\n"
    )
    first = SpeechPool.from_folder(folder, cache=cache)
    (folder / "ann.wav").unlink()
    again = SpeechPool.from_folder(folder, cache=cache)
    npt.assert_array_equal(again.samples, first.samples)
    with pytest.raises(AudioFileError):
        SpeechPool.from_folder(folder)
