# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Time and memory of the bundled pipeline by duration, beside pyannote.audio.

    python benchmarks/speed.py 1 10 60 --write
    python benchmarks/speed.py 60 240 720 --stock-minutes 0  # growth, half an hour

Real audio is repeated up to each duration, at other levels. Each system runs in a
process of its own: ours with exact and with shared embeddings, and the pipeline of
pyannote.audio with the same models, on the first --stock-minutes only. The excerpts are
in the folder PYANNOTE_DIARIZEN_SHARED, by default `../shared`.
"""

import tempfile
from itertools import chain, cycle
from pathlib import Path
from typing import Annotated

import numpy as np
import soundfile
import typer
from bundled import conversations
from reports import table, write_results
from trials import SAMPLE_RATE

from pyannote_diarizen.audio.reader import read_audio
from pyannote_diarizen.evaluation.profiling import Profile, profile_in_process
from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE

DOCUMENT = Path(__file__).parents[1] / "docs" / "speed.md"
NAME = "benchmarks/speed.py"
"""Name in the marks around the table."""
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


def rows(minutes: float, systems: list[str], device: str) -> list[list[str]]:
    """Profile all systems on one recording."""
    with tempfile.TemporaryDirectory() as folder:
        path = Path(folder, "meeting.wav")
        write_meeting(path, minutes)
        return [
            row(minutes, profile_in_process(system, DEFAULT_PIPELINE, path, device))
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
    write: Annotated[bool, typer.Option(help=f"Into {DOCUMENT.name}.")] = False,
) -> None:
    """Print seconds and memory as a Markdown table."""
    lines = []
    for duration in minutes or (1, 10, 60):
        systems = ["exact", "shared"]
        if duration <= stock_minutes:
            systems.append("stock")
        lines += rows(duration, systems, device)
    results = table(HEADER, lines)
    print(results)
    if write:
        write_results(DOCUMENT, NAME, results)


if __name__ == "__main__":
    typer.run(main)
