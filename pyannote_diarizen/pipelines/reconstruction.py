# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Turns of speakers from clusters: requested number, exclusive diarization, names.

pyannote.audio selects the most active clusters of each frame. A cluster that is never
among them vanishes, also where its number was requested; and the exclusive diarization
overlaps once pauses are filled. This module corrects both. Speakers are named in the
order of their first turn.
"""

import warnings
from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext
from contextvars import ContextVar
from dataclasses import replace
from typing import Literal

import numpy as np
from pyannote.audio.pipelines.speaker_diarization import DiarizeOutput
from pyannote.core import Annotation, SlidingWindowFeature
from pyannote.core.utils.types import Label

from pyannote_diarizen._host import without_warning_of_number
from pyannote_diarizen.functional.speaker_bounds import SpeakerBounds
from pyannote_diarizen.pipelines import segmentation as steps
from pyannote_diarizen.pipelines.turn_finding import find_turns, turn_frames

Naming = Literal["appearance", "cluster", "reference"]
"""What speakers are named after, see `Reconstruction.finish`."""

_current: ContextVar["Reconstruction"] = ContextVar("_current")


class Reconstruction:
    """Frames of the clusters of one file.

    `SpeakerDiarization.apply` of pyannote.audio passes neither the requested number to
    `reconstruct`, nor the activity of clusters to the steps after it. `reconstruct`
    finds the former in the instance in use, and leaves the latter there.

    Parameters
    ----------
    bounds : SpeakerBounds
        Requested number of speakers.
    keep : bool
        Select as many speakers as requested, see `keep_speakers`.
    stable : bool
        Select the same of equally active speakers on every CPU.
    """

    def __init__(
        self, bounds: SpeakerBounds, keep: bool = True, stable: bool = True
    ) -> None:
        self.bounds = bounds
        self.keep, self.stable = keep, stable
        # selected speakers, and activities, once `reconstruct` was called
        self._frames: tuple[SlidingWindowFeature, SlidingWindowFeature] | None = None
        self._hard_clusters = np.empty((0, 0), dtype=int)
        self._turns: Annotation | None = None

    @contextmanager
    def in_use(self) -> Iterator[None]:
        """Make `reconstruct` use this instance."""
        token = _current.set(self)
        requested = self.bounds != SpeakerBounds()
        try:
            with without_warning_of_number() if requested else nullcontext():
                yield
        finally:
            _current.reset(token)

    def __call__(
        self,
        segmentations: SlidingWindowFeature,
        hard_clusters: np.ndarray,
        count: SlidingWindowFeature,
    ) -> SlidingWindowFeature:
        """Select the active clusters of each frame, see `reconstruct`."""
        if self._frames is not None:
            # the second call, for the exclusive diarization, which `finish` computes
            first, _ = self._frames
            return SlidingWindowFeature(first.data[:, :0], first.sliding_window)
        activity, counted = steps.frame_activity(segmentations, hard_clusters, count)
        selected = steps.select_speakers(activity.data, counted, stable=self.stable)
        if self.keep:
            keep_speakers(selected, activity.data, self.bounds.fewest)
        discrete = SlidingWindowFeature(selected, activity.sliding_window)
        self._hard_clusters, self._frames = hard_clusters, (discrete, activity)
        return discrete

    def keep_turns(self, discrete: SlidingWindowFeature, turns: Annotation) -> None:
        """Keep the turns of the selected speakers, for `finish`."""
        if self._frames is not None and discrete is self._frames[0]:
            self._turns = turns

    def finish(
        self,
        output: DiarizeOutput | Annotation,
        min_duration_off: float,
        naming: Naming,
    ) -> DiarizeOutput | Annotation:
        """Complete the output of pyannote.audio, and compare it with the request.

        Parameters
        ----------
        output : DiarizeOutput or Annotation
            Output of `SpeakerDiarization.apply`.
        min_duration_off : float
            Longest pause that was filled, in seconds.
        naming : {"appearance", "cluster", "reference"}
            Names of speakers: SPEAKER_00, SPEAKER_01, ... in the order of their first
            turn; numbers of their clusters; those that pyannote.audio gave after the
            reference.

        Returns
        -------
        output : DiarizeOutput or Annotation
            `output` with other names, and an exclusive diarization without overlap.

        Warns
        -----
        UserWarning
            If the number of speakers is not the requested one, or the exclusive
            diarization lacks a speaker of a cluster.
        """
        diarization = getattr(output, "speaker_diarization", output)
        self._warn_of_number(diarization)
        if self._frames is None:
            return output
        discrete, activity = self._frames
        turns = self._turns
        if turns is None:
            turns = find_turns(discrete, min_duration_off=min_duration_off)
        # both have the same tracks
        clusters = {
            diarization[turn, track]: cluster
            for turn, track, cluster in turns.itertracks(yield_label=True)
        }
        names = _names(diarization, clusters, naming)
        if not isinstance(output, DiarizeOutput):
            return output.rename_labels(mapping=names)
        exclusive = exclusive_turns(turns, discrete, activity)
        exclusive.uri = diarization.uri
        # a speaker without activity stands for more speakers at once than clusters
        real = {name for name in names if activity.data[:, clusters[name]].any()}
        by_cluster = {cluster: name for name, cluster in clusters.items()}
        exclusive = exclusive.rename_labels(mapping=by_cluster)
        if lacking := [names[name] for name in real - {*exclusive.labels()}]:
            warnings.warn(
                f"The exclusive diarization of '{diarization.uri}' lacks "
                f"{', '.join(sorted(map(str, lacking)))}: whenever they speak, another "
                "speaker is more active.",
                stacklevel=4,
            )
        completed = replace(output, exclusive_speaker_diarization=exclusive)
        return rename_speakers(completed, names)

    def _warn_of_number(self, diarization: Annotation) -> None:
        found = len(diarization.labels())
        if self.bounds.fewest <= found <= self.bounds.most:
            return
        clustered = self._hard_clusters[self._hard_clusters >= 0]
        num_clusters = len(np.unique(clustered))
        if found == 0:
            reason = "there is no speech"
        elif not self.keep:
            reason = "compatibility='diarizen' gives the number of the original"
        elif found < self.bounds.fewest and num_clusters < self.bounds.fewest:
            reason = f"{len(clustered)} embedding(s) make {num_clusters} cluster(s)"
        else:
            reason = "the clustering does not take the number into account"
        warnings.warn(
            f"'{diarization.uri}' has {found} speaker(s) in the result, instead of "
            f"{self.bounds.described()}: {reason}.",
            stacklevel=5,
        )


def reconstruct(
    segmentations: SlidingWindowFeature,
    hard_clusters: np.ndarray,
    count: SlidingWindowFeature,
) -> SlidingWindowFeature:
    """Select the active clusters of each frame.

    Equals `SpeakerDiarization.reconstruct` of pyannote.audio, without an array of
    float64, if no number of speakers is requested and no speakers are equally active.

    Parameters
    ----------
    segmentations : (num_chunks, num_frames, num_speakers) SlidingWindowFeature
        Activity.
    hard_clusters : (num_chunks, num_speakers) np.ndarray
        Cluster of each local speaker, -2 if none.
    count : (total_num_frames, 1) SlidingWindowFeature
        Number of speakers at each frame.

    Returns
    -------
    discrete_diarization : (total_num_frames, num_clusters) SlidingWindowFeature
        0 or 1.
    """
    reconstruction = _current.get(None) or Reconstruction(SpeakerBounds())
    return reconstruction(segmentations, hard_clusters, count)


def to_annotation(
    discrete_diarization: SlidingWindowFeature, **durations: float
) -> Annotation:
    """Find the turns of speakers, see `find_turns`; the instance in use keeps them."""
    turns = find_turns(discrete_diarization, **durations)
    if reconstruction := _current.get(None):
        reconstruction.keep_turns(discrete_diarization, turns)
    return turns


def keep_speakers(
    discrete: np.ndarray, activity: np.ndarray, num_speakers: int
) -> None:
    """Give frames to speakers who are selected nowhere, in place.

    These are the frames where the activity of the speaker is the largest share of that
    of the most active one; frames without speech only if there are no others. The
    speaker takes the place of the least active selected one, or is added where that one
    would lose more than half of its frames.

    Parameters
    ----------
    discrete : (num_frames, num_speakers) np.ndarray
        Selected speakers, 0 or 1.
    activity : (num_frames, num_speakers) np.ndarray
        Activity, at least 0. A speaker without activity gets no frame.
    num_speakers : int
        Number of speakers to reach, the most active ones first.

    Examples
    --------
    >>> discrete = np.array([[1, 0], [1, 0], [1, 0], [1, 0]])
    >>> activity = np.array([[4, 0], [4, 1], [2, 1], [4, 0]])
    >>> keep_speakers(discrete, activity, num_speakers=2)
    >>> discrete.tolist()
    [[1, 0], [1, 0], [0, 1], [1, 0]]
    """
    # a turn that starts in the last frame has no duration
    discrete, activity = discrete[:-1], activity[:-1]
    selected = discrete.any(axis=0)  # (num_speakers,)
    lacking = num_speakers - np.sum(selected)
    if lacking <= 0:
        return
    # (num_speakers,), signed: activity may be unsigned
    totals = np.where(selected, 0, activity.sum(axis=0, dtype=float))
    strongest = activity.max(axis=1, initial=0)  # (num_frames,)
    for speaker in np.argsort(-totals, stable=True)[:lacking]:
        if totals[speaker] == 0:
            return
        share = activity[:, speaker] / np.maximum(strongest, 1e-9)  # (num_frames,)
        speech = np.asarray(discrete.any(axis=1))  # (num_frames,)
        in_speech = share[speech].any()
        if in_speech:
            share[~speech] = 0
        frames = np.flatnonzero(share == share.max())
        ranked = np.where(discrete[frames] > 0, activity[frames], np.inf)
        least = ranked.argmin(axis=1)  # (len(frames),), least active selected speaker
        discrete[frames, speaker] = 1
        for other in np.unique(least) if in_speech else ():
            yielded = frames[least == other][: int(discrete[:, other].sum() // 2)]
            discrete[yielded, other] = 0


def exclusive_turns(
    turns: Annotation,
    discrete_diarization: SlidingWindowFeature,
    activity: SlidingWindowFeature,
) -> Annotation:
    """Keep one speaker at a time: the most active one.

    Speakers who are selected in a frame come before those whose pause was filled.

    Parameters
    ----------
    turns : Annotation
        Turns that `find_turns` found in `discrete_diarization`.
    discrete_diarization, activity : (num_frames, num_speakers) SlidingWindowFeature
        Selected speakers, 0 or 1, and activities.

    Returns
    -------
    exclusive : Annotation
        Turns without overlap, that cover the same speech.
    """
    frames, selected = discrete_diarization.sliding_window, discrete_diarization.data
    spoken = turn_frames(turns, range(selected.shape[1]), frames, len(selected))
    (several,) = np.nonzero(spoken.sum(axis=1) > 1)
    scores = activity.data[several].astype(np.float32)  # (len(several), num_speakers)
    scores += selected[several] * (1 + scores.max(initial=0))
    scores[~spoken[several]] = -1
    spoken[several] = np.arange(spoken.shape[1]) == scores.argmax(axis=1)[:, None]
    return find_turns(SlidingWindowFeature(spoken, frames))


def _names(
    diarization: Annotation, clusters: Mapping[Label, int], naming: Naming
) -> Mapping[Label, Label]:
    """Return the new name of each speaker."""
    if naming == "cluster":
        return clusters
    if naming == "reference":
        return {name: name for name in clusters}
    order = enumerate(labels_by_appearance(diarization))
    return {name: f"SPEAKER_{rank:02d}" for rank, name in order}


def labels_by_appearance(annotation: Annotation) -> list[Label]:
    """Labels in the order of their first turn; at the same time, shorter turn first."""
    turns = annotation.itertracks(yield_label=True)
    return list(dict.fromkeys(label for _, _, label in turns))


def rename_speakers(
    output: DiarizeOutput, mapping: Mapping[str, str | int]
) -> DiarizeOutput:
    """Rename speakers, and sort their embeddings by the new names.

    Parameters
    ----------
    output : DiarizeOutput
        Output whose speakers are renamed.
    mapping : Mapping
        New name of each speaker. Speakers with the same new name become one, whose
        embedding is their mean.

    Returns
    -------
    renamed : DiarizeOutput
        Output with new names.
    """
    before = output.speaker_diarization
    diarization = before.rename_labels(mapping=mapping)
    names = [mapping[name] for name in before.labels()]
    embeddings = output.speaker_embeddings  # (num_speakers, dimension), in label order
    if embeddings is not None:
        # for each new name, the mask of its old speakers
        rows = [[name == new for name in names] for new in diarization.labels()]
        means = [embeddings[row].mean(axis=0) for row in rows]
        embeddings = np.array(means).reshape(-1, embeddings.shape[1])
    return DiarizeOutput(
        speaker_diarization=diarization,
        exclusive_speaker_diarization=(
            output.exclusive_speaker_diarization.rename_labels(mapping=mapping)
        ),
        speaker_embeddings=embeddings,
    )
