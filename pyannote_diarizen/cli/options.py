# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Options that several commands share."""

import re
import sys
from pathlib import Path
from typing import Annotated, Any

import typer

from pyannote_diarizen.functional.speaker_bounds import (
    SpeakerBounds,
    check_expected_speakers,
)
from pyannote_diarizen.remote import AnyPath, parse_path


def parse_folder(text: str) -> AnyPath:
    """Return the path or the address of a folder; refuse a file."""
    path = parse_path(text)
    if isinstance(path, Path) and path.is_file():
        raise typer.BadParameter(f"Directory '{text}' is a file.")
    return path


AudioArgument = Annotated[
    list[Path],
    typer.Argument(help="Audio files, folders of audio files, wav.scp lists."),
]
RecordingsArgument = Annotated[
    list[Any],
    typer.Argument(
        metavar="AUDIO...",
        parser=parse_path,
        help="Audio files, folders of audio files, wav.scp lists; also at addresses, "
        "as in s3://bucket/calls.",
    ),
]
_PIPELINE = (
    "Name of a pipeline, its folder or config file, or owner/name on the Hugging Face "
    "Hub."
)
PipelineArgument = Annotated[str, typer.Argument(help=_PIPELINE)]
PipelineOption = Annotated[str, typer.Option(help=_PIPELINE)]
ProtocolArgument = Annotated[
    str,
    typer.Argument(
        help="Protocol of annotated files, such as AMI.SpeakerDiarization.Mini."
    ),
]
DatabaseOption = Annotated[
    Path | None,
    typer.Option(dir_okay=False, help="File database.yml that defines the protocol."),
]
DeviceOption = Annotated[
    str, typer.Option(help="cpu, cuda, cuda:1, mps, or auto: CUDA, else MPS, else CPU.")
]
PresetOption = Annotated[
    str | None,
    typer.Option(
        help="Name of hyper-parameters for one kind of recordings, from presets/ of "
        "the pipeline."
    ),
]
NumSpeakersOption = Annotated[
    int | None, typer.Option(min=1, help="Number of speakers, if known.")
]
MinSpeakersOption = Annotated[
    int | None, typer.Option(min=1, help="Minimum number of speakers.")
]
MaxSpeakersOption = Annotated[
    int | None, typer.Option(min=1, help="Maximum number of speakers.")
]
ChannelOption = Annotated[
    int | None,
    typer.Option(min=0, help="Index of the channel, from 0. Default: their average."),
]
PldaOption = Annotated[
    str | None,
    typer.Option(
        help="PLDA that compares voices: folder, or owner/name on the hub. Default: "
        "PLDA of the pipeline."
    ),
]
DiarizationArgument = Annotated[
    Path,
    typer.Argument(
        metavar="DIARIZATION",
        dir_okay=False,
        help="Turns: RTTM, JSON, CSV, TextGrid, EAF, or Audacity labels.",
    ),
]
FormatOption = Annotated[
    str,
    typer.Option(
        "--format",
        metavar="NAMES",
        help="Formats, separated by commas: rttm, json, srt, vtt, csv, ctm (words), "
        "audacity, textgrid, eaf, seglst, lhotse, html, png.",
    ),
]
IntoOption = Annotated[
    Path | None,
    typer.Option(
        file_okay=False,
        help="Folder for one file per recording and format. Default: standard output.",
    ),
]
ResultsOption = Annotated[
    Any,
    typer.Option(
        metavar="FOLDER",
        parser=parse_folder,
        help="Folder, or address of one, for one file per recording and format. "
        "Default: standard output.",
    ),
]
ExclusiveOption = Annotated[
    bool,
    typer.Option("--exclusive", help="Write one speaker at a time, without overlap."),
]
NewFolder = Annotated[
    Path, typer.Argument(help="Folder to create.", metavar="DESTINATION")
]
EmbeddingOption = Annotated[
    str | None,
    typer.Option(
        help="Embedding model: folder, checkpoint, or owner/name on the hub. Default: "
        "embedding of the pipeline."
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
CacheOption = Annotated[Path | None, typer.Option(help="Folder of downloaded files.")]
WeightsOnlyOption = Annotated[
    bool,
    typer.Option(
        help="Refuse models that hold more than weights, or execute their code."
    ),
]


def check_output(into: AnyPath | None) -> None:
    """Refuse a closed standard output if results would go there."""
    if into is None and sys.stdout is None:
        raise typer.BadParameter("Standard output is closed: give a folder, --into.")


def check_features(pipeline: Any, method: str, option: str) -> None:
    """Refuse pipelines without a method, or whose results carry no features."""
    if not hasattr(pipeline, method) or getattr(pipeline, "legacy", False):
        raise typer.BadParameter(
            f"{option} needs a pipeline of type pyannote_diarizen.pipelines.DiariZen, "
            f"not `legacy`, got {type(pipeline).__name__}."
        )


def check_num_speakers(
    num_speakers: int | None,
    min_speakers: int | None,
    max_speakers: int | None,
    expected_speakers: float | None = None,
) -> None:
    """Refuse numbers that contradict each other, or are not finite."""
    try:
        SpeakerBounds(num_speakers, min_speakers, max_speakers)
        check_expected_speakers(expected_speakers)
    except ValueError as error:
        message = re.sub(r"`(\w+)_speakers`", r"--\1-speakers", str(error))
        raise typer.BadParameter(message) from error
