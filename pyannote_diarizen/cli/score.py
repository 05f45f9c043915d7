# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen score`: error rates of diarizations against references."""

from enum import Enum
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from pyannote_diarizen.cli.tables import print_table

if TYPE_CHECKING:
    from pyannote_diarizen.results.scores import Pairing


class ScoreFormat(str, Enum):
    """Format of the scores."""

    table = "table"
    csv = "csv"
    json = "json"
    md = "md"


def score(
    hypotheses: Annotated[
        Path,
        typer.Argument(help="File or folder of diarizations: RTTM, JSON, CSV, ..."),
    ],
    references: Annotated[
        Path, typer.Argument(help="File or folder of true turns, likewise.")
    ],
    uem: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            help="UEM file: annotated parts of the recordings. Default: from the first "
            "to the last turn of reference and hypothesis.",
        ),
    ] = None,
    collar: Annotated[
        float,
        typer.Option(
            min=0,
            help="Total width in seconds that is not scored around each boundary of "
            "the reference. 0.5 is --collar 0.25 of md-eval, dscore and NeMo.",
        ),
    ] = 0.0,
    skip_overlap: Annotated[
        bool,
        typer.Option("--skip-overlap", help="Leave out speech of several speakers."),
    ] = False,
    output: Annotated[
        ScoreFormat,
        typer.Option("--format", help="csv and json are input of `compare`."),
    ] = ScoreFormat.table,
) -> None:
    """Score diarizations: error rates per recording, and of all together.

    DER: diarization error rate, the sum of missed speech, false alarms and confusion of
    speakers, as a share of the speech of the reference. JER: Jaccard error rate. The
    total sums seconds over recordings.

    A recording without hypothesis counts as all missed, with a warning; an empty file
    is an empty hypothesis. Recordings without reference are not scored.

    Exit codes: 0, scored; 2, wrong usage, or nothing to score.
    """
    from pyannote_diarizen.evaluation.scoring import Condition, Pooled
    from pyannote_diarizen.results.report_page import to_markdown
    from pyannote_diarizen.results.scores import (
        HEADER,
        read_annotations,
        read_regions,
        score_rows,
        score_system,
    )

    condition = Condition(collar, skip_overlap)
    scores, pairing = score_system(
        hypotheses.resolve().stem,
        read_annotations(hypotheses),
        read_annotations(references),
        None if uem is None else read_regions(uem),
        [condition],
    )
    _print_unpaired(pairing)
    if output in (ScoreFormat.csv, ScoreFormat.json):
        is_csv = output is ScoreFormat.csv
        typer.echo(scores.to_csv() if is_csv else scores.to_json(), nl=False)
        return
    rows = score_rows(scores.files)
    if output is ScoreFormat.md:
        typer.echo(to_markdown(HEADER, rows))
    else:
        print_table(HEADER, rows, has_total=True)
    error = Pooled.of(scores.files).count_error
    typer.echo(
        f"Condition: {condition}. Mean absolute error of the number of speakers: "
        f"{error:.2f}."
    )


def _print_unpaired(pairing: "Pairing") -> None:
    texts = {
        "No hypothesis, all speech counts as missed": pairing.missing,
        "No reference, not scored": pairing.without_reference,
        "Not in the UEM file, not scored": pairing.outside,
    }
    for text, uris in texts.items():
        if uris:
            typer.secho(f"{text}: {', '.join(uris)}.", fg="yellow", err=True)
