# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Turns of speakers from active frames, at the times of pyannote.audio, and back."""

from collections.abc import Hashable, Sequence

import numpy as np
from pyannote.core import Annotation, Segment, SlidingWindow, SlidingWindowFeature
from pyannote.core.utils.generators import string_generator

from pyannote_diarizen.functional.frames import find_runs
from pyannote_diarizen.pipelines.scratch import new_array


def frame_centres(frames: SlidingWindow, num_frames: int) -> np.ndarray:
    """Centres (num_frames,) of frames, in seconds."""
    starts = frames.start + np.arange(num_frames) * frames.step
    # The sum of the host, for equality to the last bit: start + duration / 2 rounds
    # another way.
    return 0.5 * (starts + (starts + frames.duration))


def turn_frames(
    diarization: Annotation,
    labels: Sequence[Hashable],
    frames: SlidingWindow,
    num_frames: int,
) -> np.ndarray:
    """Find the frames whose centre is in a turn of a speaker.

    Parameters
    ----------
    diarization : Annotation
        Turns of speakers.
    labels : sequence
        Speakers; turns of others are left out.
    frames : SlidingWindow
        Grid of frames.
    num_frames : int
        Number of frames of the file.

    Returns
    -------
    spoken : (num_frames, num_labels) np.ndarray of bool
    """
    centres = frame_centres(frames, num_frames)
    spoken = new_array((num_frames, len(labels)), bool)
    columns = {label: column for column, label in enumerate(labels)}
    for turn, _, label in diarization.itertracks(yield_label=True):
        if label in columns:
            inside = slice(*np.searchsorted(centres, [turn.start, turn.end]))
            spoken[inside, columns[label]] = True
    return spoken


def find_turns(
    discrete_diarization: SlidingWindowFeature,
    min_duration_on: float = 0.0,
    min_duration_off: float = 0.0,
) -> Annotation:
    """Find the turns of speakers, from a first active frame to the first one after.

    Equals `SpeakerDiarization.to_annotation` of pyannote.audio, without a loop over
    frames.

    Parameters
    ----------
    discrete_diarization : (num_frames, num_speakers) SlidingWindowFeature
        0 or 1.
    min_duration_on : float, optional
        Drop shorter turns, in seconds. Defaults to 0.
    min_duration_off : float, optional
        Fill shorter pauses of a speaker, in seconds. Defaults to 0.

    Returns
    -------
    turns : Annotation
        Turns from centre to centre of frames. Labels are indices of speakers.
    """
    frames, discrete = discrete_diarization.sliding_window, discrete_diarization.data
    centres = frame_centres(frames, len(discrete))
    turns = Annotation()
    for speaker, track in zip(
        range(discrete.shape[1]), string_generator(), strict=False
    ):
        runs = find_runs(discrete[:, speaker] > 0)
        for start, end in centres[np.minimum(runs, len(discrete) - 1)].tolist():
            turns[Segment(start, end), track] = speaker
    if min_duration_off > 0:
        turns = turns.support(collar=min_duration_off)
    for turn, track in list(turns.itertracks()):
        if turn.duration < min_duration_on:
            del turns[turn, track]
    return turns
