# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Progress bars and warnings on standard error: standard output holds results only."""

import sys
import warnings
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from rich.console import Console
from rich.progress import Progress, ProgressColumn
from rich.text import Text

FOR_DEVELOPERS = (DeprecationWarning, PendingDeprecationWarning, FutureWarning)
"""Warnings that no user of a command can act on."""

NETWORKS = r"(torch|torchaudio|lightning|pyannote\.audio\.models)\b"
"""Modules whose warnings are about the implementation of networks."""

INFERRED = "target_rate is required by"
"""Start of warnings of torch_audiomentations, which pyannote.audio causes."""

EXCLUSIVE = "The exclusive diarization"
"""Start of warnings about what no command writes."""


def progress_bars(*columns: ProgressColumn, transient: bool = True) -> Progress:
    """Build progress bars, which are absent without a terminal.

    Parameters
    ----------
    *columns : ProgressColumn
        Columns of each bar. Default to those of rich.
    transient : bool, optional
        Remove the bars at the end. Defaults to True.

    Returns
    -------
    progress : Progress
        Context manager.
    """
    console = Console(stderr=True)
    hidden = not console.is_terminal
    return Progress(*columns, console=console, transient=transient, disable=hidden)


@contextmanager
def warnings_as_sentences() -> Iterator[None]:
    """Print each warning once, as a sentence without file and line.

    Options of Python (`-W`, PYTHONWARNINGS) have priority.
    """
    with warnings.catch_warnings():
        show_warnings_as_sentences()
        yield


def show_warnings_as_sentences() -> None:
    """Print warnings as `warnings_as_sentences`, until the end of the process."""
    if sys.warnoptions:
        return
    # once for each text, wherever it comes from
    warnings.simplefilter("once", UserWarning)
    for category in FOR_DEVELOPERS:
        warnings.simplefilter("ignore", category)
    warnings.filterwarnings("ignore", module=NETWORKS)
    for start in (INFERRED, EXCLUSIVE):
        warnings.filterwarnings("ignore", start)
    warnings.showwarning = _print_warning


def _print_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    text = " ".join(str(message).split())
    Console(stderr=True, soft_wrap=True).print(Text(f"Warning: {text}", "yellow"))
