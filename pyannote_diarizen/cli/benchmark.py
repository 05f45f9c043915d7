# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen benchmark`: error rates and speed of a pipeline on a protocol."""

from importlib.metadata import version
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pyannote_diarizen.cli.findings import checked_files
from pyannote_diarizen.cli.options import (
    DatabaseOption,
    DeviceOption,
    PipelineArgument,
    PresetOption,
    ProtocolArgument,
)
from pyannote_diarizen.cli.progress import ProgressBars, print_failures
from pyannote_diarizen.cli.tables import print_table

if TYPE_CHECKING:
    from pyannote_diarizen.evaluation.benchmarking import Benchmark
    from pyannote_diarizen.pipelines.batch import Outcome


def benchmark(
    pipeline: PipelineArgument,
    protocol: ProtocolArgument,
    into: Annotated[Path, typer.Option(file_okay=False, help="Folder of results.")],
    subset: Annotated[
        str, typer.Option(help="Subset to use: train, development or test.")
    ] = "test",
    database: DatabaseOption = None,
    pages: Annotated[
        bool,
        typer.Option("--pages", help="Write a page of turns and errors per recording."),
    ] = False,
    preset: PresetOption = None,
    device: DeviceOption = "auto",
) -> None:
    """Measure error rates, speed and memory of a pipeline on annotated recordings.

    The folder holds `rttm/` with the diarizations, the scores as `scores.html`,
    `scores.md`, `scores.csv` and `scores.json`, and with --pages one page per
    recording. Error rates have no collar, or a total width of 0.25 or 0.5 s (0.125 and
    0.25 in md-eval), with and without overlapped speech. The pipeline reads neither
    references nor numbers of speakers. Recordings without a turn in the reference are
    diarized, and not scored.

    The same command goes on after an interruption: recordings that are finished are not
    diarized again, unless they or the pipeline have changed.

    Exit codes: 0, all recordings were diarized; 1, some failed; 2, wrong usage.
    """
    from pyannote_diarizen.evaluation.benchmarking import Benchmark, memory
    from pyannote_diarizen.hub.loading import load_pipeline
    from pyannote_diarizen.results.benchmark_report import write_benchmark
    from pyannote_diarizen.results.scores import SystemScores

    files = checked_files(protocol, database, [subset])[subset]
    loaded = load_pipeline(pipeline, device, preset)
    work = Benchmark(loaded, files, into)
    has_run, failed = bool(work.unfinished()), _diarize(work)
    about = {
        "pipeline": pipeline,
        "preset": preset,
        "protocol": protocol,
        "subset": subset,
        "version": version("pyannote-diarizen"),
        "device": str(loaded.device),
        **work.about(),
        **(memory() if has_run else _former_memory(into)),
    }
    if scores := work.scores():
        if pages:
            _write_pages(work, into)
        system = SystemScores(into.resolve().name, scores, about)
        report = write_benchmark(system, into)
        conditions = report.sections[0]
        rows = [[str(cell) for cell in row] for row in conditions.rows]
        print_table(conditions.header, rows)
        for paragraph in report.summary:
            typer.echo(paragraph)
        typer.echo(f"Written: {into / 'scores.html'}, and .md, .csv and .json.")
    print_failures(failed)


def _diarize(work: "Benchmark") -> "list[Outcome]":
    """Diarize what is left, with progress bars; return the errors."""
    left = work.unfinished()
    if finished := len(work.files) - len(left):
        typer.echo(
            f"{finished} of {len(work.files)} recordings are finished: skipped.",
            err=True,
        )
    failed = []
    with ProgressBars(len(left)) as progress:
        for outcome in work.run(progress):
            progress.next_file()
            if outcome.diarization is None:
                failed.append(outcome)
    return failed


def _former_memory(into: Path) -> dict[str, Any]:
    """Return the peaks of memory of an earlier run."""
    from pyannote_diarizen.results.scores import SystemScores

    try:
        about = SystemScores.read(into).about
    except (OSError, ValueError):
        return {}
    return {name: value for name, value in about.items() if name.startswith("peak_")}


def _write_pages(work: "Benchmark", into: Path) -> None:
    """Write a page per recording, with its errors if it has a reference."""
    from pyannote_diarizen.atomic import recording_path
    from pyannote_diarizen.results.benchmark_report import PAGES
    from pyannote_diarizen.results.document import DiarizationDocument
    from pyannote_diarizen.results.page import write_page

    left = work.unfinished()
    for uri, file in work.files.items():
        if uri not in left:
            write_page(
                recording_path(into / PAGES, uri, ".html"),
                DiarizationDocument.from_output(work.diarization(uri), uri=uri),
                audio=Path(file["audio"]),
                reference=file.get("annotation") or None,
                sound="link",
            )
