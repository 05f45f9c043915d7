# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen download`: save a pipeline for use without network."""

from typing import Annotated

import typer

from pyannote_diarizen.cli.options import (
    CacheOption,
    EmbeddingOption,
    NewFolder,
    RevisionOption,
    TokenOption,
    WeightsOnlyOption,
)


def download(
    pipeline: Annotated[
        str,
        typer.Argument(
            help="owner/name on the Hugging Face Hub, or the name of a pipeline, such "
            "as diarizen-wavlm-base-s80-md."
        ),
    ],
    destination: NewFolder,
    embedding: EmbeddingOption = None,
    revision: RevisionOption = None,
    token: TokenOption = None,
    cache_dir: CacheOption = None,
    weights_only: WeightsOnlyOption = True,
) -> None:
    """Download a pipeline and all its parts to a new folder, for use without network.

    Copy the folder to any machine: `Pipeline.from_pretrained` of pyannote.audio and
    `pyannote-diarizen apply --pipeline` load it there. After an error, the folder does
    not exist.
    """
    from pyannote_diarizen.hub.conversion import convert

    convert(
        pipeline,
        destination,
        embedding=embedding,
        revision=revision,
        token=token,
        cache_dir=cache_dir,
        weights_only=weights_only,
    )
    typer.echo(f"Written: {destination}")
