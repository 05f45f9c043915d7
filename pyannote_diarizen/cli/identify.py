# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen identify`: diarize with the names of enrolled speakers."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pyannote_diarizen.cli.options import (
    AudioArgument,
    ChannelOption,
    DeviceOption,
    FormatOption,
    MaxSpeakersOption,
    MinSpeakersOption,
    NumSpeakersOption,
    PipelineOption,
    PldaOption,
    PresetOption,
    check_num_speakers,
    check_output,
)
from pyannote_diarizen.cli.progress import ProgressBars, print_failures
from pyannote_diarizen.cli.writing import check_destination, check_words
from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE

if TYPE_CHECKING:
    from pyannote_diarizen.clustering.voiceprints import Voiceprints
    from pyannote_diarizen.pipelines.recognition import SpeakerRecognition


def identify(
    audio: AudioArgument,
    voiceprints: Annotated[
        Path, typer.Option(dir_okay=False, help="File that `enrol` wrote.")
    ] = Path("voiceprints.npz"),
    into: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            help="Folder for one file per audio file and format. Probabilities of "
            "names then go to standard output. Default: turns to standard output.",
        ),
    ] = None,
    formats: FormatOption = "rttm",
    unknown: Annotated[
        float,
        typer.Option(
            metavar="PROBABILITY",
            help="Prior probability that a speaker is not enrolled.",
        ),
    ] = 0.5,
    min_probability: Annotated[
        float,
        typer.Option(
            min=0, max=1, help="Minimum probability of a name; others are unknown."
        ),
    ] = 0.5,
    exclusive: Annotated[
        bool, typer.Option(help="Use each name for at most one speaker per file.")
    ] = True,
    pipeline: PipelineOption = DEFAULT_PIPELINE,
    preset: PresetOption = None,
    plda: PldaOption = None,
    num_speakers: NumSpeakersOption = None,
    min_speakers: MinSpeakersOption = None,
    max_speakers: MaxSpeakersOption = None,
    device: DeviceOption = "auto",
    channel: ChannelOption = None,
) -> None:
    """Diarize audio files with the names of enrolled speakers.

    Other speakers are called unknown_00, unknown_01, and so on. RTTM turns spaces in
    names into underscores.

    Exit codes: 0, all files were processed; 1, some files failed; 2, wrong usage, or
    the pipeline or the voiceprints cannot be used.
    """
    check_num_speakers(num_speakers, min_speakers, max_speakers)
    check_output(into)

    from pyannote_diarizen.functional.identification import check_probability
    from pyannote_diarizen.pipelines.batch import diarize_files, find_audio
    from pyannote_diarizen.results.document import describe_pipeline
    from pyannote_diarizen.results.formats import find_formats
    from pyannote_diarizen.results.writers import document_writers

    check_probability("--unknown", unknown)
    known = load_voiceprints(voiceprints)
    chosen = find_formats(formats)
    named, failed = find_audio(audio, into, [form.suffix for form in chosen.values()])
    check_words(chosen)
    check_destination(chosen, into, len(named))
    recognition = load_recognition(pipeline, preset, plda, device, known)
    description = describe_pipeline(recognition.pipeline, pipeline, {"preset": preset})
    writers = document_writers(chosen, False, description)

    def recognize(file: Any, **options: Any) -> Any:
        output = recognition.diarize(file, **options)
        return recognition.identify(output, known, unknown, min_probability, exclusive)

    with ProgressBars(len(named)) as progress:
        for outcome in diarize_files(
            recognize,
            named,
            into=into,
            writers=writers,
            channel=channel,
            num_speakers=num_speakers,
            min_speakers=min_speakers,
            max_speakers=max_speakers,
            hook=progress,
        ):
            if outcome.diarization is None:
                failed.append(outcome)
                progress.next_file()
            elif into is None:
                (write,) = writers.values()
                progress.next_file(str(write(outcome.output, outcome.file)))
            else:
                lines = outcome.output.describe()
                progress.next_file("".join(f"{line}\n" for line in lines))
    print_failures(failed)


def load_voiceprints(path: Path) -> "Voiceprints":
    """Load voiceprints; refuse speakers that RTTM cannot distinguish."""
    from pyannote_diarizen.clustering.voiceprints import Voiceprints
    from pyannote_diarizen.rttm import check_speakers

    voiceprints = Voiceprints.load(path)
    check_speakers(voiceprints.speakers)
    return voiceprints


def load_recognition(
    pipeline: str,
    preset: str | None,
    plda: str | None,
    device: str,
    known: "Voiceprints | None" = None,
) -> "SpeakerRecognition":
    """Load speaker recognition that can compare `known` voiceprints.

    Prints a warning if the PLDA is not calibrated.
    """
    from pyannote_diarizen.functional.detection import Calibration
    from pyannote_diarizen.hub.loading import load_pipeline
    from pyannote_diarizen.pipelines.components import load_plda
    from pyannote_diarizen.pipelines.recognition import SpeakerRecognition

    loaded = load_pipeline(pipeline, device, preset)
    recognition = SpeakerRecognition(loaded, load_plda(plda))
    if known is not None:
        known.check_identity(recognition.identity)
    if recognition.plda.calibration == Calibration():
        typer.secho(
            "The PLDA is not calibrated: probabilities of names are too high. See "
            "--calibrate of `pyannote-diarizen plda`.",
            fg="yellow",
            err=True,
        )
    return recognition
