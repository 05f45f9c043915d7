# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Quality and speed of pipelines on real conversations: the table of the model card.

    python benchmarks/bundled.py diarizen-tiny --write-card

Several pipelines are compared in one run, with one speaker everywhere as a baseline.
The AMI excerpts are in the folder PYANNOTE_DIARIZEN_SHARED, by default `../shared`.
"""

import os
import platform
from collections.abc import Mapping
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any

import typer
from pyannote.core import Annotation
from pyannote.database import FileFinder, registry

from pyannote_diarizen._host import import_pyannote

# telemetry off before pyannote.audio is imported
os.environ.setdefault("PYANNOTE_METRICS_ENABLED", "0")
import_pyannote()

import torch
from pyannote.audio import Pipeline
from reports import SHARED, write_results

from pyannote_diarizen.audio.sample import sample_file
from pyannote_diarizen.evaluation.measure import measure
from pyannote_diarizen.evaluation.metrics import DiarizationScore, score_diarization
from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE, resolve_pipeline
from pyannote_diarizen.hub.loading import load_pipeline

NAME = "benchmarks/bundled.py"
"""Name in the marks around the table."""

Files = list[Mapping[str, Any]]


def conversations() -> dict[str, Files]:
    """Return annotated files by name of their collection."""
    registry.load_database(SHARED / "audio" / "ami" / "database.yml")
    excerpts = registry.get_protocol(
        "AMIExcerpts.SpeakerDiarization.Excerpts", {"audio": FileFinder()}
    )
    return {
        "sample of pyannote.audio": [sample_file()],
        "AMI excerpts, development": list(excerpts.development()),
    }


def one_speaker_everywhere(file: Mapping[str, Any]) -> Annotation:
    """Assign all speech to one speaker: a baseline without audio."""
    diarization = Annotation(uri=file["uri"])
    for region in file["annotated"]:
        diarization[region] = "everyone"
    return diarization


def baseline_row(data: str, files: Files) -> str:
    """Compute the row of the baseline."""
    scores = (
        score_diarization(
            file["annotation"], one_speaker_everywhere(file), file["annotated"]
        )
        for file in files
    )
    return row(data, "one speaker everywhere", sum(scores, DiarizationScore()), "")


def pipeline_row(data: str, files: Files, name: str, pipeline: Pipeline) -> str:
    """Measure the row of `pipeline`, after a warm-up."""
    pipeline(files[0]["audio"])
    measured = [measure(pipeline, file) for file in files]
    processing_time = sum(measurement.processing_time for measurement in measured)
    duration = sum(measurement.duration for measurement in measured)
    score = sum((measurement.score for measurement in measured), DiarizationScore())
    return row(data, name, score, f"{processing_time / duration:.3f}")


def row(data: str, system: str, score: DiarizationScore, speed: str) -> str:
    """Format a row; errors are shares of the speech of the reference."""
    errors = [score.error, score.missed_detection, score.false_alarm, score.confusion]
    shares = [f"{score.share(seconds):.1%}" for seconds in errors]
    return f"| {' | '.join([data, system, *shares, speed])} |"


def conditions(device: str) -> str:
    """Describe the machine and the software."""
    versions = ", ".join(
        f"{name} {version(name)}"
        for name in ("pyannote-diarizen", "pyannote.audio", "torch")
    )
    return (
        "No collar, overlap scored, number of speakers not given. Real-time factor: "
        f"seconds of processing per second of audio, on {device} "
        f"({platform.processor() or platform.machine()}, {torch.get_num_threads()} "
        f"threads). {versions}."
    )


def main(
    pipelines: Annotated[
        list[str] | None, typer.Argument(help="Names, folders or hub identifiers.")
    ] = None,
    write: Annotated[
        bool,
        typer.Option("--write-card", help="Put the table in README.md of the first."),
    ] = False,
    device: Annotated[str, typer.Option(help="Device of the networks.")] = "cpu",
) -> None:
    """Print the diarization error rate and speed of pipelines as a Markdown table."""
    names = pipelines or [DEFAULT_PIPELINE]
    loaded = {name: load_pipeline(name, device) for name in names}
    rows = [
        "| data | system | DER | missed | false alarm | confusion | real-time factor |",
        "|---|---|---:|---:|---:|---:|---:|",
    ]
    for data, files in conversations().items():
        rows.append(baseline_row(data, files))
        for name, pipeline in loaded.items():
            rows.append(pipeline_row(data, files, Path(name).name, pipeline))
    results = "\n".join([*rows, "", conditions(device), ""])
    print(results)
    if write:
        write_results(Path(resolve_pipeline(names[0])) / "README.md", NAME, results)


if __name__ == "__main__":
    typer.run(main)
