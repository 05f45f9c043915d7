# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Hostile inputs for all commands, and the rules that results must keep.

    python benchmarks/hostile.py --write
    python benchmarks/hostile.py --kind audio --kind RTTM --only nan

Each input is written to an empty folder beside two good recordings. No command may
print a traceback, hang, write outside its output, leave half of a result, give a
recording the result of another, or end with an undocumented exit code.
`--write` replaces the rows of the kinds in CONTRIBUTING.md.
"""

import os
import shutil
import tempfile
import time
from collections.abc import Iterator, Mapping, Sequence
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
from hostile_results import lhotse_cases, result_cases
from reports import ROOT, read_results, table, write_results

from pyannote_diarizen.audio.reader import read_audio
from pyannote_diarizen.audio.sample import sample_file

DOCUMENT, NAME = ROOT / "CONTRIBUTING.md", "benchmarks/hostile.py"
Row = Sequence[float]
"""Numbers of inputs, of commands and of inputs with failures, and minutes."""
EXCERPTS = {"good": (6.0, 4.0), "other": (16.0, 4.0), "features/long": (6.0, 20.0)}
"""Start and duration of parts of the sample of pyannote.audio, in seconds."""


def all_cases() -> Iterator[Case]:
    """Cases of all kinds."""
    return chain(
        audio_cases(),
        data_cases(),
        list_cases(),
        lhotse_cases(),
        name_cases(),
        argument_cases(),
        place_cases(),
        pipeline_cases(),
        voiceprint_cases(),
        run_cases(),
        result_cases(),
    )


def make_template(folder: Path, with_run: bool = True) -> Path:
    """Write what all inputs have beside them: recordings, lists, and a training."""
    (folder / "features").mkdir()
    for name, (start, duration) in EXCERPTS.items():
        waveform, rate = read_audio(sample_file(), start=start, duration=duration)
        soundfile.write(folder / f"{name}.wav", waveform[0].numpy(), rate)
    write_template(folder)
    if not with_run:
        return folder
    before = Path.cwd()
    os.chdir(folder)
    try:
        trained = run([*TRAIN, "run=outrun"])
        enrolled = run(["enrol", "good.wav", "--into", "voiceprints.npz"])
        keep = ["apply", "features/long.wav", "--keep", "features"]
        kept = run([*keep, "--into", "results"])
    finally:
        os.chdir(before)
    for ended in (trained, enrolled, kept):
        if ended.code:
            raise RuntimeError(ended.errors or ended.failure)
    return folder


def main(
    kind: Annotated[list[str] | None, typer.Option(help="Kind of inputs.")] = None,
    only: Annotated[str, typer.Option(help="Part of the name of inputs.")] = "",
    write: Annotated[bool, typer.Option("--write", help="Write the table.")] = False,
) -> None:
    """Print each broken rule, then a table by kind."""
    cases = [
        case
        for case in all_cases()
        if (not kind or case.kind in kind) and only in case.name
    ]
    rows = {}
    base = Path(tempfile.mkdtemp(prefix="hostile-"))
    try:
        base.chmod(0o755)  # another user reads it
        (base / "template").mkdir()
        template = make_template(base / "template")
        for name in dict.fromkeys(case.kind for case in cases):
            chosen = [case for case in cases if case.kind == name]
            rows[name] = _run_kind(chosen, template, base / "case")
            if write and not only:
                _write_row(name, rows[name])
    finally:
        shutil.rmtree(base, ignore_errors=True)
    print(_table(rows))
    if sum(row[2] for row in rows.values()):
        raise typer.Exit(1)


def _run_kind(cases: Sequence[Case], template: Path, folder: Path) -> Row:
    start, num_failed = time.perf_counter(), 0
    for case in cases:
        broken = list(run_case(case, template, folder))
        num_failed += bool(broken)
        for each in broken:
            print(f"{case.kind}: {case.name}: {each}", flush=True)
    num_commands = sum(len(case.commands) for case in cases)
    minutes = (time.perf_counter() - start) / 60
    return len(cases), num_commands, num_failed, minutes


def _table(rows: Mapping[str, Row]) -> str:
    total = [sum(column) for column in zip(*rows.values(), strict=True)]
    lines = [
        [name, *(f"{value:.0f}" for value in row[:3]), f"{row[3]:.1f}"]
        for name, row in {**rows, "all": total}.items()
    ]
    return table(["kind", "inputs", "commands", "inputs with failures", "min"], lines)


def _write_row(kind: str, row: Row) -> None:
    """Replace the row of a kind, and the last one, their sum."""
    former = read_results(DOCUMENT, NAME).splitlines()[2:-1]
    rows: dict[str, Row] = {}
    for line in former:
        name, *values = (cell.strip() for cell in line.strip("|").split("|"))
        rows[name] = tuple(map(float, values))
    order = dict.fromkeys(case.kind for case in all_cases())
    rows[kind] = row
    rows = {name: rows[name] for name in order if name in rows}
    write_results(DOCUMENT, NAME, _table(rows))


if __name__ == "__main__":
    typer.run(main)
