# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Confidence of turns: the expected share of their frames with the right speaker.

Two kinds of evidence are in the kept features of a file, at no cost while it is
diarized. Each frame is in several chunks, which are as many opinions of the
segmentation model. Each speaker of a chunk has an embedding, which a PLDA compares with
the mean embeddings of all speakers, as VBx does. A logistic regression, fitted by
`benchmarks/confidence.py`, makes a probability of both. The posteriors of the
segmentation network themselves improve it by less than 0.01 of the area under the ROC
curve, and are not kept.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

import numpy as np
from pyannote.core import Annotation, Segment
from scipy.special import expit

from pyannote_diarizen.clustering.plda import PLDA
from pyannote_diarizen.errors import unknown_keys
from pyannote_diarizen.pipelines import segmentation as steps
from pyannote_diarizen.pipelines.alignment import chunk_owners
from pyannote_diarizen.pipelines.features import Features
from pyannote_diarizen.pipelines.turn_finding import frame_centres

SpeakerTurn = tuple[Segment, str]


@dataclass(frozen=True)
class ConfidenceCalibration:
    """Logistic regression of the share of right frames.

    Parameters
    ----------
    agreement, margin : float
        Weights of the columns of `turn_evidence`.
    offset : float
        Log-odds where both are zero.
    """

    agreement: float
    margin: float
    offset: float

    @classmethod
    def of(cls, values: Mapping[str, float]) -> "ConfidenceCalibration":
        """Check the keys of a configuration."""
        known = ["agreement", "margin", "offset"]
        if unknown := [key for key in values if key not in known]:
            raise ValueError(unknown_keys("in `confidence`", unknown, known))
        if missing := [key for key in known if key not in values]:
            raise ValueError(f"`confidence` lacks {', '.join(missing)}.")
        return cls(**values)

    def __call__(self, evidence: np.ndarray) -> np.ndarray:
        """Map (num_turns, 2) evidence to (num_turns,) probabilities."""
        weights = np.array([self.agreement, self.margin])
        return expit(evidence @ weights + self.offset)


@dataclass(frozen=True)
class TurnConfidence:
    """Confidence of the turns of a pipeline.

    Parameters
    ----------
    plda : PLDA or None
        PLDA of its embeddings.
    calibration : ConfidenceCalibration or None
        Without it, the confidence is the agreement of chunks, which is no probability.
    """

    plda: PLDA | None
    calibration: ConfidenceCalibration | None

    @property
    def kind(self) -> str:
        """What a confidence is, in a few words."""
        return "calibrated" if self.calibration else "agreement of chunks"

    def __call__(
        self,
        features: Features,
        diarization: Annotation,
        turns: Sequence[SpeakerTurn] | None = None,
    ) -> np.ndarray:
        """Compute the confidence (num_turns,) of turns, see `turn_evidence`."""
        if self.calibration is None:
            return turn_evidence(features, diarization, None, turns)[:, 0]
        evidence = turn_evidence(features, diarization, self.plda, turns)
        return self.calibration(evidence)


def turn_evidence(
    features: Features,
    diarization: Annotation,
    plda: PLDA | None,
    turns: Sequence[SpeakerTurn] | None = None,
) -> np.ndarray:
    """Compute the evidence for turns.

    Parameters
    ----------
    features : Features
        Features of the file.
    diarization : Annotation
        Turns of all speakers, by any method.
    plda : PLDA or None
        PLDA of the embeddings. Without it, margins are 0.
    turns : sequence of (Segment, str), optional
        Turns to evaluate. Default to those of `diarization`.

    Returns
    -------
    evidence : (num_turns, 2) np.ndarray
        Agreement: share of the chunks in which the speaker is active, mean over frames.
        Margin: log-likelihood ratio, in nats, that embeddings of these chunks are of
        the speaker, minus that of the closest other one (or 0, if it is higher).
    """
    labels = diarization.labels()
    turns = turns_in(diarization) if turns is None else turns
    owners = chunk_owners(features, diarization)
    margins = _margins(features, owners, len(labels), plda)
    activity = features.binary_segmentations
    grid, first_frame = steps.place_chunks(activity, features.frames)
    size = activity.data.shape[1]
    num_frames = first_frame[-1] + size
    # sums over the chunks that contain a frame: activity, and activity times margin
    votes = np.zeros((num_frames, len(labels)), np.float32)
    weighted, num_chunks = np.zeros_like(votes), np.zeros(num_frames, np.float32)
    for chunk, first in enumerate(first_frame):
        num_chunks[first : first + size] += 1
        for speaker in np.flatnonzero(owners[chunk] >= 0):
            place = slice(first, first + size), owners[chunk, speaker]
            active = activity.data[chunk, :, speaker]
            votes[place] += active
            weighted[place] += active * margins[chunk, speaker]
    # two speakers of a chunk may belong to the same one
    votes_per_chunk = np.minimum(votes / np.maximum(num_chunks, 1)[:, None], 1)
    centres = frame_centres(grid, num_frames)
    evidence = np.zeros((len(turns), 2))
    for row, (segment, label) in enumerate(turns):
        first, after = np.searchsorted(centres, [segment.start, segment.end])
        first = min(first, num_frames - 1)
        inside = slice(first, max(after, first + 1)), labels.index(label)
        margin = weighted[inside].sum() / max(votes[inside].sum(), 1)
        evidence[row] = votes_per_chunk[inside].mean(), margin
    return evidence


def turns_in(diarization: Annotation) -> list[SpeakerTurn]:
    """List turns in order of time."""
    tracks = diarization.itertracks(yield_label=True)
    return [(segment, label) for segment, _, label in tracks]


def _margins(
    features: Features, owners: np.ndarray, num_labels: int, plda: PLDA | None
) -> np.ndarray:
    """Margin (num_chunks, num_speakers) of each speaker of a chunk, 0 if unknown."""
    margins = np.zeros(owners.shape)
    embeddings = features.embeddings
    usable = (owners >= 0) & np.isfinite(embeddings).all(axis=2)
    usable &= embeddings.any(axis=2)
    if plda is None or not usable.any():
        return margins
    vectors, speakers = embeddings[usable], owners[usable]
    known = np.unique(speakers)  # speakers without any embedding have no mean
    means = np.stack([vectors[speakers == one].mean(axis=0) for one in known])
    ratio = np.full((len(vectors), num_labels), -np.inf)  # one row per embedding
    ratio[:, known] = plda.log_likelihood_ratio(vectors, means)
    rows = np.arange(len(vectors))
    own = ratio[rows, speakers]
    ratio[rows, speakers] = -np.inf
    margins[usable] = own - ratio.max(axis=1, initial=0)
    return margins
