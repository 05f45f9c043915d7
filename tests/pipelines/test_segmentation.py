# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
import json

import numpy as np
import numpy.testing as npt
import pytest
import torch
from pyannote.audio.pipelines.speaker_diarization import SpeakerDiarization
from pyannote.audio.utils.powerset import Powerset
from pyannote.audio.utils.signal import Binarize
from pyannote.core import SlidingWindow, SlidingWindowFeature
from ties import assert_equal_but_for_ties

from pyannote_diarizen.pipelines import segmentation as steps
from pyannote_diarizen.pipelines.reconstruction import reconstruct
from pyannote_diarizen.pipelines.segmentation import (
    count_speakers,
    frame_activity,
    merge_clustered,
    overlap_add,
    select_speakers,
    silence_padding,
    smooth,
)
from pyannote_diarizen.pipelines.sliding import HardMultilabel
from pyannote_diarizen.pipelines.turn_finding import find_turns

FRAMES = SlidingWindow(start=0.0, duration=0.025, step=0.02)


def test_hard_multilabel_is_the_powerset_conversion_in_one_byte(rng):
    scores = torch.tensor(rng.standard_normal((2, 50, 11)), dtype=torch.float32)
    powerset = Powerset(4, 2)
    hard = HardMultilabel(powerset)(scores)
    assert hard.dtype == torch.uint8
    torch.testing.assert_close(hard.float(), powerset(scores))


def test_smoothing_leaves_other_speakers_and_chunks_alone():
    segmentation = np.zeros((2, 40, 2), dtype=np.uint8)
    segmentation[0, 10:20, 0] = 1
    segmentation[0, 30:33, 0] = 1  # shorter than half the window
    smoothed = smooth(segmentation, size=11)
    expected = np.zeros_like(segmentation)
    expected[0, 10:20, 0] = 1
    npt.assert_array_equal(smoothed, expected)
    assert smoothed.dtype == np.uint8


def test_smoothing_mirrors_the_ends():
    segmentation = np.zeros((1, 20, 1), dtype=np.uint8)
    segmentation[0, :3] = 1  # three frames and their mirror image: 6 out of 11
    npt.assert_array_equal(smooth(segmentation, size=11), segmentation)


@pytest.mark.parity
def test_smoothing_is_that_of_diarizen(parity):
    vectors = np.load(parity / "reconstruct" / "median.npz")
    npt.assert_array_equal(smooth(vectors["x"], size=11), vectors["y"])


@pytest.mark.parametrize("duration", [0.5, 3.0, 4.31, 5.0])
def test_no_turn_ends_past_the_end_of_the_file(duration):
    chunks = SlidingWindow(start=0.0, duration=2.0, step=0.2)
    num_chunks = max(1, int(np.ceil((duration - 2.0) / 0.2 - 1e-9)) + 1)
    always = SlidingWindowFeature(np.ones((num_chunks, 99, 1), np.uint8), chunks)
    silenced = silence_padding(always, FRAMES, duration)
    assert silenced.data.dtype == np.uint8
    count = SpeakerDiarization.speaker_count(silenced, FRAMES, warm_up=(0.0, 0.0))
    diarization = SpeakerDiarization.to_diarization(silenced, count)
    (turn,) = Binarize()(diarization).get_timeline()
    assert duration - 2 * FRAMES.step < turn.end <= duration


def test_complete_chunks_are_left_alone():
    chunks = SlidingWindow(start=0.0, duration=2.0, step=0.5)
    always = SlidingWindowFeature(np.ones((5, 99, 2), np.uint8), chunks)
    npt.assert_array_equal(silence_padding(always, FRAMES, 4.0).data, always.data)


def test_speakers_of_one_cluster_are_merged_and_others_dropped():
    segmentation = np.array([[[1, 0, 1], [0, 1, 1]]], dtype=np.uint8)
    merged = merge_clustered(segmentation, np.array([[2, 2, -2]]), num_clusters=3)
    npt.assert_array_equal(merged, [[[0, 0, 1], [0, 0, 1]]])


def test_nobody_in_any_cluster():
    chunks = SlidingWindow(start=0.0, duration=2.0, step=0.5)
    segmentations = SlidingWindowFeature(np.ones((2, 99, 2), np.uint8), chunks)
    activity = overlap_add(segmentations, np.full((2, 2), -2), FRAMES)
    assert activity.data.shape == (126, 0)


@pytest.mark.parametrize("dtype", [np.uint8, np.float32])
@pytest.mark.parametrize("warm_up", [0.0, 0.1])
def test_the_number_of_speakers_is_that_of_pyannote(rng, dtype, warm_up):
    chunks = SlidingWindow(start=0.0, duration=2.0, step=0.5)
    activity = (rng.random((9, 99, 4)) < 0.4).astype(dtype)
    segmentations = SlidingWindowFeature(activity, chunks)
    expected = SpeakerDiarization.speaker_count(
        segmentations, FRAMES, (warm_up, warm_up)
    )
    count = count_speakers(segmentations, FRAMES, (warm_up, warm_up))
    npt.assert_array_equal(count.data, expected.data)
    assert count.data.dtype == expected.data.dtype
    assert count.extent == expected.extent


def test_the_first_of_equally_active_speakers_is_selected():
    # 17 speakers: more than what an unstable sort orders by insertion
    activity = np.tile([1.0, 2.0, 2.0, 1.0] * 4 + [1.0], (3, 1))
    discrete = select_speakers(activity, np.array([[1], [9], [10]]))
    selected = [np.flatnonzero(frame).tolist() for frame in discrete]
    twos = [1, 2, 5, 6, 9, 10, 13, 14]
    assert selected == [[1], [0, *twos], [0, *twos[:2], 3, *twos[2:]]]


@pytest.mark.parametrize("dtype", [np.float32, np.uint8])
@pytest.mark.parametrize("at_once", [2, 256])
@pytest.mark.parametrize("num_speakers", [1, 4])
def test_frames_are_given_to_the_speakers_that_pyannote_gives_them_to(
    rng, num_speakers, at_once, dtype, monkeypatch
):
    """More at once than there are speakers included."""
    chunks = SlidingWindow(start=0.0, duration=2.0, step=0.5)
    activity = (rng.random((9, 99, num_speakers)) < 0.4).astype(dtype)
    segmentations = SlidingWindowFeature(activity, chunks)
    counted = rng.integers(0, 4, (295, 1)).astype(np.uint8)
    count = SlidingWindowFeature(counted, FRAMES)
    expected = SpeakerDiarization.to_diarization(segmentations, count)
    monkeypatch.setattr(steps, "_CHUNKS_AT_ONCE", at_once)
    monkeypatch.setattr(steps, "_FRAMES_AT_ONCE", at_once)
    same = np.tile(np.arange(num_speakers), (9, 1))
    activity, counted = frame_activity(segmentations, same, count)
    assert activity.data.dtype == dtype
    discrete = select_speakers(activity.data, counted)
    assert_equal_but_for_ties(discrete, expected.data, activity.data)
    assert activity.extent == expected.extent
    assert set(discrete.sum(axis=1)) == {0, 1, 2, 3}


@pytest.mark.parity
@pytest.mark.parametrize(
    ("vectors", "windows", "rttm", "variant"),
    [
        *(
            (f"{name}.npz", f"{name}.json", f"{name}.rttm", "")
            for name in (f"reconstruct/reconstruct_{case}" for case in range(3))
        ),
        (
            "hub/expected_pipeline.npz",
            "hub/expected_meta.json",
            "hub/expected_no_renumber.rttm",
            "_no_renumber",
        ),
    ],
)
def test_reconstruction_is_that_of_diarizen(
    build, parity, vectors, windows, rttm, variant
):
    vectors = np.load(parity / vectors)
    windows = json.loads((parity / windows).read_text())
    chunks = SlidingWindow(windows["chunk_duration"], windows["chunk_step"])
    frames = SlidingWindow(windows["frame_duration"], windows["frame_step"])
    pipeline = build()

    name = "segmentation_median" if variant else "segmentations"
    segmentations = SlidingWindowFeature(vectors[name], chunks)
    count = pipeline.speaker_count(segmentations, frames, warm_up=(0.0, 0.0))
    npt.assert_array_equal(count.data, vectors["count"])

    hard_clusters = vectors[f"hard_clusters{variant}"].copy()
    hard_clusters[~segmentations.data.any(axis=1)] = -2
    discrete = reconstruct(segmentations, hard_clusters, count)
    original = vectors[f"discrete{variant}"]
    activity, _ = frame_activity(segmentations, hard_clusters, count)
    assert_equal_but_for_ties(discrete.data, original, activity.data)

    expected = (parity / rttm).read_text()
    diarization = find_turns(SlidingWindowFeature(original, discrete.sliding_window))
    diarization.uri = expected.split()[1]
    assert sorted(diarization.to_rttm().split("\n")) == sorted(expected.split("\n"))
