# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Behaviour of the original DiariZen, for `compatibility="diarizen"`.

Published scores of DiariZen were measured with all of the following: the first channel
of a file instead of the average of all; turns in the zeros that fill the last chunk;
embeddings of silent speakers, which compete for clusters; with VBx, no bounds on the
number of clusters, and one spurious speaker made of the unassigned embeddings; speakers
named after their clusters, from 0.
"""

from pyannote.audio.pipelines.clustering import BaseClustering

from pyannote_diarizen.clustering.original import (
    OriginalAgglomerativeClustering,
    OriginalVBxClustering,
)

ORIGINAL_CLUSTERING: dict[str, type[BaseClustering]] = {
    "VBxClustering": OriginalVBxClustering,
    "AgglomerativeClustering": OriginalAgglomerativeClustering,
}
"""Clusterings of the original in place of ours."""
