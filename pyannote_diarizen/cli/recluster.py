# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen recluster`: cluster kept features again, without networks."""

from pathlib import Path
from typing import Annotated, Any

import typer

from pyannote_diarizen.cli.identify import load_recognition, load_voiceprints
from pyannote_diarizen.cli.options import (
    ExclusiveOption,
    FormatOption,
    IntoOption,
    MaxSpeakersOption,
    MinSpeakersOption,
    NumSpeakersOption,
    PipelineOption,
    PldaOption,
    PresetOption,
    check_features,
    check_num_speakers,
    check_output,
)
from pyannote_diarizen.cli.progress import print_failures
from pyannote_diarizen.cli.writing import check_destination, check_words, write_document
from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE


def recluster(
    features: Annotated[
        list[Path],
        typer.Argument(
            metavar="FEATURES...", help="Files that `apply --keep` wrote, or folders."
        ),
    ],
    pipeline: PipelineOption = DEFAULT_PIPELINE,
    preset: PresetOption = None,
    into: IntoOption = None,
    formats: FormatOption = "rttm",
    exclusive: ExclusiveOption = False,
    num_speakers: NumSpeakersOption = None,
    min_speakers: MinSpeakersOption = None,
    max_speakers: MaxSpeakersOption = None,
    split: Annotated[
        list[str] | None,
        typer.Option(
            metavar="SPEAKER",
            help="Make two speakers of one, after the clustering. Repeat for several.",
        ),
    ] = None,
    voiceprints: Annotated[
        Path | None,
        typer.Option(
            dir_okay=False, help="File that `enrol` wrote: name its speakers."
        ),
    ] = None,
    plda: PldaOption = None,
) -> None:
    """Diarize again from kept features: in seconds, without audio and networks.

    The result is that of `apply` with the same options. The pipeline needs the same
    networks and settings of segmentation; clustering and its hyper-parameters may
    differ. --split changes the turns of these speakers only.

    Exit codes: 0, all files were diarized; 1, some files failed; 2, wrong usage, or the
    pipeline cannot be loaded.
    """
    check_num_speakers(num_speakers, min_speakers, max_speakers)
    check_output(into)
    if plda and voiceprints is None:
        raise typer.BadParameter("--plda compares voices: give --voiceprints, too.")

    from pyannote_diarizen.hub.loading import load_pipeline
    from pyannote_diarizen.pipelines.batch import Outcome
    from pyannote_diarizen.pipelines.features import SUFFIX, Features
    from pyannote_diarizen.pipelines.splitting import split_speaker
    from pyannote_diarizen.results.confidence import add_confidence
    from pyannote_diarizen.results.document import (
        DiarizationDocument,
        describe_pipeline,
    )
    from pyannote_diarizen.results.formats import find_formats

    chosen = find_formats(formats)
    check_words(chosen)
    paths = [
        path
        for given in features
        for path in (sorted(given.rglob(f"*{SUFFIX}")) if given.is_dir() else [given])
    ]
    if not paths:
        raise typer.BadParameter(f"The folders hold no file called *{SUFFIX}.")
    check_destination(chosen, into, len(paths))
    if split and len(paths) > 1:
        raise typer.BadParameter("--split needs a single file of features.")
    known = recognition = None
    if voiceprints is None:
        loaded = load_pipeline(pipeline, "cpu", preset)
    else:
        known = load_voiceprints(voiceprints)
        recognition = load_recognition(pipeline, preset, plda, "cpu", known)
        loaded = recognition.pipeline
    check_features(loaded, "recluster", "recluster")
    options: dict[str, Any] = {
        "num_speakers": num_speakers,
        "min_speakers": min_speakers,
        "max_speakers": max_speakers,
    }
    about = describe_pipeline(loaded, pipeline, {"preset": preset, **options})
    confidence = loaded.turn_confidence
    failed = []
    for path in paths:
        try:
            kept = Features.read(path)
            output = loaded.recluster(kept, **options)
            for speaker in split or ():
                output = split_speaker(output, speaker, features=kept)
            if recognition is not None and known is not None:
                output = recognition.identify(output, known)
                lines = output.describe()
                typer.echo("\n".join(lines), err=into is None)
            document = DiarizationDocument.from_output(
                output, duration=kept.file["duration"], pipeline=about
            )
            document = add_confidence(document, confidence, kept)
            write_document(document, chosen, into, exclusive)
        except (OSError, ValueError) as error:
            failed.append(Outcome(path, error=str(error)))
    print_failures(failed)
