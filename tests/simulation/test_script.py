# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Scripts follow the given turn taking."""

from itertools import pairwise

import numpy as np
import pytest
from pyannote.core import Annotation, Segment

from pyannote_diarizen.simulation.script import Piece, ScriptWriter, join_pieces
from pyannote_diarizen.simulation.speech import SpeechPool
from pyannote_diarizen.simulation.turn_taking import TurnTaking

RATE = 16000


def make_pool(*seconds: float) -> SpeechPool:
    """Three speakers with one utterance of each duration."""
    return SpeechPool.from_utterances(
        (
            "tones",
            speaker,
            (8000 * np.sin(0.3 * np.arange(round(d * RATE)))).astype("int16"),
        )
        for speaker in "abc"
        for d in seconds
    )


def write(
    pool: SpeechPool, habits: TurnTaking, seconds: float, seed: int = 0
) -> Annotation:
    rng = np.random.default_rng(seed)
    pieces = ScriptWriter(pool, [0, 1, 2], habits, rng).write(round(seconds * RATE))
    annotation = Annotation()
    turns = join_pieces(pieces, round(seconds * RATE), RATE // 4)
    for track, (start, end, speaker) in enumerate(turns):
        annotation[Segment(start / RATE, end / RATE), track] = speaker
    return annotation


def test_turn_taking_survives_the_round_trip():
    habits = TurnTaking(turn_duration=3.0, overlap=0.5, backchannel_rate=0.05)
    annotation = write(make_pool(30.0), habits, 10000.0)
    estimated = TurnTaking.from_annotations([annotation])
    assert estimated.turn_duration == pytest.approx(habits.turn_duration, rel=0.1)
    assert estimated.turn_spread == pytest.approx(habits.turn_spread, rel=0.1)
    assert estimated.same_speaker == pytest.approx(habits.same_speaker, abs=0.04)
    assert estimated.hesitation == pytest.approx(habits.hesitation, rel=0.1)
    assert estimated.pause == pytest.approx(habits.pause, rel=0.1)
    assert estimated.overlap_probability == pytest.approx(0.45, abs=0.04)
    assert estimated.overlap == pytest.approx(habits.overlap, rel=0.15)
    assert estimated.backchannel_rate == pytest.approx(0.05, rel=0.15)
    assert estimated.backchannel_duration == pytest.approx(0.6, rel=0.1)


def test_no_overlap_by_request():
    habits = TurnTaking(overlap_probability=0.0, backchannel_rate=0.0)
    assert not write(make_pool(3.0), habits, 300.0).get_overlap()


def test_words_are_joined_into_turns():
    habits = TurnTaking(turn_duration=3.0, turn_spread=0.0)
    annotation = write(make_pool(0.4, 0.6), habits, 300.0)
    durations = [segment.duration for segment in annotation.itersegments()]
    assert np.median(durations) == pytest.approx(3.0, abs=0.3)


def test_turns_of_one_speaker_do_not_overlap():
    pool = make_pool(0.5, 2.0)
    rng = np.random.default_rng(0)
    habits = TurnTaking(overlap_probability=1.0, backchannel_rate=1.0)
    pieces = ScriptWriter(pool, [0, 1, 2], habits, rng).write(300 * RATE)
    for speaker in range(3):
        own = sorted((p.start, p.end) for p in pieces if p.speaker == speaker)
        assert all(end <= start for (_, end), (start, _) in pairwise(own))


def test_turns_are_cut_at_both_edges():
    pool = make_pool(30.0)
    first = [write(pool, TurnTaking(), 8.0, seed) for seed in range(50)]
    assert np.mean([0.0 in {s.start for s in a.itersegments()} for a in first]) > 0.5
    assert np.mean([8.0 in {s.end for s in a.itersegments()} for a in first]) > 0.5


def test_pieces_are_joined_over_short_pauses_and_clipped():
    spans = [
        (0, -50, -10),
        (0, 0, 100),
        (1, 20, 30),
        (0, 105, 120),
        (0, 130, 300),
        (1, 200, 250),
    ]
    pieces = [Piece(speaker, 0, 0, start, end) for speaker, start, end in spans]
    assert join_pieces(pieces, 200, 10) == [(0, 120, 0), (20, 30, 1), (130, 200, 0)]
