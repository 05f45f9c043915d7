# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Quality and speed of pipelines on conversations: the table of the model card.

    python benchmarks/bundled.py diarizen-tiny --write-card
    python benchmarks/bundled.py diarizen-tiny FOLDER --simulated 40

Several pipelines are compared in one run, with one speaker everywhere as a baseline.
Each is also measured with perfect clustering, the limit of its segmentation, and with
the number of speakers given. Another segmentation or embedding is another folder. The
AMI excerpts and the utterances are in the folder PYANNOTE_DIARIZEN_SHARED, by default
`../shared`.
"""

import os
import platform
import time
from collections.abc import Callable, Iterable, Mapping
from dataclasses import replace
from functools import cache
from importlib.metadata import version
from pathlib import Path
from typing import Annotated, Any, NamedTuple

import typer
from pyannote.core import Annotation
from pyannote.database import FileFinder, registry

from pyannote_diarizen._host import import_pyannote

# telemetry off before pyannote.audio is imported
os.environ.setdefault("PYANNOTE_METRICS_ENABLED", "0")
import_pyannote()

import numpy as np
import torch
from pyannote.audio.pipelines.speaker_diarization import DiarizeOutput
from reports import ROOT, SHARED, write_results
from simulations import Simulations

from pyannote_diarizen.audio.reader import audio_info
from pyannote_diarizen.audio.sample import sample_file
from pyannote_diarizen.evaluation.metrics import DiarizationScore, score_diarization
from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE, resolve_pipeline
from pyannote_diarizen.hub.loading import choose_device, load_pipeline
from pyannote_diarizen.pipelines import DiariZen
from pyannote_diarizen.pipelines.features import features_of
from pyannote_diarizen.pipelines.files import without_reference

NAME = "benchmarks/bundled.py"
"""Name in the marks around the table."""

PERFECT, GIVEN = "perfect clustering", "number of speakers given"
"""Conditions of the other rows of a pipeline."""

Files = Iterable[Mapping[str, Any]]


class Result(NamedTuple):
    """Output of a system, and the seconds that it took, 0 if not measured."""

    output: DiarizeOutput | Annotation
    processing_time: float = 0.0

    @property
    def diarization(self) -> Annotation:
        """Turns of speakers."""
        return getattr(self.output, "speaker_diarization", self.output)


System = Callable[[Mapping[str, Any]], dict[str, Result]]
"""Diarizes an annotated file; results by condition, "" without any."""


def conversations() -> dict[str, Files]:
    """Return annotated files that are in no training data, by their collection."""
    return {
        "sample of pyannote.audio": [sample_file()],
        "AMI excerpts, development": list(ami_excerpts().development()),
    }


def other_conversations(num_simulated: int) -> dict[str, Files]:
    """Return annotated files that were trained on, and simulated conversations."""
    collections: dict[str, Files] = {
        "AMI excerpts, training": list(ami_excerpts().train())
    }
    if num_simulated:
        simulations = Simulations.from_folder(SHARED / "speech")
        collections[f"{num_simulated} simulations"] = simulations.files(num_simulated)
    return collections


@cache
def ami_excerpts() -> Any:
    """Protocol of the excerpts."""
    registry.load_database(SHARED / "audio" / "ami" / "database.yml")
    return registry.get_protocol(
        "AMIExcerpts.SpeakerDiarization.Excerpts", {"audio": FileFinder()}
    )


class Variants:
    """A pipeline under all conditions; its networks run once.

    Parameters
    ----------
    source : str
        Name, folder or hub identifier of a `DiariZen` pipeline.
    device : str
        Device of the networks.
    """

    def __init__(self, source: str, device: str) -> None:
        self.pipeline = load_pipeline(source, device)
        self.perfect = DiariZen.from_pretrained(
            resolve_pipeline(source), clustering="OracleClustering"
        ).to(choose_device(device))

    def __call__(self, file: Mapping[str, Any]) -> dict[str, Result]:
        """Diarize an annotated file, whose reference only `PERFECT` and `GIVEN` use."""
        reference = file["annotation"]
        num_speakers = len(reference.labels())
        started = time.perf_counter()
        output = self.pipeline(without_reference(file))
        seconds = time.perf_counter() - started
        features = features_of(output)
        known = replace(features, file={**features.file, "annotation": reference})
        perfect = self.perfect.recluster(known, num_speakers)
        given = self.pipeline.recluster(output, num_speakers)
        return {
            "": Result(output, seconds),
            PERFECT: Result(perfect),
            GIVEN: Result(given),
        }


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
    condition : str, optional
        Condition of `System`. Defaults to none.
    """

    def __init__(self, data: str, system: str, condition: str = "") -> None:
        self.data, self.system, self.condition = data, system, condition
        self.score = DiarizationScore()
        self.excess: list[int] = []
        self.processing_time = self.duration = 0.0

    def add(self, file: Mapping[str, Any], result: Result) -> None:
        """Add the result for one file."""
        reference, diarization = file["annotation"], result.diarization
        self.score += score_diarization(reference, diarization, file["annotated"])
        self.excess.append(len(diarization.labels()) - len(reference.labels()))
        self.processing_time += result.processing_time
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
        system = ", ".join(filter(None, [self.system, self.condition]))
        return f"| {' | '.join([self.data, system, *cells])} |"


def rows(data: str, files: Files, systems: Mapping[str, System]) -> list[Row]:
    """Measure the baseline, and systems after a warm-up, on one collection."""
    baseline = Row(data, "one speaker everywhere")
    measured: dict[tuple[str, str], Row] = {}
    for index, file in enumerate(files):
        baseline.add(file, Result(one_speaker_everywhere(file)))
        for name, system in systems.items():
            if index == 0:
                system(file)
            for condition, result in system(file).items():
                row = measured.setdefault((name, condition), Row(data, name, condition))
                row.add(file, result)
    return [baseline, *measured.values()]


def table(rows: Iterable[Row], device: str) -> str:
    """Format rows, with a description of the machine and the software."""
    header = (
        "| data | system | DER | missed | false alarm | confusion | speakers | excess "
        "| real-time factor |\n|---|---|---:|---:|---:|---:|---:|---:|---:|"
    )
    return "\n".join([header, *map(str, rows), "", conditions(device), ""])


def conditions(device: str) -> str:
    """Describe the machine and the software."""
    versions = ", ".join(
        f"{name} {version(name)}"
        for name in ("pyannote-diarizen", "pyannote.audio", "torch")
    )
    return (
        "No collar, overlap scored. Speakers: mean error of their number, and mean "
        "excess. Real-time factor: "
        f"seconds of processing per second of audio, on {device} "
        f"({platform.processor() or platform.machine()}, threads: "
        f"{torch.get_num_threads()}). {versions}."
    )


def main(
    pipelines: Annotated[
        list[str] | None, typer.Argument(help="Names, folders or hub identifiers.")
    ] = None,
    write: Annotated[
        bool,
        typer.Option(
            "--write-card",
            help="Write README.md of the first pipeline; of the default one, also "
            "that of the project.",
        ),
    ] = False,
    simulated: Annotated[
        int, typer.Option(help="Number of simulated conversations.")
    ] = 0,
    device: Annotated[str, typer.Option(help="Device of the networks.")] = "cpu",
) -> None:
    """Print the diarization error rate and speed of pipelines as a Markdown table."""
    names = pipelines or [DEFAULT_PIPELINE]
    systems = {Path(name).name: Variants(name, device) for name in names}
    collections = {**conversations(), **other_conversations(simulated)}
    measured: list[Row] = []
    for data, files in collections.items():
        measured += rows(data, files, systems)
    results = table(measured, device)
    print(results)
    if write:
        write_results(Path(resolve_pipeline(names[0])) / "README.md", NAME, results)
        if names[0] == DEFAULT_PIPELINE:
            short = [row for row in measured if not row.condition]
            write_results(ROOT / "README.md", NAME, table(short, device))


if __name__ == "__main__":
    typer.run(main)
