# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen score`: error rates of diarizations against references."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pyannote_diarizen.cli.tables import print_table

if TYPE_CHECKING:
    from pyannote_diarizen.results.scores import Pairing


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
    words: Annotated[
        bool,
        typer.Option(
            "--words",
            help="Also score words, by meeteval: cpWER and tcpWER. Needs JSON, SegLST, "
            "CTM with speakers as channels, or CSV with text, on both sides.",
        ),
    ] = False,
    collar_words: Annotated[
        float,
        typer.Option(
            min=0,
            help="Largest difference of times in seconds at which tcpWER matches two "
            "words.",
        ),
    ] = 5.0,
    output: Annotated[
        Literal["table", "csv", "json", "md"],
        typer.Option("--format", help="csv and json are input of `compare`."),
    ] = "table",
) -> None:
    """Score diarizations: error rates per recording, and of all together.

    DER: diarization error rate, the sum of missed speech, false alarms and confusion of
    speakers, as a share of the speech of the reference. JER: Jaccard error rate. The
    total sums seconds over recordings.

    cpWER: concatenated minimum-permutation word error rate. tcpWER: the same, where
    words match only if their times do. Upper case and punctuation count.

    A recording without hypothesis counts as all missed, with a warning; an empty file
    is an empty hypothesis. Recordings without reference are not scored.

    Exit codes: 0, scored; 2, wrong usage, or nothing to score.
    """
    from pyannote_diarizen.evaluation.scoring import Condition, Pooled
    from pyannote_diarizen.results.report_page import to_markdown
    from pyannote_diarizen.results.scores import (
        HEADER,
        add_word_errors,
        read_annotations,
        read_regions,
        read_transcripts,
        score_rows,
        score_system,
    )
    from pyannote_diarizen.results.word_errors import WORD_HEADER

    condition = Condition(collar, skip_overlap)
    regions = None if uem is None else read_regions(uem)
    name = hypotheses.resolve().stem
    if words:
        spoken, true = read_transcripts(hypotheses), read_transcripts(references)
        found, expected = (
            {uri: document.annotation() for uri, document in side.items()}
            for side in (spoken, true)
        )
    else:
        found, expected = read_annotations(hypotheses), read_annotations(references)
    scores, pairing = score_system(name, found, expected, regions, [condition])
    if words:
        scores = add_word_errors(scores, spoken, true, regions, collar_words)
    _print_unpaired(pairing)
    pooled = Pooled.of(scores.files)
    if not pooled.score.total:
        text = "No speech of the references is scored: see collar and --uem, in seconds"
        typer.secho(f"{text}.", fg="yellow", err=True)
    if output in ("csv", "json"):
        text = scores.to_csv() if output == "csv" else scores.to_json()
        typer.echo(text, nl=False)
        return
    rows = score_rows(scores.files, scores.words)
    header = (*HEADER, *WORD_HEADER) if words else HEADER
    if output == "md":
        typer.echo(to_markdown(header, rows))
    else:
        print_table(header, rows, has_total=True)
    typer.echo(
        f"Condition: {condition}. Mean absolute error of the number of speakers: "
        f"{pooled.count_error:.2f}."
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
