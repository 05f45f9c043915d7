# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Selection of the speakers of a chunk."""

import json

import numpy as np
import pytest

from pyannote_diarizen.tasks.targets import most_talkative


def test_the_least_active_speakers_are_dropped():
    sums = [3, 0, 5, 0, 7, 2]
    drawn = np.array([[frame < num for num in sums] for frame in range(8)], np.uint8)
    assert most_talkative(drawn, 4).tolist() == [4, 2, 0, 5]
    assert most_talkative(drawn, 6).tolist() == [0, 1, 2, 3, 4, 5]


@pytest.mark.parity
def test_collation_of_the_original_keeps_silent_speakers(parity):
    cases = json.loads((parity / "dataset/meta.json").read_text())["collate_quirk"]
    for case in cases.values():
        sums = case["in_sums"]
        frames = np.arange(8)[:, None]
        drawn = (frames < np.array(sums)).astype(np.uint8)
        kept = drawn[:, most_talkative(drawn, 4)].sum(axis=0).tolist()
        theirs = [total for total in case["out_sums"] if total or 0 in sums]
        if 0 in sums:
            assert theirs[0] == 0  # a silent speaker evicts an active one
            assert kept == sorted(sums, reverse=True)[:4]
        else:
            assert sorted(kept) == sorted(theirs)
