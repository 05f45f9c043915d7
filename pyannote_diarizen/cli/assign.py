# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen assign`: speakers of the words of a transcript."""

from dataclasses import replace
from pathlib import Path
from typing import Annotated

import typer

from pyannote_diarizen.cli.options import (
    DiarizationArgument,
    ExclusiveOption,
    FormatOption,
    IntoOption,
    check_output,
)
from pyannote_diarizen.cli.writing import check_destination, write_document


def assign(
    transcript: Annotated[
        Path,
        typer.Argument(
            metavar="WORDS",
            help="Transcript: JSON of whisper, faster-whisper, whisper.cpp, whisperX, "
            "transformers or NeMo, SRT, VTT, CTM.",
        ),
    ],
    diarization: DiarizationArgument,
    formats: FormatOption = "srt",
    into: IntoOption = None,
    uri: Annotated[
        str | None,
        typer.Option(
            help="Name of the recording, if DIARIZATION holds several. Default: name "
            "of the transcript."
        ),
    ] = None,
    max_gap: Annotated[
        float,
        typer.Option(
            min=0, help="Maximum seconds between a word in a pause and its turn."
        ),
    ] = 1.0,
    exclusive: ExclusiveOption = False,
) -> None:
    """Give a speaker to each word of a transcript, by the turns of a diarization.

    Turns of its speaker cover a word. Where several do, words continue those of their
    speaker. A word in a pause belongs to the nearest turn.

    Exit codes: 0, everything is written; 2, wrong usage, or a file cannot be read.
    """
    check_output(into)

    from pyannote_diarizen.results.formats import find_formats, read_document
    from pyannote_diarizen.results.transcripts import read_words
    from pyannote_diarizen.results.words import assign_speakers

    chosen = find_formats(formats)
    check_destination(chosen, into)
    words = read_words(transcript)
    document = read_document(diarization, uri, transcript.stem)
    assigned = assign_speakers(words, document.turns, max_gap)
    result = replace(document, words=assigned)
    write_document(result, chosen, into, exclusive)
    if missing := sum(word.speaker is None for word in assigned):
        typer.secho(
            f"{missing} of {len(assigned)} words have no speaker: no turn is within "
            f"{max_gap:g} s.",
            fg="yellow",
            err=True,
        )
