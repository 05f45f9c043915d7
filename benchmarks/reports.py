# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Tables in Markdown, and the places in documents where benchmarks put them."""

from collections.abc import Sequence
from pathlib import Path

from pyannote_diarizen.atomic import replacing


def table(header: Sequence[str], rows: Sequence[Sequence[str]]) -> str:
    """Table whose first column is text and whose others are figures."""
    lines = [header, ["---"] + ["---:"] * (len(header) - 1), *rows]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def marks(name: str) -> tuple[str, str]:
    """Lines between which the results of the benchmark `name` stand."""
    begin, end = (f"<!-- {name}: {word} -->\n" for word in ("begin", "end"))
    return begin, end


def write_results(document: Path, name: str, results: str) -> None:
    """Replace what is between the marks of `name`.

    Parameters
    ----------
    document : Path
    name : str
        Of the benchmark.
    results : str
        Lines, the last one ended.

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
            f"{document} lacks the lines that say where results go:\n{begin}{end}"
        )
    with replacing(document) as temporary:
        temporary.write_text(before + begin + results + end + after, encoding="utf-8")
