# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Turns on frames, by our rule and by that of the original."""

import json

import numpy as np
import numpy.testing as npt
import pytest

from pyannote_diarizen.corpora.listings import read_rttm
from pyannote_diarizen.functional.frames import draw_turns
from pyannote_diarizen.tasks.targets import most_talkative

DURATION, STEP = 0.06, 0.02  # centres at 0.03, 0.05, ...


def draw(*turns: tuple[float, float], rule="centre", num_frames: int = 6) -> list[int]:
    starts, ends = np.array(turns).T
    speakers = np.zeros(len(turns), dtype=int)
    shape = (num_frames, 1)
    return draw_turns(starts, ends, speakers, shape, DURATION, STEP, rule)[
        :, 0
    ].tolist()


def test_a_frame_is_active_if_its_centre_is_inside():
    assert draw((0.045, 0.089)) == [0, 1, 1, 0, 0, 0]
    assert draw((-1.0, 1.0)) == [1, 1, 1, 1, 1, 1]
    assert draw((0.051, 0.069)) == [0, 0, 0, 0, 0, 0]


def test_the_start_is_included_and_the_end_is_not():
    # 0.07 and 0.09 as float32 are not quite those of float64
    for kind in (np.float32, np.float64):
        assert draw((kind(0.05), kind(0.09))) == [0, 1, 1, 0, 0, 0]


def test_turns_that_meet_share_no_frame(rng):
    borders = np.sort(rng.uniform(0, 10, 50))
    speakers = np.arange(49)
    turns = borders[:-1], borders[1:], speakers, (500, 49), DURATION, STEP
    assert draw_turns(*turns).sum(axis=1).max() == 1
    assert draw_turns(*turns, rule="nearest").sum(axis=1).max() > 1


@pytest.mark.parametrize(("rule", "extra"), [("centre", 0), ("nearest", 1)])
def test_mean_number_of_frames(rng, rule, extra):
    starts = rng.uniform(1, 5, 4000)
    ends = starts + rng.uniform(0.1, 3, 4000)
    shape = (500, 4000)
    activity = draw_turns(starts, ends, np.arange(4000), shape, DURATION, STEP, rule)
    difference = activity.sum(axis=0, dtype=int) - (ends - starts) / STEP
    npt.assert_allclose(difference.mean(), extra, atol=0.03)


def test_no_turn_and_no_frame():
    nothing = np.empty(0)
    silence = draw_turns(nothing, nothing, nothing, (3, 2), DURATION, STEP)
    assert silence.tolist() == [[0, 0]] * 3
    assert draw((0.0, 1.0), num_frames=0) == []


def test_the_original_goes_from_the_nearest_to_the_nearest_frame():
    assert draw((0.045, 0.092), rule="nearest") == [0, 1, 1, 1, 0, 0]


@pytest.mark.parametrize("rule", ["centre", "nearest"])
def test_a_turn_that_ends_before_the_first_centre_covers_nothing(rule):
    # nearest: the index of its last frame rounds to -2
    assert draw((-1.0, 0.0), rule=rule) == [0, 0, 0, 0, 0, 0]
    assert draw((0.07, 0.09), (-1.0, 0.0), rule=rule)[2] == 1


@pytest.mark.parity
@pytest.mark.parametrize("name", ["wavlm", "fbank", "pyannote"])
def test_labels_of_the_original(parity, name):
    meta = json.loads((parity / "dataset/meta.json").read_text())
    everything = read_rttm(parity / "dataset/rttm").items
    stored = np.load(parity / f"dataset/labels_{name}.npz")
    num_frames, duration, step = meta["rf"][name]
    wrong = []
    for number, (uri, start, end) in enumerate(meta["chunks"][name]):
        turns = [turn for turn in everything if turn.uri == uri]
        inside = [turn for turn in turns if turn.start < end and turn.end > start]
        active = {turn.speaker for turn in inside}
        # in order of appearance in the recording
        appeared = dict.fromkeys(turn.speaker for turn in turns)
        speakers = [speaker for speaker in appeared if speaker in active]
        starts = np.array([turn.start for turn in inside], dtype=np.float32)
        ends = np.array([turn.end for turn in inside], dtype=np.float32)
        drawn = draw_turns(
            np.maximum(starts, start) - start,
            np.minimum(ends, end) - start,
            np.array([speakers.index(turn.speaker) for turn in inside]),
            (num_frames, len(speakers)),
            duration,
            step,
            rule="nearest",
        )
        expected = stored[f"label_{number}"]
        for column, (ours, theirs) in enumerate(zip(drawn.T, expected.T, strict=True)):
            if not np.array_equal(ours, theirs):
                sums = int(theirs.sum()), int(ours.sum())
                wrong.append((number, speakers[column], *sums))
        kept = drawn[:, most_talkative(drawn, 4)]
        if not any(chunk == number for chunk, *_ in wrong) and drawn.any(axis=0).all():
            collated = stored[f"collated_{number}"]
            npt.assert_array_equal(kept, collated[:, : kept.shape[1]])
    # a turn of 5 ms in the first frame, of which the original makes the whole chunk
    expected_wrong = [(1, "edge_end", 470, 0)] if name == "pyannote" else []
    assert wrong == expected_wrong
