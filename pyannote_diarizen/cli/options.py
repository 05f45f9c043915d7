# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Options that several commands share."""

from pathlib import Path
from typing import Annotated

import typer

AudioArgument = Annotated[
    list[Path],
    typer.Argument(help="Audio files, folders of them, wav.scp lists of them."),
]
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
PresetOption = Annotated[
    str | None,
    typer.Option(
        help="Hyper-parameters that come with the pipeline for one kind of "
        "recordings, by name: see its presets/."
    ),
]
NumSpeakersOption = Annotated[
    int | None, typer.Option(min=1, help="Number of speakers, when known.")
]
MinSpeakersOption = Annotated[
    int | None, typer.Option(min=1, help="At least so many speakers.")
]
MaxSpeakersOption = Annotated[
    int | None, typer.Option(min=1, help="At most so many speakers.")
]
ChannelOption = Annotated[
    int | None,
    typer.Option(min=0, help="Diarize this channel, from 0, not their average."),
]
PldaOption = Annotated[
    str | None,
    typer.Option(
        help="Compare voices by this PLDA instead of that of the pipeline: folder, or "
        "owner/name on the hub."
    ),
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


def check_num_speakers(min_speakers: int | None, max_speakers: int | None) -> None:
    """Refuse bounds that contradict each other."""
    if min_speakers and max_speakers and min_speakers > max_speakers:
        raise typer.BadParameter("--min-speakers exceeds --max-speakers.")
