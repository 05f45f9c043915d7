# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""What happens to segmentations between the networks and the turns of speakers.

They stay (num_chunks, num_frames, num_speakers) arrays of uint8 for powerset models:
one hour of audio is 4,500 chunks, 7 MB instead of 29 MB as float32.
"""

import numpy as np
from pyannote.audio.utils.powerset import Powerset
from pyannote.core import Annotation, Segment, SlidingWindow, SlidingWindowFeature
from pyannote.core.utils.generators import string_generator
from scipy.ndimage import median_filter
from torch import Tensor, nn, uint8


class HardMultilabel(nn.Module):
    """Powerset scores to 0 or 1 per speaker, as uint8.

    Parameters
    ----------
    powerset : Powerset
        Conversion that the host chose for the model.
    """

    def __init__(self, powerset: Powerset) -> None:
        super().__init__()
        self.powerset = powerset

    def forward(self, scores: Tensor) -> Tensor:
        """Map (batch, frames, classes) scores to (batch, frames, speakers) uint8."""
        return self.powerset(scores).to(uint8)


def smooth(segmentation: np.ndarray, size: int) -> np.ndarray:
    """Median filter along frames, for each chunk and speaker on its own.

    Parameters
    ----------
    segmentation : (num_chunks, num_frames, num_speakers) np.ndarray
        Activity.
    size : int
        Width of the window, in frames. Around both ends of a chunk, the frames inside
        are mirrored, the one at the edge included.

    Returns
    -------
    smoothed : (num_chunks, num_frames, num_speakers) np.ndarray
        Of the same type.

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
    """Silence what lies past the end of the file, in the zeros that fill up a chunk.

    Parameters
    ----------
    segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature
        Activity.
    frames : SlidingWindow
        Receptive field of the segmentation model.
    duration : float
        Of the file, in seconds.

    Returns
    -------
    segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature
        No turn made out of them ends after `duration`.
    """
    chunks = segmentations.sliding_window
    num_frames = segmentations.data.shape[1]
    grid, first_frame = _place(segmentations, frames)
    first = first_frame[:, None]

    def inside(frame: np.ndarray) -> np.ndarray:
        # a turn ends at the centre of the first frame where the speaker is silent
        return grid.start + (frame + 1) * grid.step + 0.5 * grid.duration <= duration

    # of a day of audio, the numbers of all frames would take gigabytes
    reaches_end = ~inside(first + num_frames - 1)[:, 0]
    data = segmentations.data.copy()
    data[reaches_end] *= inside(first[reaches_end] + np.arange(num_frames))[:, :, None]
    return SlidingWindowFeature(data, chunks)


def merge_clustered(segmentation: np.ndarray, hard_clusters: np.ndarray) -> np.ndarray:
    """Activity of each cluster in each chunk, out of that of each local speaker.

    Parameters
    ----------
    segmentation : (num_chunks, num_frames, num_speakers) np.ndarray
        Activity.
    hard_clusters : (num_chunks, num_speakers) np.ndarray
        Cluster of each local speaker, -2 if none.

    Returns
    -------
    clustered : (num_chunks, num_frames, num_clusters) np.ndarray
        That of the most active among the speakers of the cluster, 0 if it has none.

    Examples
    --------
    >>> two_speakers = np.array([[[1, 0], [0, 1], [0, 0]]])
    >>> merge_clustered(two_speakers, np.array([[1, 1]])).tolist()
    [[[0, 1], [0, 1], [0, 0]]]
    """
    num_clusters = max(0, int(hard_clusters.max()) + 1)
    clustered = np.zeros(
        (*segmentation.shape[:2], num_clusters), dtype=segmentation.dtype
    )
    for speaker, clusters in enumerate(hard_clusters.T):
        chunks = np.flatnonzero(clusters >= 0)
        place = (chunks, slice(None), clusters[chunks])
        activity = segmentation[chunks, :, speaker]
        clustered[place] = np.maximum(clustered[place], activity)
    return clustered


def overlap_add(
    segmentations: SlidingWindowFeature, frames: SlidingWindow
) -> SlidingWindowFeature:
    """Sum of activities at each frame, over the chunks that it is in.

    What `Inference.aggregate` of pyannote.audio does with `skip_average`, for scores
    without NaN.

    Parameters
    ----------
    segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature
        Activity.
    frames : SlidingWindow
        Receptive field of the segmentation model.

    Returns
    -------
    activity : (total_num_frames, num_speakers) SlidingWindowFeature
        As float32.
    """
    chunks = segmentations.sliding_window
    num_chunks, num_frames, num_speakers = segmentations.data.shape
    grid, first_frame = _place(segmentations, frames)
    end = chunks.start + chunks.duration + (num_chunks - 1) * chunks.step
    total_num_frames = grid.closest_frame(end + 0.5 * frames.duration) + 1
    activity = np.zeros((total_num_frames, num_speakers), dtype=np.float32)
    for first, chunk in zip(first_frame, segmentations.data, strict=True):
        activity[first : first + num_frames] += chunk
    return SlidingWindowFeature(activity, grid)


def _place(
    segmentations: SlidingWindowFeature, frames: SlidingWindow
) -> tuple[SlidingWindow, np.ndarray]:
    """Frames of the file, and among them the first one (num_chunks,) of each chunk."""
    chunks = segmentations.sliding_window
    grid = SlidingWindow(frames.duration, frames.step, start=chunks.start)
    first_frame = [
        grid.closest_frame(chunks[chunk].start + 0.5 * frames.duration)
        for chunk in range(len(segmentations.data))
    ]
    return grid, np.array(first_frame)


def turns_of_speakers(discrete_diarization: SlidingWindowFeature) -> Annotation:
    """Find the turns of speakers, from a first active frame to the first one after.

    What `Binarize` of pyannote.audio does with 0 and 1, without a loop over frames.

    Parameters
    ----------
    discrete_diarization : (num_frames, num_speakers) SlidingWindowFeature
        0 or 1.

    Returns
    -------
    turns : Annotation
        Labels are the indices of speakers. Turns begin and end at middles of frames.
    """
    frames, active = discrete_diarization.sliding_window, discrete_diarization.data > 0
    starts = frames.start + np.arange(len(active)) * frames.step
    middles = (0.5 * (starts + (starts + frames.duration))).tolist()
    turns = Annotation()
    of_speakers = zip(
        range(active.shape[1]), active.T, string_generator(), strict=False
    )
    for speaker, activity, track in of_speakers:
        changes = np.diff(activity, prepend=False, append=False)
        for first, after in np.flatnonzero(changes).reshape(-1, 2).tolist():
            end = middles[min(after, len(active) - 1)]
            turns[Segment(middles[first], end), track] = speaker
    return turns
