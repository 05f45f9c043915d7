# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen doctor`: problems of the installation, and their remedy."""

from itertools import chain
from pathlib import Path
from typing import Annotated

import typer

from pyannote_diarizen.cli.findings import print_finding
from pyannote_diarizen.cli.options import (
    CacheOption,
    RevisionOption,
    TokenOption,
    WeightsOnlyOption,
)


def doctor(
    checkpoint: Annotated[
        str | None,
        typer.Argument(
            help="File or folder of a pipeline, a model, a WavLM or a PLDA; name of a "
            "pipeline; or owner/name on the Hugging Face Hub, which is fetched.",
            show_default=False,
        ),
    ] = None,
    config: Annotated[
        Path | None,
        typer.Option(
            help="Configuration of a training: `config.yaml` of a run, or what "
            "`pyannote-audio-train ... --cfg job` prints."
        ),
    ] = None,
    revision: RevisionOption = None,
    token: TokenOption = None,
    cache_dir: CacheOption = None,
    weights_only: WeightsOnlyOption = True,
) -> None:
    """Check the installation and list problems, with the remedy of each.

    Looks at versions of packages and whether they can be imported, formats of
    audio, GPU, and the cache and state of the Hugging Face Hub; and loads CHECKPOINT,
    if one is given, and lists its layers with their parameters and operations.

    With `--config`, looks for what goes wrong in trainings: learning rates that are
    swapped, small batches, recordings without labels, shorter than chunks or without
    audio, speakers that are trained and validated on, classes without an example.

    Exit codes: 0, no error; 1, errors; 2, there is no such configuration.
    """
    from pyannote_diarizen.diagnosis.machine import examine

    findings = examine(
        checkpoint,
        revision=revision,
        token=token,
        cache_dir=cache_dir,
        weights_only=weights_only,
    )
    if config is not None:
        from pyannote_diarizen.training.preflight import check_training, read_config

        findings = chain(findings, check_training(read_config(config)))
    statuses = set()
    for finding in findings:
        statuses.add(finding.status)
        print_finding(finding)
    if "error" in statuses:
        raise typer.Exit(1)
