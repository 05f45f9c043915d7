# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen edit`: correct the speakers of a diarization."""

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
from pyannote_diarizen.cli.writing import check_destination, check_words, write_document


def edit(
    diarization: DiarizationArgument,
    split: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SPEAKER[=NEW]",
            help="Make two speakers of one, by the file of --features. Repeat for "
            "several.",
        ),
    ] = None,
    merge: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SPEAKER=INTO", help="Make one speaker of two. Repeat for several."
        ),
    ] = None,
    rename: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SPEAKER=NAME", help="Rename a speaker. Repeat for several."
        ),
    ] = None,
    features: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False, help="File that `apply --keep` wrote of the recording."
        ),
    ] = None,
    formats: FormatOption = "rttm",
    into: IntoOption = None,
    uri: Annotated[
        str | None,
        typer.Option(help="Name of the recording, if DIARIZATION holds several."),
    ] = None,
    exclusive: ExclusiveOption = False,
) -> None:
    """Correct the speakers of a diarization: split, merge and rename, in this order.

    Nothing is diarized again: only the turns of these speakers change, and the words of
    a transcript keep theirs. RTTM turns spaces in names into underscores, JSON keeps
    them.

    Exit codes: 0, everything is written; 2, wrong usage, or a file cannot be read.
    """
    check_output(into)
    splits = [_pair(value, "--split", optional=True) for value in split or ()]
    merges = [_pair(value, "--merge") for value in merge or ()]
    names = dict(_pair(value, "--rename") for value in rename or ())
    if len(names) < len(rename or ()):
        raise typer.BadParameter("--rename gives two names to one speaker.")
    if splits and features is None:
        raise typer.BadParameter(
            "--split needs the file that `apply --keep` wrote: give --features."
        )

    from pyannote_diarizen.results import editing
    from pyannote_diarizen.results.formats import find_formats, read_document

    chosen = find_formats(formats)
    check_destination(chosen, into)
    document = read_document(diarization, uri)
    if not document.words:
        check_words(chosen)
    if splits and features is not None:
        from pyannote_diarizen.pipelines.features import Features

        kept = Features.read(features)
        for speaker, new in splits:
            document = editing.split_speaker(document, speaker, kept, new or None)
    for speaker, other in merges:
        document = editing.merge_speakers(document, speaker, other)
    write_document(editing.rename_speakers(document, names), chosen, into, exclusive)


def _pair(value: str, option: str, optional: bool = False) -> tuple[str, str]:
    """Separate two names at the first equals sign."""
    first, _, second = value.partition("=")
    if not first or not (second or optional):
        raise typer.BadParameter(
            f"{option} should be two names with = between them, as in "
            f"SPEAKER_00=Ann, got '{value}'."
        )
    return first, second
