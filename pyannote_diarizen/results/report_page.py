# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Reports of tables and figures, as Markdown and as one HTML file without script."""

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from importlib.metadata import version
from pathlib import Path
from typing import NamedTuple

from pyannote_diarizen.atomic import write_file
from pyannote_diarizen.results.page import TEMPLATES, digest, template_text


class Link(NamedTuple):
    """Cell that links to another file."""

    text: str
    url: str


Cell = str | Link


@dataclass(frozen=True)
class Section:
    """Table, figure or text of a report.

    Parameters
    ----------
    heading : str
    note : str, optional
        Sentences below the heading.
    header : sequence of str, optional
        Names of the columns; all but the first are numbers.
    rows : sequence of sequence of str or Link, optional
        Cells.
    figure : bytes, optional
        PNG, part of the HTML file only.
    text : str, optional
        Preformatted text, likewise.
    """

    heading: str
    note: str = ""
    header: Sequence[str] = ()
    rows: Sequence[Sequence[Cell]] = ()
    figure: bytes | None = None
    text: str = ""


@dataclass(frozen=True)
class Report:
    """Title, sentences and sections.

    Parameters
    ----------
    title : str
    summary : sequence of str
        Paragraphs.
    sections : sequence of Section
    """

    title: str
    summary: Sequence[str]
    sections: Sequence[Section]

    def to_markdown(self) -> str:
        """Return the text of a Markdown file; figures and texts are left out."""
        parts = [f"# {self.title}", *self.summary]
        for section in self.sections:
            if section.header:
                table = to_markdown(section.header, section.rows).rstrip()
                parts += [f"## {section.heading}", section.note, table]
        return "\n\n".join(part for part in parts if part) + "\n"

    def to_html(self) -> str:
        """Return the text of an HTML file, which loads nothing."""
        style = template_text("page.css")
        return TEMPLATES.get_template("report.html").render(
            report=self,
            style=style,
            policy=f"default-src 'none'; img-src data:; base-uri 'none'; "
            f"style-src 'sha256-{digest(style)}'",
            version=version("pyannote-diarizen"),
        )

    def write(self, path: Path) -> None:
        """Write Markdown or HTML, as the suffix says, whole or not at all."""
        is_html = path.suffix == ".html"
        write_file(self.to_html() if is_html else self.to_markdown(), path)


def to_markdown(header: Sequence[str], rows: Iterable[Sequence[Cell]]) -> str:
    """Return a table in Markdown; all columns but the first are numbers."""
    align = ["---", *["---:"] * (len(header) - 1)]
    lines = [[*header], align, *([_cell(cell) for cell in row] for row in rows)]
    return "".join(f"| {' | '.join(line)} |\n" for line in lines)


def _cell(cell: Cell) -> str:
    if isinstance(cell, Link):
        return f"[{_cell(cell.text)}]({cell.url})"
    return cell.replace("|", "\\|")
