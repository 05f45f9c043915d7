# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen demo`: diarize a sample conversation."""

from pathlib import Path
from typing import TYPE_CHECKING

import typer
from rich.console import Console
from rich.table import Table

from pyannote_diarizen.cli.options import DeviceOption, PipelineOption
from pyannote_diarizen.cli.progress import ProgressBars
from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE

if TYPE_CHECKING:
    from pyannote.core import Annotation

    from pyannote_diarizen.evaluation.measure import Measurement


def demo(
    pipeline: PipelineOption = DEFAULT_PIPELINE, device: DeviceOption = "auto"
) -> None:
    """Diarize the 30 s of conversation that are part of pyannote.audio.

    Writes sample.rttm, and sample.png with the reference above the result, to the
    current folder.
    """
    from pyannote_diarizen.audio.sample import sample_file
    from pyannote_diarizen.evaluation.measure import measure
    from pyannote_diarizen.evaluation.plots import save_figure
    from pyannote_diarizen.hub.loading import load_pipeline
    from pyannote_diarizen.results.timelines import draw_comparison
    from pyannote_diarizen.rttm import write_rttm

    file = sample_file()
    loaded = load_pipeline(pipeline, device)
    with ProgressBars(num_files=1) as progress:
        measurement = measure(loaded, file, hook=progress)
    rttm, picture = Path("sample.rttm"), Path("sample.png")
    write_rttm(measurement.diarization, rttm)
    save_figure(draw_comparison(file["annotation"], measurement.diarization), picture)

    Console().print(_table(measurement.diarization))
    typer.echo(_summary(measurement))
    typer.echo(f"Written: {rttm} and {picture}.")


def _table(diarization: "Annotation") -> Table:
    """Table of turns: start, end and speaker."""
    table = Table("from", "to", "speaker", title="Who spoke when (seconds)")
    for turn, _, speaker in diarization.itertracks(yield_label=True):
        table.add_row(f"{turn.start:.1f}", f"{turn.end:.1f}", str(speaker))
    return table


def _summary(measurement: "Measurement") -> str:
    import torch

    score = measurement.score
    return (
        f"Diarization error rate: {score.error_rate:.1%} (missed "
        f"{score.share(score.missed_detection):.1%}, false alarm "
        f"{score.share(score.false_alarm):.1%}, confusion "
        f"{score.share(score.confusion):.1%}; no collar, overlap scored).\n"
        f"Real-time factor: {measurement.real_time_factor:.3f} "
        f"({measurement.processing_time:.1f} s for {measurement.duration:.0f} s of "
        f"audio, {torch.get_num_threads()} threads)."
    )
