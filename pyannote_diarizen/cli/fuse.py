# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen fuse`: one diarization out of those of several systems."""

from pathlib import Path
from typing import Annotated

import typer


def fuse(
    systems: Annotated[
        list[Path],
        typer.Argument(
            help="Two or more: files or folders of diarizations, RTTM, JSON, CSV, ..."
        ),
    ],
    into: Annotated[
        Path, typer.Option(file_okay=False, help="Folder for one RTTM per recording.")
    ],
    weights: Annotated[
        str | None,
        typer.Option(
            metavar="NUMBERS",
            help="Weight of each system, separated by commas. Default: by the rank of "
            "its agreement with the others, for each recording.",
        ),
    ] = None,
) -> None:
    """Fuse the diarizations of several systems by DOVER-Lap.

    Systems vote for the number of speakers and the speakers of each part of a
    recording. A recording that some systems lack is fused from the others, with a
    warning; an empty file votes for silence.

    Exit codes: 0, written; 2, wrong usage.
    """
    if len(systems) < 2:
        raise typer.BadParameter("fuse needs two systems or more.")
    given = None if weights is None else _parse_weights(weights, len(systems))

    from pyannote_diarizen.atomic import recording_path
    from pyannote_diarizen.pipelines.fusion import fuse_annotations
    from pyannote_diarizen.results.scores import read_annotations
    from pyannote_diarizen.rttm import rttm_name, write_rttm

    found = [read_annotations(path) for path in systems]
    uris = sorted({uri for annotations in found for uri in annotations})
    for uri in uris:
        voters = [index for index, each in enumerate(found) if uri in each]
        if len(voters) < len(systems):
            missing = [
                str(path) for index, path in enumerate(systems) if index not in voters
            ]
            typer.secho(
                f"'{uri}' is not in {', '.join(missing)}: fused without.",
                fg="yellow",
                err=True,
            )
        fused = fuse_annotations(
            [found[index][uri] for index in voters],
            None if given is None else [given[index] for index in voters],
            uri,
        )
        write_rttm(fused, recording_path(into, rttm_name(uri), ".rttm"))
    typer.echo(f"Written: {into}, {len(uris)} recordings of {len(systems)} systems.")


def _parse_weights(text: str, num_systems: int) -> list[float]:
    try:
        weights = [float(part) for part in text.split(",")]
    except ValueError as error:
        raise typer.BadParameter(
            f"--weights should be numbers separated by commas, got '{text}'."
        ) from error
    if len(weights) != num_systems or not min(weights) > 0:
        raise typer.BadParameter(
            f"--weights should be {num_systems} positive numbers, one per system, got "
            f"'{text}'."
        )
    return weights
