# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Hostile inputs for all commands, and the rules that results must keep.

    python benchmarks/hostile.py
    python benchmarks/hostile.py --kind audio --kind RTTM --only nan

Each input is written to an empty folder beside two good recordings. No command may
print a traceback, hang, write outside its output, leave half of a result, give a
recording the result of another, or end with an undocumented exit code.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator
from itertools import chain
from pathlib import Path
from typing import Annotated

os.environ["HF_HUB_OFFLINE"] = "1"
os.environ.setdefault("PYANNOTE_METRICS_ENABLED", "0")
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")

import soundfile
import typer
from hostile_audio import audio_cases
from hostile_calls import argument_cases, name_cases, place_cases
from hostile_cases import Case, run, run_case
from hostile_data import TRAIN, data_cases, list_cases, write_template
from hostile_models import pipeline_cases, run_cases, voiceprint_cases
from reports import table

from pyannote_diarizen.audio.reader import read_audio
from pyannote_diarizen.audio.sample import sample_file

EXCERPTS = {"good": 6.0, "other": 16.0}
"""Start of each recording in the sample of pyannote.audio, in seconds."""


def all_cases() -> Iterator[Case]:
    """Cases of all kinds."""
    return chain(
        audio_cases(),
        data_cases(),
        list_cases(),
        name_cases(),
        argument_cases(),
        place_cases(),
        pipeline_cases(),
        voiceprint_cases(),
        run_cases(),
    )


def make_template(folder: Path, with_run: bool = True) -> Path:
    """Write what all inputs have beside them: recordings, lists, and a training."""
    for name, start in EXCERPTS.items():
        waveform, rate = read_audio(sample_file(), start=start, duration=4.0)
        soundfile.write(folder / f"{name}.wav", waveform[0].numpy(), rate)
    write_template(folder)
    if not with_run:
        return folder
    before = Path.cwd()
    os.chdir(folder)
    try:
        trained = run([*TRAIN, "run=outrun"])
        enrolled = run(["enrol", "good.wav", "--into", "voiceprints.npz"])
    finally:
        os.chdir(before)
    for ended in (trained, enrolled):
        if ended.code:
            raise RuntimeError(ended.errors or ended.failure)
    return folder


def main(
    kind: Annotated[list[str] | None, typer.Option(help="Kind of inputs.")] = None,
    only: Annotated[str, typer.Option(help="Part of the name of inputs.")] = "",
    limit: Annotated[int | None, typer.Option(help="Number of inputs.")] = None,
) -> None:
    """Print a table by kind, then each broken rule."""
    cases = [
        case
        for case in all_cases()
        if (not kind or case.kind in kind) and only in case.name
    ][:limit]
    figures: dict[str, list[float]] = {}
    faults: list[str] = []
    base = Path(tempfile.mkdtemp(prefix="hostile-"))
    try:
        (base / "template").mkdir()
        template = make_template(base / "template")
        for case in cases:
            start = time.perf_counter()
            broken = list(run_case(case, template, base / "case"))
            seconds = time.perf_counter() - start
            row = figures.setdefault(case.kind, [0, 0, 0, 0.0])
            found = 1, len(case.commands), bool(broken), seconds
            row[:] = [sum(each) for each in zip(row, found, strict=True)]
            faults += [f"{case.kind}: {case.name}: {each}" for each in broken]
            for each in broken:
                print(f"{case.kind}: {case.name}: {each}", flush=True)
    finally:
        shutil.rmtree(base, ignore_errors=True)
    total = [sum(column) for column in zip(*figures.values(), strict=True)]
    rows = [
        [name, *(f"{value:.0f}" for value in row)]
        for name, row in {**figures, "all": total}.items()
    ]
    print(table(["kind", "inputs", "commands", "inputs with failures", "s"], rows))
    if faults:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
