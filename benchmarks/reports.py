# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Tables in Markdown, their places in documents, and the folder of recordings."""

import os
from collections.abc import Sequence
from pathlib import Path

from pyannote_diarizen.atomic import replacing

ROOT = Path(__file__).parents[1]

SHARED = Path(os.environ.get("PYANNOTE_DIARIZEN_SHARED", ROOT.parent / "shared"))
"""Folder of the recordings that benchmarks and tests use."""


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Format a table whose first column is text and whose others are numbers."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def marks(name: str) -> tuple[str, str]:
    """Lines before and after the results of the benchmark `name`."""
    begin, end = (f"<!-- {name}: {word} -->\n" for word in ("begin", "end"))
    return begin, end


def read_results(document: Path, name: str) -> str:
    """Lines between the marks of `name`."""
    begin, end = marks(name)
    return document.read_text(encoding="utf-8").partition(begin)[2].partition(end)[0]


def write_results(document: Path, name: str, results: str) -> None:
    """Replace the lines between the marks of `name`.

    Parameters
    ----------
    document : Path
        File with the marks.
    name : str
        Name of the benchmark.
    results : str
        New lines, with a line break at the end.

    Raises
    ------
    ValueError
        If `document` lacks the marks.
    """
    begin, end = marks(name)
    before, _, rest = document.read_text(encoding="utf-8").partition(begin)
    _, found, after = rest.partition(end)
    if not found:
        raise ValueError(
            f"{document} lacks the lines that mark the place of results:\n{begin}{end}"
        )
    with replacing(document) as temporary:
        temporary.write_text(before + begin + results + end + after, encoding="utf-8")
