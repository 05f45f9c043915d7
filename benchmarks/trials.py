# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Duration of a tuning trial, and of the networks, which run only once.

    python benchmarks/trials.py 10 25 50 --write

The sample of pyannote.audio and the development excerpts of AMI, 14 voices in all, are
repeated as one long meeting. The excerpts are in the folder PYANNOTE_DIARIZEN_SHARED,
by default `../shared`.
"""

import time
from collections.abc import Mapping
from itertools import chain
from pathlib import Path
from typing import Annotated, Any

import torch
import typer
from bundled import conversations
from pyannote.core import Annotation
from reports import table, write_results

from pyannote_diarizen.audio.reader import read_audio
from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE
from pyannote_diarizen.hub.loading import load_pipeline

DOCUMENT = Path(__file__).parents[1] / "docs" / "tuning.md"
NAME = "benchmarks/trials.py"
"""Name in the marks around the table."""
SAMPLE_RATE = 16000
THRESHOLDS = (0.35, 0.4, 0.45, 0.5, 0.55)
"""Thresholds of the trials."""


def long_meeting(minutes: float) -> dict[str, Any]:
    """Repeat the conversations up to a duration."""
    excerpts = chain.from_iterable(conversations().values())
    waveforms = [read_audio(file, SAMPLE_RATE)[0] for file in excerpts]
    excerpt = torch.cat(waveforms, dim=1)
    num_samples = round(60 * minutes * SAMPLE_RATE)
    waveform = excerpt.repeat(1, -(-num_samples // excerpt.shape[1]))[:, :num_samples]
    return {"uri": "meeting", "waveform": waveform, "sample_rate": SAMPLE_RATE}


def row(minutes: float) -> list[str]:
    """Measure one row of the table."""
    pipeline = load_pipeline(DEFAULT_PIPELINE, "cpu")
    pipeline.training = True
    parameters = pipeline.parameters(instantiated=True)
    file = long_meeting(minutes)
    first, output = run(pipeline, file)
    trials = []
    for threshold in THRESHOLDS:
        clustering = {**parameters["clustering"], "threshold": threshold}
        pipeline.instantiate({**parameters, "clustering": clustering})
        trials.append(run(pipeline, file)[0])
    num_speakers = len(output.labels())
    seconds = sum(trials) / len(trials)
    return [f"{minutes:g}", str(num_speakers), f"{first:.0f}", f"{seconds:.2f}"]


def run(pipeline: Any, file: Mapping[str, Any]) -> tuple[float, Annotation]:
    """Diarize a file, and return the duration in seconds."""
    start = time.perf_counter()
    diarization = pipeline(file)
    return time.perf_counter() - start, diarization


def main(
    minutes: Annotated[
        list[float] | None, typer.Argument(help="Durations of recordings.")
    ] = None,
    write: Annotated[bool, typer.Option(help=f"Into {DOCUMENT.name}.")] = False,
) -> None:
    """Print the seconds of trials as a Markdown table."""
    header = ["minutes of audio", "speakers found", "networks, s", "trial, s"]
    results = table(header, [row(some) for some in minutes or (10, 25, 50)])
    results += (
        f"\n{DEFAULT_PIPELINE}, mean of {len(THRESHOLDS)} trials, "
        f"{torch.get_num_threads()} threads. 14 voices repeat themselves.\n"
    )
    print(results)
    if write:
        write_results(DOCUMENT, NAME, results)


if __name__ == "__main__":
    typer.run(main)
