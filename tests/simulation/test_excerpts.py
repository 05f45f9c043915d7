# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import numpy as np
import pytest

from pyannote_diarizen.simulation.excerpts import Excerpt, cut_excerpts, read_excerpt
from pyannote_diarizen.simulation.speech import SpeechPool

SAMPLE_RATE = 16000


@pytest.fixture
def pool() -> SpeechPool:
    """Tones: 0.4 s and 2.5 s of one speaker, 0.3 s of another in between."""

    def tone(duration: float) -> np.ndarray:
        time = np.arange(round(duration * SAMPLE_RATE)) / SAMPLE_RATE
        return (8000 * np.sin(2 * np.pi * 440 * time)).astype(np.int16)

    return SpeechPool.from_utterances(
        [("a", "Ann", tone(0.4)), ("a", "Bob", tone(0.3)), ("a", "Ann", tone(2.5))]
    )


def test_short_utterances_are_joined_and_long_ones_cut(pool: SpeechPool) -> None:
    excerpts = cut_excerpts(pool, duration=1.0, min_duration=0.5)
    assert [excerpt.speaker for excerpt in excerpts] == [0, 0, 0]
    assert [excerpt.num_samples for excerpt in excerpts[:2]] == [SAMPLE_RATE] * 2
    # 0.4 s, 0.3 s of somebody else left out, then 0.6 s
    assert excerpts[0].pieces == ((0, 6400), (11200, 20800))
    assert excerpts[2].num_samples == pytest.approx(0.9 * SAMPLE_RATE, abs=320)


def test_speech_is_used_once(pool: SpeechPool) -> None:
    used = np.zeros(len(pool.samples), dtype=int)
    for excerpt in cut_excerpts(pool, duration=0.25, min_duration=0.001):
        for start, end in excerpt.pieces:
            used[start:end] += 1
    assert (used == 1).all()


def test_pieces_are_read_in_order(pool: SpeechPool) -> None:
    excerpt = Excerpt(0, ((100, 200), (50, 80)))
    joined = np.concatenate([pool.samples[100:200], pool.samples[50:80]])
    np.testing.assert_array_equal(read_excerpt(pool, excerpt), joined / 2**15)
    np.testing.assert_array_equal(
        read_excerpt(pool, excerpt, start=90, num_samples=20), joined[90:110] / 2**15
    )


@pytest.mark.parametrize("speed", [0.9, 1.1])
def test_faster_is_shorter_and_higher(pool: SpeechPool, speed: float) -> None:
    excerpt = Excerpt(0, ((11200, 11200 + SAMPLE_RATE),))
    played = read_excerpt(pool, excerpt, speed)
    assert len(played) == pytest.approx(SAMPLE_RATE / speed, abs=1)
    strongest = np.abs(np.fft.rfft(played)).argmax() * SAMPLE_RATE / len(played)
    assert strongest == pytest.approx(440 * speed, abs=2)


@pytest.mark.parametrize("speed", [0.9, 1.1])
def test_crop_is_part_of_the_whole(pool: SpeechPool, speed: float) -> None:
    excerpt = Excerpt(0, ((11200, 11200 + SAMPLE_RATE),))
    # 990 and 1980 samples of the recording at either speed
    start = round(990 / speed)
    crop = read_excerpt(pool, excerpt, speed, start, num_samples=2000)
    whole = read_excerpt(pool, excerpt, speed)[start : start + 2000]
    assert len(crop) == 2000
    inside = slice(50, -50)  # away from where resampling meets an edge
    np.testing.assert_allclose(crop[inside], whole[inside], atol=1e-3)


def test_crop_past_the_end_is_shorter(pool: SpeechPool) -> None:
    excerpt = Excerpt(0, ((0, 1000),))
    assert len(read_excerpt(pool, excerpt, start=900, num_samples=500)) == 100
