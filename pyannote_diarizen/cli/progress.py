# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Progress bars on standard error: standard output holds results only."""

from collections.abc import Mapping, Sequence
from contextlib import ExitStack
from typing import TYPE_CHECKING, Any

import typer
from rich.markup import escape
from rich.progress import BarColumn, TaskID, TextColumn, TimeRemainingColumn

from pyannote_diarizen.terminal import progress_bars

if TYPE_CHECKING:
    from pyannote_diarizen.pipelines.batch import Outcome


class ProgressBars(ExitStack):
    """Hook of pipelines that shows one bar for files and one per stage of a file.

    Parameters
    ----------
    num_files : int
        Number of files to process.
    """

    def __init__(self, num_files: int) -> None:
        super().__init__()
        bars = progress_bars(
            TextColumn("{task.description}"),
            BarColumn(),
            TextColumn("{task.completed:.0f}/{task.total:.0f}"),
            TimeRemainingColumn(),
        )
        self._bars = self.enter_context(bars)
        self._files = self._bars.add_task("files", total=num_files)
        self._stages: dict[str, TaskID] = {}

    def __call__(
        self,
        stage: str,
        artifact: Any,
        file: Mapping[str, Any],
        total: int | None = None,
        completed: int | None = None,
    ) -> None:
        """Update the bar of `stage`, see `pyannote.audio.pipelines.utils.hook`."""
        if completed is None:
            completed = total = 1
        if stage not in self._stages:
            name = escape(str(file["uri"]))
            self._stages[stage] = self._bars.add_task(f"{name}: {stage}")
        self._bars.update(self._stages[stage], completed=completed, total=total)

    def next_file(self, result: str = "") -> None:
        """Print the result of a file and remove the bars of its stages."""
        for task in self._stages.values():
            self._bars.remove_task(task)
        self._stages.clear()
        self._bars.advance(self._files)
        # on a terminal, results would be printed between bars
        self._bars.stop()
        typer.echo(result, nl=False)
        self._bars.start()


def print_failures(failed: "Sequence[Outcome]") -> None:
    """Print errors of files, and end with exit code 1 if there is one."""
    for outcome in failed:
        typer.secho(outcome.error, fg="red", err=True)
    if failed:
        raise typer.Exit(1)
