# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen validate`: errors in data, line by line."""

from pathlib import Path
from typing import Annotated

import typer

from pyannote_diarizen.cli.findings import print_findings
from pyannote_diarizen.cli.options import DeviceOption, PipelineOption
from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE


def validate(
    data: Annotated[
        list[str],
        typer.Argument(
            help="RTTM, UEM, wav.scp, list or audio files; Kaldi or audio folders; "
            "database.yml files, or names of protocols."
        ),
    ],
    database: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            help="File database.yml that defines protocols given by name. Default: "
            "databases of pyannote.database, then protocols of this package.",
        ),
    ] = None,
    root: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            help="Folder where relative paths of a protocol start. Default: folder of "
            "its database.yml; current folder for protocols of this package.",
        ),
    ] = None,
    decode: Annotated[
        bool, typer.Option(help="Decode all audio, not only its duration.")
    ] = False,
    audio: Annotated[
        bool,
        typer.Option(
            "--audio",
            help="Compare the references of protocols with the audio, by a pipeline.",
        ),
    ] = False,
    pipeline: PipelineOption = DEFAULT_PIPELINE,
    device: DeviceOption = "auto",
    limit: Annotated[
        int, typer.Option(min=1, help="Maximum number of findings to print per file.")
    ] = 20,
) -> None:
    """Find errors in data, line by line, and print how to correct them.

    Data with errors cannot be trained on; warnings are worth a look.

    With --audio, a pipeline diarizes the recordings of protocols, given by name. It
    warns of speech without annotation, annotated silence, an offset of the reference,
    cut turns, and turns with the voice of another speaker. These are suggestions, since
    the pipeline makes errors, too.

    Exit codes: 0, no error; 1, errors; 2, no such file or protocol.
    """
    from pyannote_diarizen.corpora.validation import validate

    if audio and any(Path(name).exists() for name in data):
        raise typer.BadParameter(
            "--audio needs names of protocols; --database defines them."
        )
    num_errors = 0
    for name in data:
        for checked in validate(name, database, root, decode):
            errors = print_findings(checked.findings, limit)
            warnings = len(checked.findings) - errors
            num_errors += errors
            counts = ", ".join(
                f"{num} {kind}{'s' * (num > 1)}"
                for num, kind in ((errors, "error"), (warnings, "warning"))
                if num
            )
            colour = "red" if errors else "yellow" if warnings else "green"
            content = f" ({checked.content})" if checked.content else ""
            typer.secho(f"{checked.name}{content}: {counts or 'ok'}", fg=colour)
    if audio and not num_errors:
        _check_references(data, database, pipeline, device, limit)
    if num_errors:
        raise typer.Exit(1)


def _check_references(
    protocols: list[str], database: Path | None, pipeline: str, device: str, limit: int
) -> None:
    """Compare the references of protocols with the audio, and print the warnings."""
    from pyannote_diarizen.corpora.database import find_protocol
    from pyannote_diarizen.corpora.database_yml import SUBSETS
    from pyannote_diarizen.corpora.protocols import load_protocol, subset_files
    from pyannote_diarizen.evaluation.reference_checks import check_reference
    from pyannote_diarizen.hub.loading import load_pipeline

    loaded = load_pipeline(pipeline, device)
    for name in protocols:
        protocol = load_protocol(name, database)
        known = find_protocol(name, database).protocols[name]
        for subset in (each for each in SUBSETS if each in known):
            for file in subset_files(protocol, subset):
                if file.get("annotation"):
                    findings = check_reference(loaded, file)
                    print_findings(findings, limit)
                    num = len(findings)
                    counts = f"{num} suggestion{'s' * (num > 1)}" if num else "ok"
                    colour = "yellow" if findings else "green"
                    typer.secho(f"{file['uri']}, {subset}: {counts}", fg=colour)
