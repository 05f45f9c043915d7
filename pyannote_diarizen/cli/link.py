# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen link`: consistent names of speakers across recordings."""

from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pyannote_diarizen.cli.identify import load_recognition, load_voiceprints
from pyannote_diarizen.cli.options import (
    AudioArgument,
    ChannelOption,
    DeviceOption,
    ExclusiveOption,
    FormatOption,
    MaxSpeakersOption,
    MinSpeakersOption,
    NumSpeakersOption,
    PipelineOption,
    PldaOption,
    PresetOption,
    check_num_speakers,
)
from pyannote_diarizen.cli.progress import ProgressBars, print_failures
from pyannote_diarizen.cli.writing import check_words
from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE

if TYPE_CHECKING:
    from pyannote_diarizen.clustering.voiceprints import Voiceprints
    from pyannote_diarizen.pipelines.batch import Outcome, Writer


def link(
    audio: AudioArgument,
    into: Annotated[
        Path,
        typer.Option(
            file_okay=False, help="Folder for one file per audio file and format."
        ),
    ],
    formats: FormatOption = "rttm",
    exclusive: ExclusiveOption = False,
    voiceprints: Annotated[
        Path | None,
        typer.Option(dir_okay=False, help="File of voiceprints of known speakers."),
    ] = None,
    remember: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False,
            help="File to write voiceprints of all speakers to. Speakers keep their "
            "names if the next run takes it as --voiceprints.",
        ),
    ] = None,
    prior: Annotated[
        float,
        typer.Option(
            metavar="PROBABILITY",
            help="Prior probability that speakers of two files are the same.",
        ),
    ] = 0.1,
    pipeline: PipelineOption = DEFAULT_PIPELINE,
    preset: PresetOption = None,
    plda: PldaOption = None,
    num_speakers: NumSpeakersOption = None,
    min_speakers: MinSpeakersOption = None,
    max_speakers: MaxSpeakersOption = None,
    device: DeviceOption = "auto",
    channel: ChannelOption = None,
) -> None:
    """Diarize recordings, with the same name for the same speaker in all of them.

    Prints the recordings of each speaker. Speakers of one recording are never the same.

    Exit codes: 0, all files were processed; 1, some files failed; 2, wrong usage, or
    the pipeline or the voiceprints cannot be used.
    """
    check_num_speakers(num_speakers, min_speakers, max_speakers)

    from pyannote_diarizen.functional.identification import check_probability
    from pyannote_diarizen.pipelines.batch import Outcome, diarize_files, find_audio
    from pyannote_diarizen.results.document import describe_pipeline
    from pyannote_diarizen.results.formats import find_formats
    from pyannote_diarizen.results.writers import document_writers

    check_probability("--prior", prior)
    known = None if voiceprints is None else load_voiceprints(voiceprints)
    chosen = find_formats(formats)
    named, failed = find_audio(audio, into, [form.suffix for form in chosen.values()])
    check_words(chosen)
    recognition = load_recognition(pipeline, preset, plda, device, known)
    description = describe_pipeline(recognition.pipeline, pipeline, {"preset": preset})
    writers = document_writers(chosen, exclusive, description)
    into.mkdir(parents=True, exist_ok=True)

    outputs: list[Any] = []
    paths: list[Any] = []
    with ProgressBars(len(named)) as progress:
        for outcome in diarize_files(
            recognition.diarize,
            named,
            channel=channel,
            num_speakers=num_speakers,
            min_speakers=min_speakers,
            max_speakers=max_speakers,
            hook=progress,
        ):
            if outcome.diarization is None:
                failed.append(outcome)
            else:
                outputs.append(outcome.output)
                paths.append(outcome.file)
            progress.next_file()

    linked = recognition.link(outputs, known, prior)
    failed += _write(linked, paths, writers, into)
    if remember is not None:
        lost = _save(recognition.voiceprints(linked, known), remember)
        if lost:
            failed.append(Outcome(remember, error=lost))
    files_of: dict[str, list[str]] = {}
    for output in linked:
        for speaker in output.speaker_diarization.labels():
            files_of.setdefault(speaker, []).append(output.speaker_diarization.uri)
    for speaker, files in sorted(files_of.items()):
        typer.echo(f"{speaker}: {', '.join(files)}")
    print_failures(failed)


def _write(
    outputs: Iterable[Any],
    paths: Iterable[Path],
    writers: "Mapping[str, Writer]",
    into: Path,
) -> "list[Outcome]":
    """Write one file per recording and format; return those that failed."""
    from pyannote_diarizen.atomic import recording_path, write_file
    from pyannote_diarizen.pipelines.batch import Outcome

    failed = []
    for output, path in zip(outputs, paths, strict=True):
        uri = output.speaker_diarization.uri
        try:
            for suffix, write in writers.items():
                write_file(write(output, path), recording_path(into, uri, suffix))
        except (OSError, ValueError) as error:
            failed.append(Outcome(into, error=f"'{uri}' cannot be written: {error}"))
    return failed


def _save(voices: "Voiceprints", path: Path) -> str | None:
    """Write voiceprints; return why that failed, if so."""
    if not voices.speakers:
        typer.secho(
            f"Warning: no speaker was found: '{path}' is not written.",
            fg="yellow",
            err=True,
        )
        return None
    try:
        voices.save(path)
    except OSError as error:
        return f"Voiceprints are lost: {error}"
    return None
