# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen package`: make a pipeline of a trained model."""

from pathlib import Path
from typing import Annotated

import typer

from pyannote_diarizen.cli.options import EmbeddingOption, NewFolder, PipelineOption
from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE


def package(
    run: Annotated[
        Path,
        typer.Argument(exists=True, help="Folder of a run, or a checkpoint."),
    ],
    destination: NewFolder,
    pipeline: PipelineOption = DEFAULT_PIPELINE,
    embedding: EmbeddingOption = None,
) -> None:
    """Make a pipeline with a trained segmentation model.

    The model is the output of `average`, else the epoch with the lowest loss.
    Embedding, PLDA and hyper-parameters are taken from --pipeline.
    `Pipeline.from_pretrained` of pyannote.audio and `apply --pipeline` load the folder.

    Exit codes: 0, written; 2, there is no such run, or DESTINATION exists.
    """
    from pyannote_diarizen.training.packaging import package

    model = package(run, destination, pipeline, embedding)
    typer.echo(f"Segmentation: {model}")
    typer.echo(f"Written: {destination}")
    typer.echo(f"Try: pyannote-diarizen apply AUDIO --pipeline {destination}")
