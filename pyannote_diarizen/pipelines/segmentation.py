# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Arrays between the segmentation network and the turns of speakers.

Segmentations of powerset models stay (num_chunks, num_frames, num_speakers) arrays of
uint8: one hour of audio is 4,500 chunks, 7 MB instead of 29 MB as float32. Functions
that replace steps of pyannote.audio give the same result in less time or memory.
"""

from collections.abc import Callable, Sequence
from functools import partial

import numpy as np
from pyannote.audio import Inference
from pyannote.audio.utils.signal import binarize
from pyannote.core import Segment, SlidingWindow, SlidingWindowFeature
from scipy.ndimage import median_filter

from pyannote_diarizen._host import without_ties
from pyannote_diarizen.pipelines.files import LoadedFile
from pyannote_diarizen.pipelines.scratch import new_array
from pyannote_diarizen.pipelines.sliding import recorded_channel_weights, slide

_CHUNKS_AT_ONCE = 256
_FRAMES_AT_ONCE = 1 << 16
_LARGEST = np.iinfo(np.uint8).max


def segment(
    files: Sequence[LoadedFile],
    inference: Inference,
    filter_size: int | None,
    silence_end: bool,
    hook: Callable | None = None,
) -> list[SlidingWindowFeature]:
    """Segment each chunk of some files, filter, and silence frames past their end.

    Parameters
    ----------
    files : sequence of LoadedFile
        A single file if the model computes channel weights, which are set in it.
    inference : Inference
        Segmentation model in sliding windows.
    filter_size : int or None
        Width of the median filter, in frames. None applies no filter.
    silence_end : bool
        Silence the zeros that fill the last chunk.
    hook : callable, optional
        Called with the progress after each batch.

    Returns
    -------
    segmentations : list of (num_chunks, num_frames, num_speakers) SlidingWindowFeature
        0 or 1 as uint8 for powerset models, scores as float32 for others.
    """
    progress = hook and partial(hook, "segmentation", None)
    with recorded_channel_weights(inference.model) as channel_weights:
        segmented = slide(files, inference, progress)
    if channel_weights:
        (file,) = files
        file.channel_weights = np.concatenate(channel_weights)
    frames = inference.model.receptive_field
    segmentations = []
    for file, some in zip(files, segmented, strict=True):
        if filter_size is not None:
            for start in range(0, len(some.data), _CHUNKS_AT_ONCE):
                part = some.data[start : start + _CHUNKS_AT_ONCE]
                part[:] = smooth(part, filter_size)
        chunks = without_ties(some.sliding_window, frames.step)
        own = SlidingWindowFeature(some.data, chunks)
        if silence_end:
            own = silence_padding(own, frames, file.duration)
        segmentations.append(own)
    return segmentations


def smooth(segmentation: np.ndarray, size: int) -> np.ndarray:
    """Apply a median filter along frames, for each chunk and speaker on its own.

    Parameters
    ----------
    segmentation : (num_chunks, num_frames, num_speakers) np.ndarray
        Activity.
    size : int
        Width of the window, in frames. Both ends of a chunk are mirrored, the frame at
        the edge included.

    Returns
    -------
    smoothed : (num_chunks, num_frames, num_speakers) np.ndarray
        Array of the same type.

    Examples
    --------
    >>> blip_then_turn = np.array([[[0], [1], [0], [0], [1], [1]]])
    >>> smooth(blip_then_turn, size=3).ravel().tolist()
    [0, 0, 0, 0, 1, 1]
    """
    return median_filter(segmentation, size=(1, size, 1), mode="reflect")


def silence_padding(
    segmentations: SlidingWindowFeature, frames: SlidingWindow, duration: float
) -> SlidingWindowFeature:
    """Silence the frames past the end of a file, in place.

    Parameters
    ----------
    segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature
        Activity.
    frames : SlidingWindow
        Receptive field of the segmentation model.
    duration : float
        Duration of the file, in seconds.

    Returns
    -------
    segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature
        Activity whose turns all end before `duration`.
    """
    num_frames = segmentations.data.shape[1]
    grid, first_frame = place_chunks(segmentations, frames)
    first = first_frame[:, None]  # (num_chunks, 1)

    def inside(frame: np.ndarray) -> np.ndarray:
        # A turn ends at the centre of the first silent frame, number `frame + 1`.
        return grid.start + (frame + 1) * grid.step + 0.5 * grid.duration <= duration

    # Only chunks that reach the end: for a day of audio, the indices of all frames of
    # all chunks would take gigabytes.
    reaches_end = ~inside(first + num_frames - 1)[:, 0]  # (num_chunks,)
    kept = inside(first[reaches_end] + np.arange(num_frames))[:, :, None]
    segmentations.data[reaches_end] *= kept
    return segmentations


def binarize_scores(
    segmentations: SlidingWindowFeature, threshold: float | None
) -> SlidingWindowFeature:
    """Return activity, 0 or 1: speech is above a threshold, None for powerset models.

    As in pyannote.audio.
    """
    if threshold is None:
        return segmentations
    return binarize(segmentations, onset=threshold, initial_state=False)


def count_speakers(
    segmentations: SlidingWindowFeature,
    frames: SlidingWindow,
    warm_up: tuple[float, float] = (0.1, 0.1),
) -> SlidingWindowFeature:
    """Compute the number of speakers at each frame.

    Equals `SpeakerDiarization.speaker_count` of pyannote.audio, without an array of 64
    bits per chunk and frame.

    Parameters
    ----------
    segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature
        Activity, 0 or 1.
    frames : SlidingWindow
        Receptive field of the segmentation model.
    warm_up : (float, float), optional
        Share of both ends of a chunk that is left out. Defaults to a tenth each.

    Returns
    -------
    count : (total_num_frames, 1) SlidingWindowFeature
        Mean over chunks, rounded, as uint8.
    """
    trimmed = Inference.trim(segmentations, warm_up=warm_up)
    numbers = trimmed.data.sum(axis=-1, dtype=trimmed.data.dtype)
    grid, first_frame = place_chunks(trimmed, frames)
    # float32, as the host divides
    totals = np.zeros(_num_frames(trimmed, grid, frames), dtype=np.float32)
    num_overlapping = np.zeros_like(totals)
    for first, number in zip(first_frame, numbers, strict=True):
        inside = slice(first, first + len(number))
        totals[inside] += number
        num_overlapping[inside] += 1
    mean = totals / np.maximum(num_overlapping, 1)
    return SlidingWindowFeature(np.rint(mean).astype(np.uint8)[:, None], grid)


def merge_clustered(
    segmentation: np.ndarray, hard_clusters: np.ndarray, num_clusters: int
) -> np.ndarray:
    """Compute the activity of each cluster in each chunk from that of local speakers.

    Parameters
    ----------
    segmentation : (num_chunks, num_frames, num_speakers) np.ndarray
        Activity.
    hard_clusters : (num_chunks, num_speakers) np.ndarray
        Cluster of each local speaker, -2 if none.
    num_clusters : int
        Number of clusters of the file.

    Returns
    -------
    clustered : (num_chunks, num_frames, num_clusters) np.ndarray
        Maximum over the speakers of each cluster, 0 if a cluster has none.

    Examples
    --------
    >>> two_speakers = np.array([[[1, 0], [0, 1], [0, 0]]])
    >>> merge_clustered(two_speakers, np.array([[1, 1]]), 2).tolist()
    [[[0, 1], [0, 1], [0, 0]]]
    """
    # one local speaker at a time: no array of (chunk, frame, speaker, cluster)
    clustered = np.zeros(
        (*segmentation.shape[:2], num_clusters), dtype=segmentation.dtype
    )
    for speaker, clusters in enumerate(hard_clusters.T):
        chunks = np.flatnonzero(clusters >= 0)
        place = (chunks, slice(None), clusters[chunks])
        activity = segmentation[chunks, :, speaker]  # (num_assigned_chunks, num_frames)
        clustered[place] = np.maximum(clustered[place], activity)
    return clustered


def overlap_add(
    segmentations: SlidingWindowFeature,
    hard_clusters: np.ndarray,
    frames: SlidingWindow,
) -> SlidingWindowFeature:
    """Sum the activities of clusters at each frame, over the chunks that contain it.

    Equals `merge_clustered`, then `Inference.aggregate(..., skip_average=True)` of
    pyannote.audio, for a few chunks at a time: no array of all chunks and clusters.

    Parameters
    ----------
    segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature
        Activity, without NaN.
    hard_clusters : (num_chunks, num_speakers) np.ndarray
        Cluster of each local speaker, -2 if none.
    frames : SlidingWindow
        Receptive field of the segmentation model.

    Returns
    -------
    activity : (total_num_frames, num_clusters) SlidingWindowFeature
        Sums: uint8 for segmentations of uint8, if they fit, or else float32.
    """
    chunks = segmentations.sliding_window
    num_chunks, num_frames, _ = segmentations.data.shape
    num_clusters = max(0, int(hard_clusters.max()) + 1)
    grid, first_frame = place_chunks(segmentations, frames)
    total_num_frames = _num_frames(segmentations, grid, frames)
    # the maximum of a sum of 0 and 1
    num_overlapping = chunks.duration / chunks.step + 1
    small = segmentations.data.dtype == np.uint8 and num_overlapping <= _LARGEST
    dtype = np.uint8 if small else np.float32
    activity = new_array((total_num_frames, num_clusters), dtype)
    for start in range(0, num_chunks, _CHUNKS_AT_ONCE):
        some = slice(start, start + _CHUNKS_AT_ONCE)
        clustered = merge_clustered(
            segmentations.data[some], hard_clusters[some], num_clusters
        )
        for first, chunk in zip(first_frame[some], clustered, strict=True):
            activity[first : first + num_frames] += chunk
    return SlidingWindowFeature(activity, grid)


def place_chunks(
    segmentations: SlidingWindowFeature, frames: SlidingWindow
) -> tuple[SlidingWindow, np.ndarray]:
    """Return the frames of the file, and the first frame (num_chunks,) of each chunk.

    A chunk that starts at t has its first frame centred at t + half a frame.
    """
    chunks = segmentations.sliding_window
    grid = SlidingWindow(frames.duration, frames.step, start=chunks.start)
    first_frame = [
        grid.closest_frame(chunks[chunk].start + 0.5 * frames.duration)
        for chunk in range(len(segmentations.data))
    ]
    return grid, np.array(first_frame)


def _num_frames(
    segmentations: SlidingWindowFeature, grid: SlidingWindow, frames: SlidingWindow
) -> int:
    """Return the frame at the end of the last chunk, as the host rounds it."""
    chunks, num_chunks = segmentations.sliding_window, len(segmentations.data)
    end = chunks.start + chunks.duration + (num_chunks - 1) * chunks.step
    return grid.closest_frame(end + 0.5 * frames.duration) + 1


def frame_activity(
    segmentations: SlidingWindowFeature,
    hard_clusters: np.ndarray,
    count: SlidingWindowFeature,
) -> tuple[SlidingWindowFeature, np.ndarray]:
    """Sum activities over chunks, in the frames of which the count is known.

    Parameters
    ----------
    segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature
        Activity of local speakers.
    hard_clusters : (num_chunks, num_speakers) np.ndarray
        Cluster of each local speaker, -2 if none.
    count : (total_num_frames, 1) SlidingWindowFeature
        Number of speakers at each frame.

    Returns
    -------
    activity : (total_num_frames, num_clusters) SlidingWindowFeature
        Sums. Silent clusters are added where `count` exceeds their number.
    counted : (total_num_frames, 1) np.ndarray
        Number of speakers at these frames.
    """
    activity = overlap_add(segmentations, hard_clusters, count.sliding_window)
    extent = activity.extent & count.extent
    activity = _crop(activity, extent)
    counted = count.crop(extent)
    lacking = max(0, int(counted.max(initial=0)) - activity.data.shape[1])
    if lacking:
        activity.data = np.pad(activity.data, ((0, 0), (0, lacking)))
    return activity, counted


def _crop(feature: SlidingWindowFeature, extent: Segment) -> SlidingWindowFeature:
    """Equal `feature.crop(extent, return_data=False)`, without a copy."""
    window = feature.sliding_window
    ((start, end),) = window.crop(extent, return_ranges=True)
    first = max(0, start)
    frames = SlidingWindow(window.duration, window.step, start=window[first].start)
    return SlidingWindowFeature(feature.data[first:end], frames)


def select_speakers(
    activity: np.ndarray, counted: np.ndarray, *, stable: bool = True
) -> np.ndarray:
    """Select the most active speakers of each frame.

    After `frame_activity`, equals `SpeakerDiarization.to_diarization` of
    pyannote.audio, without loops over frames and chunks.

    Parameters
    ----------
    activity : (num_frames, num_speakers) np.ndarray
        Activity of speakers.
    counted : (num_frames, 1) np.ndarray
        Number of speakers to select. The last frames may be missing.
    stable : bool
        Select the first of equally active speakers. Without it, the vector instructions
        of the CPU decide, as in pyannote.audio.

    Returns
    -------
    discrete : (num_frames, num_speakers) np.ndarray
        0 or 1.
    """
    most = int(counted.max(initial=0))
    # (num_frames, most): whether the speaker of each rank is selected
    selected = np.zeros((len(activity), most), dtype=bool)
    selected[: len(counted)] = np.arange(most) < counted[: len(activity)]
    discrete = new_array(activity.shape, np.uint8)
    # indices take eight bytes each: not for all frames at once
    for start in range(0, len(activity), _FRAMES_AT_ONCE):
        some = slice(start, start + _FRAMES_AT_ONCE)
        # most active first
        scores = -activity[some].astype(np.float32)
        ranking = np.argsort(scores, axis=1, stable=stable)[:, :most]
        np.put_along_axis(discrete[some], ranking, selected[some], axis=1)
    return discrete
