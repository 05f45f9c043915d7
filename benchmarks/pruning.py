# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Size, speed and errors of a model after each stage of pruning: table of the docs.

    python benchmarks/pruning.py MODEL PROTOCOL --database database.yml --into runs \
        --sparsity 0.5 --sparsity 0.8 --write-docs

Prunings are those of `pyannote-diarizen prune`, in folders of their own: a second call
goes on after an interruption, and only measures what is finished. Options (`-o`) are
passed on.
"""

import os
from collections.abc import Iterator
from pathlib import Path
from typing import Annotated

import typer

from pyannote_diarizen._host import import_pyannote

# telemetry off before pyannote.audio is imported
os.environ.setdefault("PYANNOTE_METRICS_ENABLED", "0")
import_pyannote()

import torch
from pyannote.database import ProtocolFile
from reports import write_results

from pyannote_diarizen.corpora.protocols import load_protocol, subset_files
from pyannote_diarizen.diagnosis.summary import count_macs
from pyannote_diarizen.evaluation.measure import measure
from pyannote_diarizen.evaluation.metrics import DiarizationScore
from pyannote_diarizen.evaluation.pruning_report import compare_cost
from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE, resolve_pipeline
from pyannote_diarizen.models.checkpoint import WEIGHTS, load_model
from pyannote_diarizen.pipelines import DiariZen
from pyannote_diarizen.training.pruning_stages import Pruning, run_pruning

DOCS = Path(__file__).parents[1] / "docs" / "pruning.md"
NAME = "benchmarks/pruning.py"
"""Name in the marks around the table."""

STAGES = {
    "l0, pruned after the first stage": Path("pruned") / WEIGHTS,
    "l0, distilled": Path("distil") / "average" / WEIGHTS,
    "l0, trained": Path("model") / WEIGHTS,
}


def checkpoints(
    plan: Pruning, into: Path, sparsities: list[float]
) -> Iterator[tuple[str, float, Path]]:
    """Prune, and yield the name, sparsity and checkpoint of each model."""
    for sparsity in sparsities:
        for method in ("magnitude", "importance", "l0"):
            options = {**vars(plan), "method": method, "sparsity": sparsity}
            folder = into / f"{method}-{sparsity}"
            path = run_pruning(Pruning(**options), folder, lambda *_: None)
            stages = STAGES if method == "l0" else {f"{method}, not trained": path}
            for name, stage in stages.items():
                yield name, sparsity, folder / stage if method == "l0" else path


def row(
    name: str, sparsity: str, path: Path, dense: Path, files: list[ProtocolFile]
) -> str:
    """Measure a model against the dense one."""
    model, reference = load_model(path), load_model(dense)
    duration = model.specifications.duration
    generator = torch.Generator().manual_seed(0)
    waveforms = torch.randn(1, 1, round(16000 * duration), generator=generator)
    ratio = compare_cost(reference, model, waveforms).speed_ratio
    pipeline = DiariZen.from_pretrained(
        resolve_pipeline(DEFAULT_PIPELINE), segmentation=str(path)
    )
    scores = [measure(pipeline, file).score for file in files]
    score = sum(scores, DiarizationScore())
    shares = [score.error, score.missed_detection, score.false_alarm, score.confusion]
    cells = [
        name,
        sparsity,
        f"{sum(p.numel() for p in model.wavlm_model.parameters()):,}",
        f"{count_macs(model)[''] / 1e6:.0f} M",
        f"{ratio:.2f}",
        *(f"{score.share(seconds):.1%}" for seconds in shares),
    ]
    return f"| {' | '.join(cells)} |"


def main(
    model: Annotated[Path, typer.Argument(help="Checkpoint with a dense WavLM.")],
    protocol: Annotated[str, typer.Argument(help="Protocol to train and measure on.")],
    into: Annotated[Path, typer.Option(help="Folder of the prunings.")],
    database: Annotated[Path | None, typer.Option()] = None,
    sparsity: Annotated[list[float] | None, typer.Option()] = None,
    option: Annotated[list[str] | None, typer.Option("--option", "-o")] = None,
    write: Annotated[bool, typer.Option("--write-docs")] = False,
) -> None:
    """Print the table, in Markdown."""
    path = None if database is None else str(database.resolve())
    plan = Pruning(str(model), protocol, path, options=option or [])
    files = subset_files(load_protocol(protocol, path), "development")
    rows = [
        "| model | sparsity | parameters of WavLM | MACs, 1 s | speed | DER | missed | "
        "false alarm | confusion |",
        "|---|---:|---:|---:|---:|---:|---:|---:|---:|",
        row("dense", "", model, model, files),
    ]
    for name, share, checkpoint in checkpoints(plan, into, sparsity or [0.5, 0.8]):
        rows.append(row(name, f"{share:.0%}", checkpoint, model, files))
    results = "\n".join([*rows, ""])
    print(results)
    if write:
        write_results(DOCS, NAME, results)


if __name__ == "__main__":
    typer.run(main)
