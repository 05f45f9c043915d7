# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen convert`: from one layout of pipelines to the other."""

from enum import Enum
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


class Layout(str, Enum):
    """Who reads the folder."""

    pyannote = "pyannote"
    diarizen = "diarizen"


def convert(
    source: Annotated[
        str,
        typer.Argument(
            help="Folder or config file of a pipeline in either layout, name of one, "
            "or owner/name on the Hugging Face Hub."
        ),
    ],
    destination: NewFolder,
    to: Annotated[
        Layout,
        typer.Option(
            help="pyannote: config.yaml, segmentation/, embedding/ and plda/ for "
            "pyannote.audio 4. diarizen: config.toml, pytorch_model.bin and plda/ for "
            "the original DiariZen."
        ),
    ] = Layout.pyannote,
    embedding: EmbeddingOption = None,
    revision: RevisionOption = None,
    token: TokenOption = None,
    cache_dir: CacheOption = None,
    weights_only: WeightsOnlyOption = True,
) -> None:
    """Write a pipeline into a new folder, in the layout of pyannote.audio or DiariZen.

    The folder holds all its parts: `Pipeline.from_pretrained` of pyannote.audio, and
    its commands, need nothing else. After an error it is not there.
    """
    from pyannote_diarizen.hub.conversion import convert as run

    run(
        source,
        destination,
        layout=to.value,
        embedding=embedding,
        revision=revision,
        token=token,
        cache_dir=cache_dir,
        weights_only=weights_only,
    )
    typer.echo(f"Written: {destination}")
