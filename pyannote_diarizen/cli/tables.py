# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Tables on standard output."""

from collections.abc import Sequence
from typing import TYPE_CHECKING

from rich.console import Console
from rich.table import Table

if TYPE_CHECKING:
    from pyannote_diarizen.results.report_page import Cell

_WIDTH = 500
"""Columns without a terminal, where rich would cut cells at 80."""


def print_table(
    header: Sequence[str], rows: "Sequence[Sequence[Cell]]", has_total: bool = False
) -> None:
    """Print a table, whose columns but the first are numbers.

    Parameters
    ----------
    header : sequence of str
    rows : sequence of sequence of str or Link
        Cells; of links, the text.
    has_total : bool, optional
        Draw a line above the last row.
    """
    table = Table()
    for number, name in enumerate(header):
        table.add_column(name, justify="right" if number else "left")
    for number, row in enumerate(rows, start=1):
        cells = [cell if isinstance(cell, str) else cell.text for cell in row]
        table.add_row(*cells, end_section=has_total and number == len(rows) - 1)
    console = Console()
    if not console.is_terminal:
        console.width = _WIDTH
    console.print(table)
