# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

PipelineOption = Annotated[
    str,
    typer.Option(
        help="Name of a pipeline, folder or config file of another, or owner/name on "
        "the Hugging Face Hub."
    ),
]
DeviceOption = Annotated[
    str, typer.Option(help="cpu, cuda, cuda:1, mps, or auto: a GPU if there is one.")
]
NewFolder = Annotated[
    Path, typer.Argument(help="Folder to create.", metavar="DESTINATION")
]
EmbeddingOption = Annotated[
    str | None,
    typer.Option(
        help="Embedding that takes the place of the usual one: folder, checkpoint, or "
        "owner/name on the hub."
    ),
]
RevisionOption = Annotated[
    str | None, typer.Option(help="Branch, tag or commit on the hub.")
]
TokenOption = Annotated[
    str | None,
    typer.Option(
        envvar="HF_TOKEN",
        show_envvar=True,
        help="Hugging Face token, for private or gated repositories.",
    ),
]
CacheOption = Annotated[
    Path | None, typer.Option(help="Where files of the hub are kept.")
]
WeightsOnlyOption = Annotated[
    bool,
    typer.Option(
        help="Refuse models that hold more than weights, or run the code they hold."
    ),
]
