# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Mixed chunks have the labels of all speakers."""

import numpy as np
import pytest
import torch
from pyannote.audio.augmentation.mix import MixSpeakerDiarization
from pyannote.core import SlidingWindow, SlidingWindowFeature

from pyannote_diarizen.simulation.mixing import RecordingMixer

FRAMES = SlidingWindow(duration=0.1, step=0.1)


class SwapTwo:
    """Generator that mixes each of two chunks with the other, at one level."""

    def permutation(self, num: int) -> np.ndarray:
        return np.arange(num)[::-1]

    def random(self) -> float:
        return 0.0

    def uniform(self, low: float, high: float) -> float:
        return low


def chunk(value: float, columns: list, labels: list, **meta: int) -> dict:
    meta = {"scope": 0, "database": 0, "file": 0} | meta
    return {
        "X": torch.full((1, 4), value),
        "y": SlidingWindowFeature(np.array(columns, np.uint8).T, FRAMES, labels=labels),
        "speaker": np.array([7, 7, 7]),
        "meta": meta,
    }


def mix(*batch: dict, max_speakers: int = 4, share: float = 1.0) -> list[dict]:
    return RecordingMixer(share, snr=(6.0, 6.0))(batch, max_speakers, SwapTwo())


def columns(sample: dict) -> list:
    return sample["y"].data.T.tolist()


def test_speakers_of_different_recordings_have_separate_columns():
    first = chunk(1.0, [[1, 1, 0]], [0])
    second = chunk(-3.0, [[0, 1, 1], [1, 0, 0]], [0, 1], file=1)
    mixed, _ = mix(first, second)
    assert columns(mixed) == [[1, 1, 0], [0, 1, 1], [1, 0, 0]]
    # 6 dB below, whatever it was
    expected = 1 - 10 ** (-6 / 20)
    torch.testing.assert_close(mixed["X"], torch.full((1, 4), expected))
    assert mixed["speaker"].tolist() == [-1, -1, -1]
    assert columns(first) == [[1, 1, 0]]  # as it was


@pytest.mark.parametrize(
    ("scope", "file", "database", "num_columns"),
    [(0, 0, 0, 1), (0, 1, 0, 2), (1, 1, 0, 1), (1, 1, 1, 2), (2, 1, 1, 1)],
)
def test_a_speaker_of_both_chunks_has_one_column(scope, file, database, num_columns):
    first = chunk(1.0, [[1, 0, 0]], [5], scope=scope)
    second = chunk(1.0, [[0, 0, 1]], [5], scope=scope, file=file, database=database)
    mixed, _ = mix(first, second)
    expected = [[1, 0, 1]] if num_columns == 1 else [[1, 0, 0], [0, 0, 1]]
    assert columns(mixed) == expected


def test_chunks_with_too_many_speakers_are_not_mixed():
    first = chunk(1.0, [[1, 0, 0], [0, 1, 0]], [0, 1])
    second = chunk(1.0, [[1, 0, 0]], [0], file=1)
    assert mix(first, second, max_speakers=2) == [first, second]
    assert mix(first, second, share=0.0) == [first, second]


def test_silence_can_be_mixed():
    silent = chunk(0.0, np.zeros((0, 3)), [])
    mixed, other = mix(silent, chunk(2.0, [[1, 1, 1]], [0], file=1))
    assert columns(mixed) == [[1, 1, 1]]
    assert torch.isfinite(other["X"]).all()
    both, _ = mix(silent, chunk(0.0, np.zeros((0, 3)), [], file=1))
    assert both["y"].data.shape == (3, 0)


def test_wrong_options():
    with pytest.raises(ValueError, match="`share` should be between 0 and 1"):
        RecordingMixer(share=2.0)
    with pytest.raises(ValueError, match=r"\(min, max\), got .* \(5, 0\)"):
        RecordingMixer(snr=(5, 0))


def test_the_host_still_merges_two_speakers():
    """If this fails, `MixSpeakerDiarization` need not be refused any more."""
    targets = torch.zeros(2, 1, 4, 2)
    targets[0, 0, 0, 0] = targets[1, 0, 3, 0] = 1  # one speaker in each
    mixed = MixSpeakerDiarization(p=1.0, max_num_speakers=2, output_type="dict")
    # the other chunk is drawn; until then it is mixed with itself
    for _ in range(50):
        speakers = mixed(
            samples=torch.randn(2, 1, 800),
            sample_rate=16000,
            targets=targets,
            target_rate=4,
        ).targets.any(dim=-2)
        assert speakers.sum(dim=-1).max() == 1
