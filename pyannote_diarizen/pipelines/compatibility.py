# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Behaviour of the original DiariZen, for `compatibility="diarizen"`.

Published scores of DiariZen were measured with all of the following: the first channel
of a file instead of the average of all; turns in the zeros that fill the last chunk;
embeddings of silent speakers, which compete for clusters; with VBx, no bounds on the
number of clusters, and one spurious speaker made of the unassigned embeddings; speakers
named after their clusters, from 0.
"""

from collections.abc import Callable, Iterable, Mapping
from typing import Any

import numpy as np
from pyannote.audio.pipelines.clustering import BaseClustering
from pyannote.audio.pipelines.speaker_diarization import DiarizeOutput
from pyannote.core import Annotation, SlidingWindowFeature

from pyannote_diarizen.clustering.original import (
    OriginalAgglomerativeClustering,
    OriginalVBxClustering,
)
from pyannote_diarizen.pipelines.segmentation import find_turns

ORIGINAL_CLUSTERING: dict[str, type[BaseClustering]] = {
    "VBxClustering": OriginalVBxClustering,
    "AgglomerativeClustering": OriginalAgglomerativeClustering,
}
"""Clusterings of the original in place of ours."""


class ClusterNumbers:
    """Hook that records the clusters which are active in any frame.

    pyannote.audio names speakers SPEAKER_00, SPEAKER_01, ... and skips clusters without
    an active frame; the original names speakers after their clusters.

    Parameters
    ----------
    hook : callable, optional
        Hook that receives the same calls.
    """

    def __init__(self, hook: Callable | None = None) -> None:
        self.hook = hook
        self.discrete_diarization: SlidingWindowFeature | None = None

    def __call__(self, step: str, artifact: Any = None, **progress: Any) -> None:
        """Record the discrete diarization, and call `hook`."""
        if step == "discrete_diarization":
            self.discrete_diarization = artifact
        if self.hook is not None:
            self.hook(step, artifact, **progress)

    def restore(
        self,
        output: DiarizeOutput | Annotation,
        names: Iterable[str],
    ) -> DiarizeOutput | Annotation:
        """Name speakers after their clusters.

        Parameters
        ----------
        output : DiarizeOutput or Annotation
            Output of pyannote.audio.
        names : Iterable of str
            Names that pyannote.audio gives to active clusters, in order.

        Returns
        -------
        numbered : DiarizeOutput or Annotation
            `output` with integers as names of speakers.
        """
        if self.discrete_diarization is None:  # no speech
            return output
        active = find_turns(self.discrete_diarization).labels()
        clusters = dict(zip(names, active, strict=False))
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
