# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Documents in the formats of `--format`, to a folder or to standard output."""

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pyannote_diarizen.remote import AnyPath

if TYPE_CHECKING:
    from pyannote_diarizen.results.document import DiarizationDocument
    from pyannote_diarizen.results.formats import Format


def check_destination(
    formats: "Mapping[str, Format]", into: AnyPath | None, num_files: int = 1
) -> None:
    """Refuse formats that cannot go to standard output, and a file as folder."""
    if into is not None:
        from pyannote_diarizen.results.formats import FORMATS

        suffixes = {each.suffix.lower() for each in FORMATS.values()}
        named = isinstance(into, Path) and not into.is_dir()
        if named and into.suffix.lower() in suffixes:
            raise typer.BadParameter(
                f"--into should be a folder, got '{into}': give a folder, or leave out "
                f"--into and add `> '{into}'`."
            )
        return
    for name, form in formats.items():
        if form.is_binary:
            raise typer.BadParameter(f"Format {name} needs a folder: give --into.")
    if len(formats) > 1 or (num_files > 1 and "rttm" not in formats):
        raise typer.BadParameter(
            "Several files, in formats other than RTTM, need a folder: give --into."
        )


def check_words(formats: "Mapping[str, Format]") -> None:
    """Refuse formats of words only."""
    for name, each in formats.items():
        if each.needs_words:
            raise typer.BadParameter(
                f"Format {name} holds words, which no diarization finds: give a "
                "transcript to `pyannote-diarizen assign`."
            )


def write_document(
    document: "DiarizationDocument",
    formats: "Mapping[str, Format]",
    into: Path | None,
    exclusive: bool,
) -> None:
    """Write one file per format, or print a single format."""
    from pyannote_diarizen.atomic import recording_path, write_file

    for form in formats.values():
        content = form.render(document, exclusive)
        if into is None:
            typer.echo(content, nl=False)
        else:
            write_file(content, recording_path(into, document.uri, form.suffix))
