# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Time and memory of the bundled pipeline by duration, beside pyannote.audio.

    python benchmarks/speed.py 1 10 60 --write
    python benchmarks/speed.py 60 240 720 --stock-minutes 0  # growth, half an hour
    python benchmarks/speed.py 2 --wespeaker --write

Real audio is repeated up to each duration, at other levels. Each system runs in a
process of its own: ours with exact and with shared embeddings, and the pipeline of
pyannote.audio with the same models, on the first --stock-minutes only. --wespeaker
replaces the embedding by the architecture of that of pyannote.audio. The excerpts are
in the folder PYANNOTE_DIARIZEN_SHARED, by default `../shared`.
"""

import tempfile
from itertools import chain, cycle
from pathlib import Path
from typing import Annotated

import numpy as np
import soundfile
import torch
import typer
import yaml
from bundled import conversations
from pyannote.audio.core.task import Problem, Resolution, Specifications
from pyannote.audio.models.embedding import WeSpeakerResNet34
from reports import table, write_results
from trials import SAMPLE_RATE

from pyannote_diarizen.audio.reader import read_audio
from pyannote_diarizen.evaluation.profiling import Profile, profile_in_process
from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE
from pyannote_diarizen.models.checkpoint import WEIGHTS, save_model
from pyannote_diarizen.pipelines.components import default_parameters

DOCUMENT = Path(__file__).parents[1] / "docs" / "speed.md"
NAME = "benchmarks/speed.py"
WESPEAKER = f"{NAME} --wespeaker"
"""Names in the marks around the tables."""
HEADER = [
    *("minutes", "system", "start, s", "rest, s", "real-time factor"),
    *("CPU s", "CPU s per minute of audio", "peak memory, MiB"),
]


def row(minutes: float, profile: Profile) -> list[str]:
    """Format one profile."""
    start = profile.stages[0]
    cpu = profile.cpu_seconds - start.cpu_seconds
    memory = profile.peak_memory
    return [
        f"{minutes:g}",
        profile.system,
        f"{start.seconds:.1f}",
        f"{profile.seconds - start.seconds:.1f}",
        f"{profile.real_time_factor:.4f}",
        f"{cpu:.1f}",
        f"{60 * cpu / profile.duration:.2f}",
        "" if memory is None else f"{memory >> 20}",
    ]


def write_meeting(path: Path, minutes: float) -> None:
    """Repeat the conversations up to a duration, each time at another level.

    Each starts at another instant, too. The audio of 12 hours is never in memory.
    """
    rng = np.random.default_rng(0)
    paths = list(chain.from_iterable(conversations().values()))
    excerpts = [read_audio(excerpt, SAMPLE_RATE)[0][0].numpy() for excerpt in paths]
    left = round(60 * minutes * SAMPLE_RATE)
    with soundfile.SoundFile(path, "w", SAMPLE_RATE, 1, "PCM_16") as file:
        for excerpt in cycle(excerpts):
            turned = np.roll(excerpt, rng.integers(len(excerpt)))[:left]
            file.write(turned * rng.uniform(0.4, 1.0))
            left -= len(turned)
            if not left:
                return


def write_wespeaker_pipeline(folder: Path) -> None:
    """Write a pipeline with `WeSpeakerResNet34`; time does not depend on weights."""
    torch.manual_seed(0)
    embedding = WeSpeakerResNet34()
    embedding.specifications = Specifications(
        problem=Problem.REPRESENTATION, resolution=Resolution.CHUNK, duration=10.0
    )
    save_model(embedding, folder / "embedding" / WEIGHTS)
    name = "AgglomerativeClustering"
    params = {
        "segmentation": DEFAULT_PIPELINE,
        "embedding": str(folder / "embedding"),
        "clustering": name,
    }
    config = {
        "pipeline": {"name": "pyannote_diarizen.pipelines.DiariZen", "params": params},
        "params": {
            "segmentation": {"min_duration_off": 0.0},
            "clustering": default_parameters(name),
        },
    }
    (folder / "config.yaml").write_text(yaml.safe_dump(config), encoding="utf-8")


def rows(
    minutes: float, systems: list[str], device: str, wespeaker: bool = False
) -> list[list[str]]:
    """Profile all systems on one recording."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "meeting.wav")
        write_meeting(path, minutes)
        pipeline = DEFAULT_PIPELINE
        if wespeaker:
            write_wespeaker_pipeline(Path(folder))
            pipeline = folder
        return [
            row(minutes, profile_in_process(system, pipeline, path, device))
            for system in systems
        ]


def main(
    minutes: Annotated[
        list[float] | None, typer.Argument(help="Durations of recordings.")
    ] = None,
    stock_minutes: Annotated[
        float, typer.Option(help="Longest recording for pyannote.audio.")
    ] = 10,
    device: Annotated[str, typer.Option(help="Device of the networks.")] = "cpu",
    wespeaker: Annotated[
        bool, typer.Option("--wespeaker", help="Embedding of pyannote.audio.")
    ] = False,
    write: Annotated[bool, typer.Option(help=f"Into {DOCUMENT.name}.")] = False,
) -> None:
    """Print seconds and memory as a Markdown table."""
    lines = []
    for duration in minutes or (1, 10, 60):
        systems = ["exact", "shared"]
        if duration <= stock_minutes:
            systems.append("stock")
        lines += rows(duration, systems, device, wespeaker)
    results = table(HEADER, lines)
    print(results)
    if write:
        write_results(DOCUMENT, WESPEAKER if wespeaker else NAME, results)


if __name__ == "__main__":
    typer.run(main)
