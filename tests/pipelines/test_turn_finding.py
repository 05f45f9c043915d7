# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import numpy as np
import pytest
from pyannote.audio.pipelines.speaker_diarization import SpeakerDiarization
from pyannote.core import SlidingWindow, SlidingWindowFeature

from pyannote_diarizen.pipelines.turn_finding import find_turns


@pytest.mark.parametrize("durations", [(0.0, 0.0), (0.0, 0.1), (0.05, 0.1)])
def test_turns_are_those_of_pyannote(rng, durations):
    window = SlidingWindow(start=0.3, duration=0.025, step=0.02)
    activity = (rng.random((400, 4)) < [0.1, 0.5, 0.9, 0.0]).astype(np.uint8)
    activity[0], activity[-2:] = [1, 0, 1, 0], [[0, 1, 1, 0], [1, 1, 0, 0]]
    discrete = SlidingWindowFeature(activity, window)
    expected = SpeakerDiarization.to_annotation(discrete, *durations)
    turns = find_turns(discrete, *durations)
    assert len(expected) > 10
    assert turns == expected
    assert list(turns.itertracks()) == list(expected.itertracks())
