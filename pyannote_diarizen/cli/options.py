# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Options that several commands share."""

from typing import Annotated

import typer

PipelineOption = Annotated[
    str,
    typer.Option(
        help="Name of a bundled pipeline, folder or config.yaml of another, or "
        "owner/name on the Hugging Face Hub."
    ),
]
DeviceOption = Annotated[
    str, typer.Option(help="cpu, cuda, cuda:1, mps, or auto: a GPU if there is one.")
]
