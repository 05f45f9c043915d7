# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen show`: a page of one recording, to look at and to play."""

from pathlib import Path
from typing import Annotated, Literal

import typer

from pyannote_diarizen.cli.options import ChannelOption, DiarizationArgument


def show(
    audio: Annotated[Path, typer.Argument(dir_okay=False, help="Recording.")],
    diarization: DiarizationArgument,
    reference: Annotated[
        Path | None,
        typer.Argument(dir_okay=False, help="True turns, to show errors."),
    ] = None,
    words: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False, help="Transcript; see `pyannote-diarizen assign --help`."
        ),
    ] = None,
    into: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            help="File to write. Default: the name of DIARIZATION, ending in .html.",
        ),
    ] = None,
    sound: Annotated[
        Literal["embed", "link", "none"],
        typer.Option(
            "--audio",
            help="Sound: compressed into the page (14 megabytes an hour), played from "
            "AUDIO, which moves with the page, or none.",
        ),
    ] = "embed",
    channel: ChannelOption = None,
) -> None:
    """Write a page that shows and plays a diarization: one HTML file, no network.

    With REFERENCE, the page shows missed speech, false alarms, speaker confusions, and
    the diarization error rate. Names can be edited in the page, and saved as RTTM or
    JSON. A file of several recordings needs one that is called as AUDIO.

    Exit codes: 0, written; 2, a file cannot be read.
    """
    if into is not None and into.suffix.lower() not in (".html", ".htm"):
        raise typer.BadParameter(
            f"--into should end in .html, so that a browser opens it, got '{into}'."
        )

    from dataclasses import replace

    from pyannote_diarizen.results.formats import read_document
    from pyannote_diarizen.results.page import write_page
    from pyannote_diarizen.results.transcripts import read_words
    from pyannote_diarizen.results.words import assign_speakers

    document = read_document(diarization, preferred=audio.stem)
    if words is not None:
        spoken = assign_speakers(read_words(words), document.turns)
        document = replace(document, words=spoken)
    true = None
    if reference is not None:
        true = read_document(reference, preferred=document.uri).annotation()
    into = into or diarization.with_suffix(".html")
    write_page(into, document, audio, true, sound, channel)
    typer.echo(f"Written: {into} ({into.stat().st_size / 1e6:.1f} MB).")
