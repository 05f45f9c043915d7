# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""HTML report of a training: curves, validation chunks, epochs, configuration."""

from collections.abc import Iterator
from pathlib import Path

from pyannote_diarizen.atomic import expand_home
from pyannote_diarizen.composition import CONFIG
from pyannote_diarizen.evaluation.plots import save_figure
from pyannote_diarizen.results.report_page import Report, Section
from pyannote_diarizen.training.callbacks import CURVES, FIGURES
from pyannote_diarizen.training.figures import (
    ERROR,
    VALIDATION_LOSS,
    draw_curves,
)
from pyannote_diarizen.training.history import History

PAGE = "report.html"


def write_report(run: Path | str) -> Path:
    """Write the report of a run into its folder.

    Parameters
    ----------
    run : Path or str
        Folder of a run with at least one completed epoch.

    Returns
    -------
    page : Path
        HTML with embedded images: the file can be sent or moved.

    Raises
    ------
    FileNotFoundError
        If `run` has no completed epoch.
    ValueError
        If `metrics.csv` is broken, or `config.yaml` is no text.
    """
    run = expand_home(run)
    history = History.read(run)
    config = _read_config(run / CONFIG)
    save_figure(draw_curves(history), run / FIGURES / CURVES)
    sections = [*_sections(run, history, config)]
    page = run / PAGE
    Report(run.resolve().name, [summarize(history)], sections).write(page)
    return page


def summarize(history: History) -> str:
    """Summarize a training in one or two sentences.

    Parameters
    ----------
    history : History

    Returns
    -------
    summary : str
    """
    num_epochs, best = len(history.rows), history.best(VALIDATION_LOSS)
    summary = f"{num_epochs} epoch{'s' * (num_epochs > 1)}."
    if best is None:
        return f"{summary} There is no validation loss."
    row = history.rows[best]
    summary += f" Lowest validation loss: {row[VALIDATION_LOSS]:.4g}, in epoch {best}"
    if ERROR in row:
        summary += f", with a diarization error rate of {100 * row[ERROR]:.1f} %"
    since = int(history.epochs[-1]) - best
    if since == 0:
        return f"{summary}, the last one."
    return f"{summary}, {since} epoch{'s' * (since > 1)} before the last."


def _read_config(path: Path) -> str:
    """Read the configuration, empty if the run has none."""
    try:
        return path.read_text(encoding="utf-8")
    except FileNotFoundError:
        return ""
    except UnicodeDecodeError as error:
        raise ValueError(f"'{path}' is no text: {error.reason}.") from error


def _sections(run: Path, history: History, config: str) -> Iterator[Section]:
    yield Section("Curves", figure=(run / FIGURES / CURVES).read_bytes())
    figures = sorted((run / FIGURES).glob("chunks-*.png"))
    best = history.best(VALIDATION_LOSS)
    shown = [*figures[:1], run / FIGURES / f"chunks-{best or 0:04d}.png", *figures[-1:]]
    for path in figures:
        if path in shown:
            yield Section(
                f"Validation {path.stem}",
                "Reference above, hypothesis below.",
                figure=path.read_bytes(),
            )
    rows = [
        [
            f"{epoch}, best" if epoch == best else str(epoch),
            *(f"{row[name]:.4g}" if name in row else "" for name in history.names),
        ]
        for epoch, row in history.rows.items()
    ]
    yield Section("Epochs", "", ("epoch", *history.names), rows)
    if config:
        yield Section("Configuration", text=config)
