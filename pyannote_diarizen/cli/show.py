# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen show`: a page of one recording, to look at and to play."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from pyannote_diarizen.cli.options import ChannelOption

if TYPE_CHECKING:
    from pyannote_diarizen.results.document import DiarizationDocument


def show(
    audio: Annotated[Path, typer.Argument(dir_okay=False, help="Recording.")],
    diarization: Annotated[
        Path,
        typer.Argument(dir_okay=False, help="Turns, in any format that can be read."),
    ],
    reference: Annotated[
        Path | None,
        typer.Argument(dir_okay=False, help="True turns, to show errors."),
    ] = None,
    words: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="File with words and their speakers."),
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
            help="Sound: compressed into the page (15 megabytes an hour), played from "
            "AUDIO, which has to stay where it is, or none.",
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
    from dataclasses import replace

    from pyannote_diarizen.results.page import write_page

    document = _read(diarization, audio)
    if words is not None:
        document = replace(document, words=_read(words, audio).words)
        if not document.words:
            raise ValueError(f"'{words}' holds no word: give a file with words.")
    true = None if reference is None else _read(reference, audio).annotation()
    into = into or diarization.with_suffix(".html")
    write_page(into, document, audio, true, sound, channel)
    typer.echo(f"Written: {into} ({into.stat().st_size / 1e6:.1f} MB).")


def _read(path: Path, audio: Path) -> "DiarizationDocument":
    """Read the only recording of a file, or the one that is called as the audio."""
    from pyannote_diarizen.results.formats import read_document, read_documents
    from pyannote_diarizen.rttm import rttm_name

    found = read_documents(path)
    if len(found) == 1:
        return found[0]
    return read_document(path, rttm_name(audio.stem))
