# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen convert`: convert a pipeline to another layout."""

from typing import Annotated, Literal

import typer

from pyannote_diarizen.cli.options import (
    CacheOption,
    EmbeddingOption,
    NewFolder,
    RevisionOption,
    TokenOption,
    WeightsOnlyOption,
)


def convert(
    source: Annotated[
        str,
        typer.Argument(
            help="Folder or config file of a pipeline in either layout, name of a "
            "pipeline, or owner/name on the Hugging Face Hub."
        ),
    ],
    destination: NewFolder,
    to: Annotated[
        Literal["pyannote", "diarizen"],
        typer.Option(
            help="pyannote: config.yaml, segmentation/, embedding/ and plda/ for "
            "pyannote.audio 4. diarizen: config.toml, pytorch_model.bin and plda/ for "
            "the original DiariZen."
        ),
    ] = "pyannote",
    embedding: EmbeddingOption = None,
    revision: RevisionOption = None,
    token: TokenOption = None,
    cache_dir: CacheOption = None,
    weights_only: WeightsOnlyOption = True,
) -> None:
    """Write a pipeline to a new folder, in the layout of pyannote.audio or DiariZen.

    The folder holds all parts of the pipeline. `Pipeline.from_pretrained` of
    pyannote.audio and its commands need nothing else. After an error, the folder does
    not exist.
    """
    from pyannote_diarizen.hub.conversion import convert as run

    run(
        source,
        destination,
        layout=to,
        embedding=embedding,
        revision=revision,
        token=token,
        cache_dir=cache_dir,
        weights_only=weights_only,
    )
    typer.echo(f"Written: {destination}")
