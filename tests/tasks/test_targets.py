# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Label matrices are those of the original, except where it is wrong."""

import json

import numpy as np
import numpy.testing as npt
import pytest
from pyannote.core import SlidingWindow

from pyannote_diarizen.corpora.listings import read_rttm
from pyannote_diarizen.tasks.targets import activity, most_talkative

FRAMES = SlidingWindow(duration=0.06, step=0.02)  # centres at 0.03, 0.05, ...


def draw(*turns: tuple[float, float], num_frames: int = 6) -> list[int]:
    starts, ends = np.array(turns, dtype=np.float32).T
    columns = np.zeros(len(turns), dtype=int)
    drawn = activity(starts, ends, columns, (10.0, 10.2), FRAMES, (num_frames, 1))
    return drawn[:, 0].tolist()


def test_a_turn_covers_the_nearest_frames_and_those_in_between():
    assert draw((10.045, 10.092)) == [0, 1, 1, 1, 0, 0]
    assert draw((9.0, 11.0)) == [1, 1, 1, 1, 1, 1]


def test_a_turn_that_ends_before_the_first_centre_covers_nothing():
    # the index of its last frame rounds to -1, then to -2
    assert draw((9.0, 10.011)) == [0, 0, 0, 0, 0, 0]
    assert draw((9.0, 10.0)) == [0, 0, 0, 0, 0, 0]


def test_a_turn_that_covers_nothing_takes_nothing_away():
    assert draw((10.07, 10.09), (9.0, 10.0)) == [0, 0, 1, 1, 0, 0]


def test_those_who_say_nothing_go_first():
    sums = [3, 0, 5, 0, 7, 2]
    drawn = np.array([[frame < num for num in sums] for frame in range(8)], np.uint8)
    assert most_talkative(drawn, 4).tolist() == [4, 2, 0, 5]
    assert most_talkative(drawn, 6).tolist() == [0, 1, 2, 3, 4, 5]


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
        speaking = {turn.speaker for turn in inside}
        # in order of appearance in the recording
        appeared = dict.fromkeys(turn.speaker for turn in turns)
        who = [speaker for speaker in appeared if speaker in speaking]
        drawn = activity(
            np.array([turn.start for turn in inside], dtype=np.float32),
            np.array([turn.end for turn in inside], dtype=np.float32),
            np.array([who.index(turn.speaker) for turn in inside]),
            (start, end),
            SlidingWindow(duration=duration, step=step),
            (num_frames, len(who)),
        )
        expected = stored[f"label_{number}"]
        for column, (ours, theirs) in enumerate(zip(drawn.T, expected.T, strict=True)):
            if not np.array_equal(ours, theirs):
                wrong.append((number, who[column], int(theirs.sum()), int(ours.sum())))
        kept = drawn[:, most_talkative(drawn, 4)]
        if not any(chunk == number for chunk, *_ in wrong) and drawn.any(axis=0).all():
            collated = stored[f"collated_{number}"]
            npt.assert_array_equal(kept, collated[:, : kept.shape[1]])
    # a turn of 5 ms in the first frame, of which the original makes the whole chunk
    expected_wrong = [(1, "edge_end", 470, 0)] if name == "pyannote" else []
    assert wrong == expected_wrong


@pytest.mark.parity
def test_collation_of_the_original_keeps_the_silent(parity):
    cases = json.loads((parity / "dataset/meta.json").read_text())["collate_quirk"]
    for case in cases.values():
        sums = case["in_sums"]
        frames = np.arange(8)[:, None]
        drawn = (frames < np.array(sums)).astype(np.uint8)
        kept = drawn[:, most_talkative(drawn, 4)].sum(axis=0).tolist()
        theirs = [total for total in case["out_sums"] if total or 0 in sums]
        if 0 in sums:
            assert theirs[0] == 0  # who says nothing evicts who does
            assert kept == sorted(sums, reverse=True)[:4]
        else:
            assert sorted(kept) == sorted(theirs)
