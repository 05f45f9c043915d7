# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Quality of clusterings: three tables of docs/clustering.md.

    python benchmarks/clustering.py --quality          # the default
    python benchmarks/clustering.py --few              # few embeddings a speaker
    python benchmarks/clustering.py --counts           # evidence by number of speakers
    python benchmarks/clustering.py --write            # all, into the document

Embeddings are drawn from the PLDA of the bundled pipeline, or are those that its model
makes of the development speakers of the folder PYANNOTE_DIARIZEN_SHARED, by default
`../shared`.
"""

import argparse
import os
from collections.abc import Callable, Mapping, Sequence
from contextlib import redirect_stdout
from functools import cache, partial
from io import StringIO

from pyannote_diarizen._host import import_pyannote

# telemetry off before pyannote.audio is imported
os.environ.setdefault("PYANNOTE_METRICS_ENABLED", "0")
import_pyannote()

import numpy as np
import yaml
from conversations import (
    Conversation,
    Voices,
    draw_conversation,
    embed_speakers,
    real_voices,
    simulated_voices,
)
from pyannote.audio import Model
from pyannote.audio.pipelines import clustering as host
from pyannote.audio.pipelines.clustering import BaseClustering
from reports import ROOT, SHARED, table, write_results

from pyannote_diarizen.clustering import (
    PLDA,
    AgglomerativeClustering,
    AutoClustering,
    VBxClustering,
)
from pyannote_diarizen.clustering.original import OriginalVBxClustering
from pyannote_diarizen.evaluation.metrics import equal_error_rates
from pyannote_diarizen.hub.bundled import bundled_folder

DOCUMENT = ROOT / "docs" / "clustering.md"
NAME = "benchmarks/clustering.py"
PARTS = ("quality", "few", "counts")
"""Names of the marks in the document, after `NAME`."""

NUM_SPEAKERS = (2, 5, 10, 20)
FEW_EMBEDDINGS = ((1, 4), (3, 10), (6, 15))
"""Fewest and most embeddings of each of one to four speakers."""

Grid = Sequence[Mapping[str, object]]

AGGLOMERATIVE: Grid = [
    {"method": "centroid", "min_cluster_size": 12, "threshold": threshold}
    for threshold in np.arange(0.5, 1.21, 0.05)
]
VBX: Grid = [
    {"threshold": 0.6, "Fa": Fa, "Fb": Fb}
    for Fa, Fb in ((0.07, 0.8), (0.07, 4), (0.2, 1), (0.2, 4), (0.2, 14))
]
"""Those of published pipelines, and some that find more or fewer speakers."""
FEW: Grid = [{**parameters, "min_cluster_size": 1} for parameters in AGGLOMERATIVE]
AUTO: Grid = [{"agglomerative": few, "vbx": vbx} for few in FEW for vbx in VBX]

Score = tuple[float, float]
"""Purity of clusters, and how far their number is off."""


def score(clusters: np.ndarray, truth: np.ndarray) -> Score:
    """Purity, those left unassigned being impure, and error of the number."""
    active = truth >= 0
    found, speakers = clusters[active], truth[active]
    assigned = found >= 0
    numbers, found = np.unique(found[assigned], return_inverse=True)
    shared = np.zeros((len(numbers), truth.max() + 1))
    np.add.at(shared, (found, speakers[assigned]), 1)
    purity = shared.max(axis=1, initial=0).sum() / len(speakers)
    return float(purity), float(abs(len(numbers) - (truth.max() + 1)))


def mean_score(
    clustering: BaseClustering, conversations: Sequence[Conversation], hint: bool
) -> Score:
    """Mean scores, with or without the number of speakers being given."""
    scores = []
    for conversation in conversations:
        given = conversation.num_speakers if hint else None
        with redirect_stdout(StringIO()):  # the host prints how many it found
            clusters, _, _ = clustering(
                embeddings=conversation.embeddings.copy(),
                segmentations=conversation.segmentations,
                num_clusters=given,
                min_clusters=given or 1,
                max_clusters=given or np.inf,
            )
        scores.append(score(clusters, conversation.truth))
    purity, error = np.mean(scores, axis=0)
    return float(purity), float(error)


def instantiate_best(
    clustering: BaseClustering,
    candidates: Grid,
    conversations: Sequence[Conversation],
) -> BaseClustering:
    """Give it the hyper-parameters that suit conversations best, number not given."""

    def merit(parameters: Mapping[str, object]) -> tuple[float, float]:
        clustering.instantiate(parameters)
        purity, error = mean_score(clustering, conversations, hint=False)
        return purity - error, purity

    return clustering.instantiate(max(candidates, key=merit))


def clusterings(
    plda: PLDA, others: Sequence[Conversation]
) -> dict[str, BaseClustering]:
    """Build the clusterings to compare, each at its best for `others`."""
    candidates: dict[str, tuple[BaseClustering, Grid]] = {
        "pyannote AHC": (host.AgglomerativeClustering(), AGGLOMERATIVE),
        "pyannote VBx": (host.VBxClustering(plda), VBX),
        "original": (OriginalVBxClustering(plda), VBX),
        "ours": (VBxClustering(plda), VBX),
        "ours, by evidence": (VBxClustering(plda, number_by="evidence"), VBX),
    }
    return {
        name: instantiate_best(clustering, grid, others)
        for name, (clustering, grid) in candidates.items()
    }


def compare(voices: Mapping[str, Voices], plda: PLDA, num_voices: int) -> str:
    """Purity and speaker-count error, with and without the number given."""
    cells: dict[bool, list[list[str]]] = {False: [], True: []}
    for kind, draw in voices.items():
        others = [
            draw_conversation(draw, number, np.random.default_rng([number, 1]))
            for number in NUM_SPEAKERS
        ]
        systems = clusterings(plda, others)
        sums = {hint: np.zeros((len(systems), 2)) for hint in cells}
        for number in NUM_SPEAKERS:
            rng = np.random.default_rng([number, 0])
            drawn = [
                draw_conversation(draw, number, rng)
                for _ in range(num_voices // number)
            ]
            for hint, rows in cells.items():
                scores = [
                    mean_score(system, drawn, hint) for system in systems.values()
                ]
                sums[hint] += scores
                rows.append([kind, str(number), *map(cell, scores)])
        for hint, rows in cells.items():
            rows.append([kind, "all", *map(cell, sums[hint] / len(NUM_SPEAKERS))])
    header = ["voices", "speakers", *systems]
    return (
        f"Number not given:\n\n{table(header, cells[False])}\n"
        f"Number given:\n\n{table(header, cells[True])}\n"
        "Purity, and mean error of the number; as many conversations in each row as "
        f"have {num_voices} speakers in all.\n"
    )


def few(num_conversations: int) -> str:
    """Table of conversations with few embeddings of each speaker."""
    plda, _ = bundled()
    systems: dict[str, tuple[BaseClustering, Grid]] = {
        "agglomerative": (AgglomerativeClustering(), FEW),
        "vbx": (VBxClustering(plda), VBX),
        "vbx, by evidence": (VBxClustering(plda, number_by="evidence"), VBX[:1]),
        "auto": (AutoClustering(plda), AUTO),
    }
    rows = []
    for fewest, most in FEW_EMBEDDINGS:
        for kind, voices in both_voices(plda).items():
            others, drawn = (
                [
                    draw_conversation(
                        voices,
                        1 + i % 4,
                        np.random.default_rng([i, seed]),
                        fewest,
                        most,
                    )
                    for i in range(count)
                ]
                for seed, count in ((1, 16), (0, num_conversations))
            )
            scores = [
                mean_score(instantiate_best(system, grid, others), drawn, hint=False)
                for system, grid in systems.values()
            ]
            rows.append([f"{fewest} to {most}", kind, *map(cell, scores)])
    return table(["embeddings of a speaker", "voices", *systems], rows) + (
        f"\nPurity, and mean error of the number, which is not given; "
        f"{num_conversations} conversations of one to four speakers in each row.\n"
    )


def cell(scores: Sequence[float]) -> str:
    """Purity and error of the number."""
    return f"{scores[0]:.1%}, {scores[1]:.1f}"


def bundled() -> tuple[PLDA, dict[str, float]]:
    """PLDA and hyper-parameters of VBx of the bundled pipeline."""
    folder = bundled_folder()
    config = yaml.safe_load((folder / "config.yaml").read_text(encoding="utf-8"))
    return PLDA.from_pretrained(folder / "plda"), config["params"]["clustering"]


@cache
def development_speakers() -> tuple[np.ndarray, np.ndarray]:
    """Embeddings of the bundled model, and their speakers."""
    folder = bundled_folder() / "embedding"
    model = Model.from_pretrained(folder / "pytorch_model.bin").eval()
    return embed_speakers(model, SHARED / "speech")


def both_voices(plda: PLDA) -> dict[str, Voices]:
    """Voices by their kind: simulated and real."""
    return {
        "simulated": simulated_voices(plda),
        "real": real_voices(*development_speakers()),
    }


def quality(num_voices: int) -> str:
    """Tables of quality."""
    plda, _ = bundled()
    compared = compare(both_voices(plda), plda, num_voices)
    embeddings, labels = development_speakers()
    rates = equal_error_rates(plda, embeddings, labels)
    return (
        f"{compared}\nEqual error rates, all pairs of {len(labels):,} embeddings of "
        f"{len(np.unique(labels))} real voices:\n\n"
        + table(list(rates), [[f"{rate:.2%}" for rate in rates.values()]])
    )


def evidence_by_count(num_speakers: int = 5, most: int = 10) -> str:
    """Table of the evidence for each number of speakers of a conversation."""
    plda, _ = bundled()
    clustering = VBxClustering(plda).instantiate(VBxClustering.default_parameters())
    rows = []
    for kind, draw in both_voices(plda).items():
        drawn = draw_conversation(draw, num_speakers, np.random.default_rng(0))
        evidence = clustering.evidence(
            drawn.embeddings, drawn.segmentations, range(1, most + 1)
        )
        below = evidence.log_evidence - evidence.log_evidence.max()
        rows.append([kind, *(f"{nats:.0f}" for nats in below), str(evidence.found)])
    header = ["voices", *map(str, range(1, most + 1)), "found by VBx"]
    return table(header, rows) + (
        f"\nNats below the best number, by number; {num_speakers} speakers talk.\n"
    )


def main() -> None:
    """Parse arguments."""
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--quality", action="store_true", help="the default")
    parser.add_argument("--few", action="store_true", help="few embeddings a speaker")
    parser.add_argument("--counts", action="store_true", help="evidence by number")
    parser.add_argument("--voices", type=int, default=400, help="of each row")
    parser.add_argument("--write", action="store_true", help=f"into {DOCUMENT.name}")
    options = parser.parse_args()

    measure: dict[str, Callable[[], str]] = {
        "quality": partial(quality, options.voices),
        "few": partial(few, 2 * options.voices // 5),
        "counts": evidence_by_count,
    }
    chosen = [part for part in PARTS if getattr(options, part)]
    for part in chosen or (PARTS if options.write else ["quality"]):
        results = measure[part]()
        print(results, flush=True)
        if options.write:
            write_results(DOCUMENT, f"{NAME} {part}", results)


if __name__ == "__main__":
    main()
