# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Quality and speed of pipelines on real conversations: the table of the model card.

    python benchmarks/bundled.py diarizen-tiny --write-card
    python benchmarks/bundled.py diarizen-tiny FOLDER --simulated 100

Several pipelines are compared in one run, with one speaker everywhere as a baseline,
also on simulated conversations. The AMI excerpts and the utterances are in the folder
PYANNOTE_DIARIZEN_SHARED, by default `../shared`.
"""

import os
import platform
from collections.abc import Iterable, Mapping
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

import numpy as np
import torch
from reports import SHARED, write_results
from simulations import Simulations

from pyannote_diarizen.audio.reader import audio_info
from pyannote_diarizen.audio.sample import sample_file
from pyannote_diarizen.evaluation.measure import measure
from pyannote_diarizen.evaluation.metrics import DiarizationScore, score_diarization
from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE, resolve_pipeline
from pyannote_diarizen.hub.loading import load_pipeline
from pyannote_diarizen.pipelines.files import without_reference

NAME = "benchmarks/bundled.py"
"""Name in the marks around the table."""

Files = Iterable[Mapping[str, Any]]


def conversations(num_simulated: int = 0) -> dict[str, Files]:
    """Return annotated files by name of their collection."""
    registry.load_database(SHARED / "audio" / "ami" / "database.yml")
    excerpts = registry.get_protocol(
        "AMIExcerpts.SpeakerDiarization.Excerpts", {"audio": FileFinder()}
    )
    collections: dict[str, Files] = {
        "sample of pyannote.audio": [sample_file()],
        "AMI excerpts, development": list(excerpts.development()),
    }
    if num_simulated:
        simulations = Simulations.from_folder(SHARED / "speech")
        collections[f"{num_simulated} simulations"] = simulations.files(num_simulated)
    return collections


def one_speaker_everywhere(file: Mapping[str, Any]) -> Annotation:
    """Assign all speech to one speaker: a baseline without audio."""
    diarization = Annotation(uri=file["uri"])
    for region in file["annotated"]:
        diarization[region] = "everyone"
    return diarization


class Row:
    """Errors and speed of one system on one collection.

    Parameters
    ----------
    data, system : str
        First cells of the row.
    """

    def __init__(self, data: str, system: str) -> None:
        self.data, self.system = data, system
        self.score = DiarizationScore()
        self.excess: list[int] = []
        self.processing_time = self.duration = 0.0

    def add(
        self, file: Mapping[str, Any], diarization: Annotation, processing_time: float
    ) -> None:
        """Add the result for one file."""
        reference = file["annotation"]
        self.score += score_diarization(reference, diarization, file["annotated"])
        self.excess.append(len(diarization.labels()) - len(reference.labels()))
        self.processing_time += processing_time
        self.duration += audio_info(file).duration

    def __str__(self) -> str:
        """Format the row; errors are shares of the speech of the reference."""
        score, excess = self.score, np.array(self.excess)
        errors = [score.error, score.missed_detection, score.false_alarm]
        cells = [
            *(f"{score.share(seconds):.1%}" for seconds in (*errors, score.confusion)),
            f"{np.abs(excess).mean():.2f}",
            f"{excess.mean():+.2f}",
            f"{self.processing_time / self.duration:.3f}"
            if self.processing_time
            else "",
        ]
        return f"| {' | '.join([self.data, self.system, *cells])} |"


def rows(data: str, files: Files, pipelines: Mapping[str, Any]) -> list[Row]:
    """Measure the baseline, and pipelines after a warm-up, on one collection."""
    baseline = Row(data, "one speaker everywhere")
    measured = {name: Row(data, name) for name in pipelines}
    for index, file in enumerate(files):
        baseline.add(file, one_speaker_everywhere(file), 0.0)
        for name, pipeline in pipelines.items():
            if index == 0:
                pipeline(without_reference(file))
            measurement = measure(pipeline, file)
            measured[name].add(
                file, measurement.diarization, measurement.processing_time
            )
    return [baseline, *measured.values()]


def conditions(device: str) -> str:
    """Describe the machine and the software."""
    versions = ", ".join(
        f"{name} {version(name)}"
        for name in ("pyannote-diarizen", "pyannote.audio", "torch")
    )
    return (
        "No collar, overlap scored, number of speakers not given. Speakers: mean error "
        "of their number, and mean excess. Real-time factor: "
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
    simulated: Annotated[
        int, typer.Option(help="Number of simulated conversations.")
    ] = 0,
    device: Annotated[str, typer.Option(help="Device of the networks.")] = "cpu",
) -> None:
    """Print the diarization error rate and speed of pipelines as a Markdown table."""
    names = pipelines or [DEFAULT_PIPELINE]
    loaded = {Path(name).name: load_pipeline(name, device) for name in names}
    lines = [
        "| data | system | DER | missed | false alarm | confusion | speakers | excess "
        "| real-time factor |",
        "|---|---|---:|---:|---:|---:|---:|---:|---:|",
    ]
    for data, files in conversations(simulated).items():
        lines += map(str, rows(data, files, loaded))
    results = "\n".join([*lines, "", conditions(device), ""])
    print(results)
    if write:
        write_results(Path(resolve_pipeline(names[0])) / "README.md", NAME, results)


if __name__ == "__main__":
    typer.run(main)
