# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Speakers of words."""

import time

import pytest

from pyannote_diarizen.results.document import Turn, Word
from pyannote_diarizen.results.words import assign_speakers

TURNS = [Turn(1, 5, "ann"), Turn(4, 8, "bob"), Turn(10, 11, "ann")]


def speakers(*times: tuple[float, float], turns=TURNS, **options) -> list[str | None]:
    words = [Word(*each, text="word", speaker="old") for each in times]
    return [word.speaker for word in assign_speakers(words, turns, **options)]


def test_most_of_a_word_decides():
    assert speakers((3.0, 4.1), (4.7, 5.7)) == ["ann", "bob"]
    # two turns of one speaker count together
    turns = [Turn(0, 1, "ann"), Turn(1, 2.5, "bob"), Turn(2.5, 4, "ann")]
    assert speakers((0, 4), turns=turns) == ["ann"]


def test_in_overlap_words_continue_those_of_their_speaker():
    words = [(3.5, 3.9), (4.0, 4.3), (4.0, 4.2), (4.2, 4.6), (4.35, 4.9), (4.6, 4.8)]
    expected = [(3.5, "ann"), (4.0, "bob"), (4.0, "ann"), (4.2, "bob")]
    found = assign_speakers([Word(*each, text="x") for each in words[:4]], TURNS)
    assert [(word.start, word.speaker) for word in found] == expected
    assert set(speakers(*words)) == {"ann", "bob"}
    # an interjection of one word in a long turn
    turns = [Turn(0, 10, "ann"), Turn(5, 5.4, "bob")]
    times = [(n / 2, n / 2 + 0.45) for n in range(20)]
    words = [Word(*each, text="x") for each in [*times, (5.02, 5.38)]]
    assert [w.start for w in assign_speakers(words, turns) if w.speaker == "bob"] == [
        5.02
    ]


def test_words_in_pauses_belong_to_the_nearest_turn_up_to_a_limit():
    times = [(0.1, 0.2), (8.2, 8.4), (9.3, 9.6), (12.1, 12.2)]
    assert speakers(*times) == ["ann", "bob", "ann", None]
    assert speakers(*times, max_gap=0.5) == [None, "bob", "ann", None]
    assert speakers(*times, max_gap=0) == [None] * 4
    assert speakers((8.9, 9.1)) == ["bob"]  # as near to both
    with pytest.raises(ValueError, match="`max_gap` should be in seconds"):
        speakers(*times, max_gap=-1)


def test_words_without_duration_and_files_without_turns():
    assert speakers((2.5, 2.5), (5.5, 5.5)) == ["ann", "bob"]
    assert speakers((2.5, 2.5), turns=[]) == [None]
    assert speakers() == []


def test_order_does_not_matter_and_covered_words_get_a_speaker_of_their_turns(rng):
    starts = rng.uniform(0, 100, 300)
    words = [Word(start, start + rng.uniform(), "x") for start in starts]
    starts = rng.uniform(0, 100, 40)
    turns = [Turn(start, start + 3, str(n % 4)) for n, start in enumerate(starts)]
    found = assign_speakers(words, turns)
    assert assign_speakers(words[::-1], turns[::-1]) == found
    for word in found:
        around = [t for t in turns if t.start < word.end and t.end > word.start]
        assert not around or word.speaker in {turn.speaker for turn in around}


def test_long_transcripts_are_fast():
    turns = [Turn(n, n + 1.5, str(n % 3)) for n in range(3_000)]
    words = [Word(n / 3, n / 3 + 0.3, "x") for n in range(9_000)]
    started = time.perf_counter()
    found = assign_speakers(words, turns)
    assert time.perf_counter() - started < 3  # quadratic: ten seconds
    assert len(found) == 9_000
