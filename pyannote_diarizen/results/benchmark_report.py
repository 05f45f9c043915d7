# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Report of a benchmark: conditions, groups of files, files."""

import os
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any

from pyannote_diarizen.atomic import recording_path, write_file
from pyannote_diarizen.evaluation.scoring import (
    Condition,
    FileScore,
    Pooled,
    group_files,
)
from pyannote_diarizen.results.report_page import Cell, Link, Report, Section
from pyannote_diarizen.results.scores import (
    HEADER,
    NAME,
    SystemScores,
    percentages,
    score_rows,
)

PAGES = "pages"
"""Name of the folder of pages, one per recording."""

_RATES = ("DER", "missed", "false alarm", "confusion", "JER")
_GROUPS = {"num_speakers": "speakers", "overlap": "overlapped speech"}
_COLLARS = (
    "A collar is the total width that is not scored around each boundary of the "
    "reference, half of it on each side, as in pyannote.metrics. md-eval, dscore and "
    "NeMo give the width of one side."
)


def write_benchmark(scores: SystemScores, into: Path) -> Report:
    """Write `scores.json`, `scores.csv`, `scores.md` and `scores.html`; return them."""
    report = benchmark_report(scores, into)
    write_file(scores.to_json(), into / NAME)
    write_file(scores.to_csv(), (into / NAME).with_suffix(".csv"))
    for suffix in (".md", ".html"):
        report.write((into / NAME).with_suffix(suffix))
    return report


def benchmark_report(scores: SystemScores, folder: Path) -> Report:
    """Build the report of a benchmark.

    Parameters
    ----------
    scores : SystemScores
        With at least one file.
    folder : Path
        Folder of the report: recordings link to their pages in it, if there are any.
    """
    first = scores.under(scores.conditions[0])
    conditions = [
        [str(each), *_rates(scores.under(each))] for each in scores.conditions
    ]
    sections = [
        Section("Conditions", _COLLARS, ("condition", *_RATES), conditions),
        *(
            Section(
                f"By {name}",
                f"Condition: {first[0].condition}.",
                (name, "files", *_RATES, "count error"),
                _group_rows(first, by),
            )
            for by, name in _GROUPS.items()
        ),
        Section(
            "Files",
            f"Condition: {first[0].condition}. TOTAL sums seconds over files.",
            HEADER,
            [
                [link_page(row[0], row[0], folder, folder), *row[1:]]
                for row in score_rows(first)
            ],
        ),
    ]
    about = scores.about
    title = f"{scores.name} on {about['protocol']}, {about['subset']}"
    return Report(title, [*_facts(about), _summary(first)], sections)


def _rates(files: Sequence[FileScore]) -> list[str]:
    return percentages(Pooled.of(files))


def _group_rows(files: Sequence[FileScore], by: str) -> list[list[str]]:
    return [
        [
            name,
            str(len(group)),
            *_rates(group),
            f"{Pooled.of(group).count_error:.2f}",
        ]
        for name, group in group_files(files, by).items()
    ]


def link_page(text: str, uri: str, into: Path, folder: Path) -> Cell:
    """Link a text of a report in `into` to the page of a recording, if there is one."""
    page = recording_path(folder / PAGES, uri, ".html")
    if not page.is_file():
        return text
    return Link(text, Path(os.path.relpath(page, into)).as_posix())


def _summary(files: Sequence[FileScore]) -> str:
    total = Pooled.of(files)
    return (
        f"Diarization error rate {total.score.error_rate:.1%} on {total.num_files} "
        f"files with {total.score.total / 3600:.2f} h of speech; {Condition()}. Mean "
        f"absolute error of the number of speakers: {total.count_error:.2f}."
    )


def _facts(about: Mapping[str, Any]) -> list[str]:
    text = (
        f"Real-time factor {about['real_time_factor']:.3f}: "
        f"{about['processing_time']:.1f} s for {about['duration']:.0f} s of audio, on "
        f"{about['device']}, {about['num_threads']} threads."
    )
    if "peak_memory" in about:
        text += f" Peak memory: {about['peak_memory'] / 2**20:.0f} MiB"
        cuda = about.get("peak_cuda_memory")
        text += f", and {cuda / 2**20:.0f} MiB of CUDA." if cuda else "."
    left_out = {
        "Without reference, not scored": about["without_reference"],
        "Not diarized, not scored": about["failed"],
    }
    notes = [f"{text}: {', '.join(uris)}." for text, uris in left_out.items() if uris]
    return [f"{text} pyannote-diarizen {about['version']}.", *notes]
