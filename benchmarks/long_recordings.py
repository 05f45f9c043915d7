# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Clustering of long recordings: two tables of docs/clustering.md.

    python benchmarks/long_recordings.py --hours 1 --hours 4  # seconds and memory
    python benchmarks/long_recordings.py --stages 500         # two stages against one
    python benchmarks/long_recordings.py --write              # both, into the document

Embeddings are drawn from the PLDA of the bundled pipeline.
"""

import time
from collections.abc import Mapping, Sequence
from concurrent.futures import ProcessPoolExecutor
from functools import partial
from multiprocessing import get_context
from pathlib import Path
from typing import Annotated
from unittest.mock import patch

import numpy as np
import typer
from clustering import DOCUMENT, bundled, score
from conversations import CHUNKS, Conversation, lay_out, simulated_voices
from reports import table, write_results
from scipy.cluster.hierarchy import fcluster
from sklearn.metrics import adjusted_rand_score

from pyannote_diarizen.clustering import PLDA, VBxClustering
from pyannote_diarizen.functional.linkage import linkage

NAME = "benchmarks/long_recordings.py"
PARTS = ("hours", "stages")
"""Names of the marks in the document, after `NAME`."""

SPEAKERS_OF_A_DAY = 20
EMBEDDINGS_OF_AN_HOUR = 2083
HOURS = (1.0, 4.0, 12.0, 24.0)
STAGES = (500, 5000)


def cluster_recording(hours: float) -> list[str]:
    """Row of the table of speed, measured in the process that calls."""
    rng = np.random.default_rng(0)
    plda, _ = bundled()
    shares = rng.dirichlet(np.full(SPEAKERS_OF_A_DAY, 2.0))
    counts = rng.multinomial(round(hours * EMBEDDINGS_OF_AN_HOUR), shares)
    recording = lay_out(simulated_voices(plda)(counts, rng), rng, 4, 799)
    clustering = VBxClustering(plda, number_by="evidence")
    clustering.instantiate(VBxClustering.default_parameters())

    before = memory("VmRSS")
    start, start_cpu = time.perf_counter(), time.process_time()
    clusters, _, _ = clustering(recording.embeddings, recording.segmentations)
    seconds, cpu = time.perf_counter() - start, time.process_time() - start_cpu
    purity, _ = score(clusters, recording.truth)
    peak = memory("VmHWM")
    return [
        f"{hours:g}",
        f"{counts.sum():,}",
        f"{seconds:.0f}",
        f"{cpu:.0f}",
        f"{peak - before:.2f}",
        f"{peak:.2f}",
        str(clusters.max() + 1),
        f"{purity:.1%}",
    ]


def memory(kind: str) -> float:
    """Memory of this process, in GiB: "VmRSS" now, "VmHWM" at most so far."""
    status = Path("/proc/self/status").read_text(encoding="ascii")
    return int(status.split(f"{kind}:")[1].split()[0]) / 2**20  # from KiB


def speed(hours: Sequence[float]) -> str:
    """Seconds and peak memory, each row from a process of its own."""
    header = (
        "hours, embeddings, seconds, of processor, GiB for clustering, "
        "GiB of the process, clusters, purity"
    )
    with ProcessPoolExecutor(
        max_workers=1, mp_context=get_context("spawn"), max_tasks_per_child=1
    ) as executor:
        rows = list(executor.map(cluster_recording, hours))
    return table(header.split(", "), rows) + (
        f"\n{SPEAKERS_OF_A_DAY} speakers, chunks of {CHUNKS.duration:g} s every "
        f"{CHUNKS.step:g} s, default hyper-parameters, number by evidence. Memory is "
        "the largest at any time: what clustering adds, and the whole process, with "
        "its libraries and with the embeddings and segmentations that it is given.\n"
    )


def agreement(counts: Sequence[int]) -> str:
    """Table of the agreement of two stages with all distances, by threshold."""
    rng = np.random.default_rng(0)
    plda, parameters = bundled()
    rows = []
    for count in counts:
        shares = rng.dirichlet(np.full(SPEAKERS_OF_A_DAY, 2.0))
        embeddings_of = 1 + rng.multinomial(count - SPEAKERS_OF_A_DAY, shares)
        recording = lay_out(simulated_voices(plda)(embeddings_of, rng), rng)
        rows += [
            [f"{count:,}", *one_stage_against_two(plda, recording, count // 5, given)]
            for given in ({**parameters, "threshold": t} for t in (0.6, 0.75, 0.9))
        ]
    header = "embeddings, threshold, clusters, in two stages, ARI, ARI after VBx"
    return table(header.split(", "), rows) + (
        "\nARI: adjusted Rand index of the two partitions, 1 if they are the same. The "
        "first stage leaves a fifth of the embeddings.\n"
    )


def one_stage_against_two(
    plda: PLDA,
    recording: Conversation,
    max_vectors: int,
    parameters: Mapping[str, float],
) -> list[str]:
    """Row of the table of stages."""
    vectors = recording.embeddings[recording.truth >= 0].astype(float)
    vectors /= np.linalg.norm(vectors, axis=1, keepdims=True)
    clustering = VBxClustering(plda).instantiate(parameters)
    labels, clusters = [], []
    for most in (len(vectors), max_vectors):
        bounded = partial(linkage, max_vectors=most)
        labels.append(fcluster(bounded(vectors), parameters["threshold"], "distance"))
        with patch("pyannote_diarizen.clustering.vbx.dendrogram_of", bounded):
            found, _, _ = clustering(recording.embeddings, recording.segmentations)
        clusters.append(found.ravel())
    return [
        f"{parameters['threshold']:g}",
        *(f"{some.max():,}" for some in labels),
        f"{adjusted_rand_score(*labels):.4f}",
        f"{adjusted_rand_score(*clusters):.4f}",
    ]


def main(
    hours: Annotated[list[float] | None, typer.Option(help="Durations.")] = None,
    stages: Annotated[list[int] | None, typer.Option(help="Embeddings.")] = None,
    write: Annotated[bool, typer.Option(help="Write the document.")] = False,
) -> None:
    """Print the tables."""
    chosen = {"hours": bool(hours), "stages": bool(stages)}
    measure = {
        "hours": lambda: speed(hours or HOURS),
        "stages": lambda: agreement(stages or STAGES),
    }
    for part in [part for part in PARTS if chosen[part]] or PARTS:
        lines = measure[part]()
        print(lines, flush=True)
        if write:
            write_results(DOCUMENT, f"{NAME} {part}", lines)


if __name__ == "__main__":
    typer.run(main)
