# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""What `compatibility="diarizen"` brings back of the original DiariZen, all at once.

The first channel of a file instead of the average of all; turns in the zeros that fill
up the last chunk; embeddings of silent speakers, who then compete for clusters; with
VBx, no bounds on the number of clusters, and the speakers who found no cluster as one
more speaker; speakers called after their clusters, from 0. Published scores of DiariZen
were measured with all of that.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from pyannote.audio.pipelines.speaker_diarization import (
    DiarizeOutput,
    SpeakerDiarization,
)
from pyannote.core import Annotation, SlidingWindowFeature

ORIGINAL_CLUSTERING: dict[str, dict[str, Any]] = {
    "VBxClustering": {
        "bounded": False,
        "silent_speakers_compete": True,
        "phantom_speaker": True,
        "centroid": "sum",
        "min_share": 0.0,
    },
    "AgglomerativeClustering": {"silent_speakers_compete": True},
}
"""Options of our clusterings that make them those of the original."""


class ClusterNumbers:
    """Hook through which the numbers of clusters that speak become known.

    pyannote.audio calls speakers SPEAKER_00, SPEAKER_01, ... and leaves out clusters
    that speak in no frame; the original calls them after their clusters.

    Parameters
    ----------
    hook : callable, optional
        Called with all that this one is called with.
    """

    def __init__(self, hook: Callable | None = None) -> None:
        self.hook = hook
        self.discrete_diarization: SlidingWindowFeature | None = None

    def __call__(self, step: str, artifact: Any = None, **progress: Any) -> None:
        """Pass on what a step has done."""
        if step == "discrete_diarization":
            self.discrete_diarization = artifact
        if self.hook is not None:
            self.hook(step, artifact, **progress)

    def restore(
        self,
        output: DiarizeOutput | Annotation,
        names: Iterable[str],
        min_duration_off: float,
    ) -> DiarizeOutput | Annotation:
        """Call speakers after their clusters.

        Parameters
        ----------
        output : DiarizeOutput or Annotation
            Result of the steps that were passed on.
        names : Iterable of str
            The names that were given to clusters that speak.
        min_duration_off : float
            Pauses that were filled, in seconds.

        Returns
        -------
        numbered : DiarizeOutput or Annotation
            Like `output`, with integers as speakers.
        """
        if self.discrete_diarization is None:  # nobody speaks
            return output
        numbered = SpeakerDiarization.to_annotation(
            self.discrete_diarization, min_duration_off=min_duration_off
        )
        clusters = dict(zip(names, numbered.labels(), strict=False))
        if isinstance(output, Annotation):
            return output.rename_labels(mapping=clusters)
        return rename_speakers(output, clusters)


def rename_speakers(
    output: DiarizeOutput, mapping: Mapping[str, str | int]
) -> DiarizeOutput:
    """Rename speakers, and sort their embeddings by the new names.

    Parameters
    ----------
    output : DiarizeOutput
    mapping : Mapping
        New name of each speaker. Those who get the same become one, whose embedding is
        the mean of theirs.

    Returns
    -------
    renamed : DiarizeOutput
    """
    before = output.speaker_diarization
    diarization = before.rename_labels(mapping=mapping)
    names = [mapping[name] for name in before.labels()]
    embeddings = output.speaker_embeddings
    if embeddings is not None:
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
