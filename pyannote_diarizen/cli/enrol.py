# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen enrol`: store voiceprints of speakers."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pyannote_diarizen.cli.options import ChannelOption, DeviceOption, PipelineOption
from pyannote_diarizen.cli.progress import ProgressBars
from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE

if TYPE_CHECKING:
    from pyannote_diarizen.clustering.voiceprints import Voiceprints


def enrol(
    clips: Annotated[
        list[Path] | None,
        typer.Argument(
            help="Clips of one speaker each, named after the speaker; folders of "
            "clips; folders with one subfolder of clips per speaker.",
            show_default=False,
        ),
    ] = None,
    into: Annotated[
        Path,
        typer.Option(
            dir_okay=False, help="File of voiceprints to create or to extend."
        ),
    ] = Path("voiceprints.npz"),
    name: Annotated[
        str | None, typer.Option(help="Speaker of all clips, instead of their names.")
    ] = None,
    forget: Annotated[
        list[str] | None,
        typer.Option(metavar="NAME", help="Speaker to delete first; may be repeated."),
    ] = None,
    pipeline: PipelineOption = DEFAULT_PIPELINE,
    device: DeviceOption = "auto",
    channel: ChannelOption = None,
) -> None:
    """Store voiceprints of speakers, for `identify` and `link`.

    Ten seconds of speech are enough. Several clips of a speaker, from different days
    and microphones, are better. Clips of two speakers are refused.

    The file holds neither audio nor paths. It is valid for one embedding model only:
    pipelines with another one refuse it.

    Exit codes: 0, all clips were enrolled; 1, some clips failed; 2, wrong usage, or
    nothing was written.
    """
    if not clips and not forget:
        raise typer.BadParameter("Give clips to enrol, or speakers to --forget.")

    from pyannote_diarizen.clustering.voiceprints import Voiceprints
    from pyannote_diarizen.corpora.single_speaker import clips_of_speakers
    from pyannote_diarizen.rttm import check_speakers, rttm_name, warn_of_rename

    known = Voiceprints.load(into) if forget or into.exists() else None
    if known is not None and forget:
        known = known.without(forget)
    named = clips_of_speakers(clips or [], name)
    speakers = dict.fromkeys(speaker for speaker, _ in named)
    check_speakers([*(known.speakers if known else ()), *speakers])
    for speaker in speakers:
        warn_of_rename(speaker, rttm_name(speaker))
    failed: list[str] = []
    if named:
        known, failed = _enrol(named, known, pipeline, device, channel)
    if known is not None and (forget or len(failed) < len(named)):
        known.save(into)
        for speaker in known.speakers:
            num_clips = known.num_clips(speaker)
            typer.echo(f"{speaker}: {num_clips} clip{'s' * (num_clips > 1)}")
        typer.echo(f"Written: {into}")
    for error in failed:
        typer.secho(error, fg="red", err=True)
    if failed:
        raise typer.Exit(1 if len(failed) < len(named) else 2)


def _enrol(
    clips: list[tuple[str, Path]],
    known: "Voiceprints | None",
    pipeline: str,
    device: str,
    channel: int | None,
) -> "tuple[Voiceprints | None, list[str]]":
    """Add voiceprints of clips to `known`; return them and the errors of clips."""
    from pyannote_diarizen.hub.loading import load_pipeline
    from pyannote_diarizen.pipelines.enrolment import find_doubts
    from pyannote_diarizen.pipelines.recognition import SpeakerRecognition

    recognition = SpeakerRecognition(load_pipeline(pipeline, device))
    if known is not None:
        known.check_identity(recognition.identity)
    failed = []
    with ProgressBars(len(clips)) as progress:
        for name, path in clips:
            try:
                clip: dict[str, Any] = {"uri": path.stem, "audio": path}
                if channel is not None:
                    clip["channel"] = channel
                enrolled = recognition.enrol(name, clip, progress)
            except (OSError, ValueError, RuntimeError) as error:
                failed.append(f"'{path}' cannot be enrolled: {error}")
            else:
                known = enrolled if known is None else known + enrolled
            progress.next_file()
    for doubt in find_doubts(known, recognition.plda) if known is not None else ():
        typer.secho(f"Warning: {doubt}", fg="yellow", err=True)
    return known, failed
