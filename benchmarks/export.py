# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Turns and speed of a pipeline in other runtimes than torch: table of docs/export.md.

    python benchmarks/export.py onnx torchscript --write

Each recording is diarized by torch and by each runtime in turn: the sample of
pyannote.audio, and all AMI excerpts of the folder PYANNOTE_DIARIZEN_SHARED, by default
`../shared`.
"""

import os
import sys
import tempfile
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from importlib.metadata import version
from pathlib import Path
from statistics import median
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
from pyannote.audio.core.model import Model
from reports import SHARED, table, write_results

from pyannote_diarizen.audio.sample import sample_file
from pyannote_diarizen.evaluation.metrics import DiarizationScore, score_diarization
from pyannote_diarizen.export.network import DESCRIPTION, write_network
from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE, resolve_pipeline
from pyannote_diarizen.hub.conversion import write_pyannote
from pyannote_diarizen.pipelines import DiariZen
from pyannote_diarizen.pipelines.files import without_reference
from pyannote_diarizen.pipelines.published import pretrained_config

PAGE = Path(__file__).parents[1] / "docs" / "export.md"
NAME = "benchmarks/export.py"
HEADER = [
    "runtime",
    "size",
    "files with the same RTTM",
    "error rate against torch",
    "error rate",
    "speed, relative to torch",
]


def recordings() -> list[Mapping[str, Any]]:
    """Return the sample of pyannote.audio and all AMI excerpts."""
    registry.load_database(SHARED / "audio" / "ami" / "database.yml")
    excerpts = registry.get_protocol(
        "AMIExcerpts.SpeakerDiarization.Excerpts", {"audio": FileFinder()}
    )
    return [sample_file(), *excerpts.train(), *excerpts.development()]


def load(source: Path | str, runtime: str, folder: Path) -> tuple[Pipeline, int]:
    """Load a pipeline of a runtime, and the size of its networks, in bytes.

    Parameters
    ----------
    source : Path or str
        Pipeline of torch.
    runtime : str
        "torch", or format and optional precision, as in "onnx:int8".
    folder : Path
        Folder for exported pipelines.
    """
    config = pretrained_config(source)
    if runtime == "torch":
        pipeline = DiariZen.from_pretrained(config)
        models = (pipeline._segmentation.model, pipeline._embedding.model_)
        weights = [weight for model in models for weight in model.state_dict().values()]
        return pipeline, sum(weight.nbytes for weight in weights)
    name, _, precision = runtime.partition(":")
    destination = folder / runtime.replace(":", "-")
    destination.mkdir()

    def write(model: Model, network: Path) -> None:
        write_network(model, network, name, precision or None)

    write_pyannote(config, destination, write)
    networks = [*destination.glob("*/network.*")]
    size = sum(path.stat().st_size for path in networks if path.name != DESCRIPTION)
    return DiariZen.from_pretrained(destination), size


@dataclass
class Row:
    """Sums over recordings for one runtime."""

    num_same: int = 0
    speed: list[float] = field(default_factory=list)
    difference: DiarizationScore = field(default_factory=DiarizationScore)
    score: DiarizationScore = field(default_factory=DiarizationScore)


def measure(loaded: Mapping[str, tuple[Pipeline, int]]) -> list[list[str]]:
    """Diarize all recordings by all runtimes in turn, and format the row of each."""
    rows = {name: Row() for name in loaded}
    files = recordings()
    for file in files:
        turns: dict[str, Annotation] = {}
        seconds: dict[str, float] = {}
        for name, (pipeline, _size) in loaded.items():
            started = time.process_time()
            output = pipeline(without_reference(file))
            seconds[name] = time.process_time() - started
            turns[name] = output.speaker_diarization
        uem = file["annotated"]
        for name, row in rows.items():
            row.speed.append(seconds["torch"] / seconds[name])
            row.num_same += turns[name].to_rttm() == turns["torch"].to_rttm()
            row.difference += score_diarization(turns["torch"], turns[name], uem)
            row.score += score_diarization(file["annotation"], turns[name], uem)
        print(f"{file['uri']}: done", file=sys.stderr, flush=True)
    return [
        [
            name,
            f"{loaded[name][1] / 1e6:.1f} MB",
            f"{row.num_same} of {len(files)}",
            f"{row.difference.error_rate:.2%}",
            f"{row.score.error_rate:.1%}",
            f"{median(row.speed):.2f}",
        ]
        for name, row in rows.items()
    ]


def conditions() -> str:
    """Describe the measurement."""
    versions = ", ".join(f"{name} {version(name)}" for name in ("torch", "onnxruntime"))
    is_alone = os.getloadavg()[0] < torch.get_num_threads() + 0.5
    others = "" if is_alone else ", on a machine with other work"
    return (
        f"Pipeline `{DEFAULT_PIPELINE}`, sample of pyannote.audio and AMI excerpts. "
        "Speed: processor time of torch divided by that of the runtime, median over "
        f"recordings, {torch.get_num_threads()} thread(s){others}. {versions}.\n"
    )


def main(
    runtimes: Annotated[
        list[str],
        typer.Argument(help="Formats, with a precision if you like: onnx onnx:int8."),
    ],
    write: Annotated[
        bool, typer.Option("--write", help="Put the table in docs/export.md.")
    ] = False,
) -> None:
    """Compare runtimes with torch, and print the table in Markdown."""
    source = resolve_pipeline(DEFAULT_PIPELINE)
    with tempfile.TemporaryDirectory() as folder:
        loaded = {
            runtime: load(source, runtime, Path(folder))
            for runtime in ("torch", *runtimes)
        }
        results = f"{table(HEADER, measure(loaded))}\n{conditions()}"
    print(results)
    if write:
        write_results(PAGE, NAME, results)


if __name__ == "__main__":
    typer.run(main)
