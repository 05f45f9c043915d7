# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""HTML report of a training: curves, validation chunks, epochs, configuration."""

import base64
import math
from collections.abc import Iterator
from html import escape
from pathlib import Path

from pyannote_diarizen.atomic import expand_home, write_file
from pyannote_diarizen.composition import CONFIG
from pyannote_diarizen.training.callbacks import CURVES, FIGURES
from pyannote_diarizen.training.figures import (
    ERROR,
    VALIDATION_LOSS,
    draw_curves,
    save,
)
from pyannote_diarizen.training.history import History

PAGE = "report.html"
_PAGE = """<!DOCTYPE html>
<html lang="en">
<meta charset="utf-8">
<title>{title}</title>
<style>
body {{ font-family: sans-serif; max-width: 75em; margin: 2em auto; padding: 0 1em; }}
img {{ max-width: 100%; }}
table {{ border-collapse: collapse; display: block; overflow-x: auto; }}
td, th {{ padding: 0.2em 0.7em; text-align: right; border-bottom: 1px solid #ddd; }}
tr.best {{ background: #e8f4e8; }}
pre {{ background: #f6f6f6; padding: 1em; overflow-x: auto; }}
</style>
{body}
</html>
"""


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
    save(draw_curves(history), run / FIGURES / CURVES)
    title = escape(run.resolve().name)
    body = "\n".join(_sections(run, history, config))
    page = run / PAGE
    write_file(_PAGE.format(title=title, body=body), page)
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


def _sections(run: Path, history: History, config: str) -> Iterator[str]:
    yield f"<h1>{escape(run.resolve().name)}</h1>"
    yield f"<p>{escape(summarize(history))}</p>"
    yield "<h2>Curves</h2>"
    yield _picture(run / FIGURES / CURVES)
    figures = sorted((run / FIGURES).glob("chunks-*.png"))
    if figures:
        best = run / FIGURES / f"chunks-{history.best(VALIDATION_LOSS) or 0:04d}.png"
        chosen = [path for path in figures if path in (figures[0], best, figures[-1])]
        yield "<h2>Validation chunks</h2>"
        yield "<p>First, best and last epoch; reference above, hypothesis below.</p>"
        yield from map(_picture, chosen)
    yield "<h2>Epochs</h2>"
    yield _table(history)
    if config:
        yield "<h2>Configuration</h2>"
        yield f"<pre>{escape(config)}</pre>"


def _picture(path: Path) -> str:
    data = base64.b64encode(path.read_bytes()).decode()
    return f'<img alt="{escape(path.stem)}" src="data:image/png;base64,{data}">'


def _table(history: History) -> str:
    names = history.names
    best = history.best(VALIDATION_LOSS)
    head = "".join(f"<th>{escape(name)}</th>" for name in ["epoch", *names])
    lines = [f"<tr>{head}</tr>"]
    for epoch, row in history.rows.items():
        values = [row.get(name, math.nan) for name in names]
        cells = [str(epoch), *("" if math.isnan(x) else f"{x:.4g}" for x in values)]
        kind = ' class="best"' if epoch == best else ""
        lines.append(f"<tr{kind}>{''.join(f'<td>{cell}</td>' for cell in cells)}</tr>")
    return "<table>\n" + "\n".join(lines) + "\n</table>"
