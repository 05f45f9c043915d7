# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen apply`: diarize audio files."""

from collections.abc import Iterable, Mapping
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

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
    PresetOption,
    check_num_speakers,
    check_output,
)
from pyannote_diarizen.cli.progress import ProgressBars, print_failures
from pyannote_diarizen.cli.writing import check_destination
from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE

if TYPE_CHECKING:
    from pyannote_diarizen.pipelines.batch import Writer
    from pyannote_diarizen.pipelines.journal import Journal
    from pyannote_diarizen.results.formats import Format


def apply(
    audio: AudioArgument,
    pipeline: PipelineOption = DEFAULT_PIPELINE,
    preset: PresetOption = None,
    into: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            help="Folder for one file per audio file and format. Default: standard "
            "output.",
        ),
    ] = None,
    formats: FormatOption = "rttm",
    exclusive: ExclusiveOption = False,
    num_speakers: NumSpeakersOption = None,
    min_speakers: MinSpeakersOption = None,
    max_speakers: MaxSpeakersOption = None,
    expected_speakers: Annotated[
        float | None,
        typer.Option(
            help="Expected number of speakers: a hint, which the audio may override.",
        ),
    ] = None,
    evidence: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            help="Folder for one plot per file: evidence for each number of speakers.",
        ),
    ] = None,
    keep: Annotated[
        Path | None,
        typer.Option(
            file_okay=False,
            help="Folder for the outputs of the networks, one file per audio file: "
            "`recluster` and `edit` change the speakers later, without the audio.",
        ),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Diarize finished files again, too.")
    ] = False,
    device: DeviceOption = "auto",
    channel: ChannelOption = None,
) -> None:
    """Diarize audio files: who speaks when, as RTTM or in other formats.

    A file that cannot be diarized does not stop the others: errors are printed to
    standard error at the end. Folders distinguish files of the same name.

    With --into, a second call goes on where the first one stopped. finished.jsonl in
    that folder lists finished files, which are skipped unless they, the pipeline or the
    options have changed, or a format or the file of --keep is missing. --evidence
    skips none.

    Exit codes: 0, all files were diarized; 1, some files failed; 2, wrong usage, or the
    pipeline cannot be loaded.
    """
    check_num_speakers(num_speakers, min_speakers, max_speakers, expected_speakers)
    check_output(into)

    from pyannote_diarizen.hub.loading import load_pipeline
    from pyannote_diarizen.pipelines.batch import Outcome, diarize_files, find_audio
    from pyannote_diarizen.pipelines.features import SUFFIX
    from pyannote_diarizen.pipelines.journal import Journal, fingerprint
    from pyannote_diarizen.results.formats import find_formats

    chosen = find_formats(formats)
    suffixes = [each.suffix for each in chosen.values()]
    kept = {SUFFIX: keep} if keep else {}
    named, failed = find_audio(audio, into or evidence or keep, [*suffixes, *kept])
    _check_words(chosen)
    check_destination(chosen, into, len(named))
    loaded = load_pipeline(pipeline, device, preset)
    if evidence:
        _check_method(loaded, "evidence", "--evidence")
    if keep:
        _check_method(loaded, "save_features", "--keep")
    options: dict[str, Any] = {
        "channel": channel,
        "expected_speakers": expected_speakers,
        "num_speakers": num_speakers,
        "min_speakers": min_speakers,
        "max_speakers": max_speakers,
    }
    about = {"name": pipeline, "options": {"preset": preset, **options}}
    writers = _writers(chosen.values(), exclusive, loaded, **about)
    journal = None
    if into:
        settings = fingerprint(loaded, {**options, "exclusive": exclusive})
        journal = Journal(into, settings, suffixes, kept)
    if journal and not again and not evidence:
        named = _skip_finished(journal, named)
    notes = []
    with ProgressBars(len(named)) as progress:
        for outcome in diarize_files(
            loaded,
            named,
            into=into,
            journal=journal,
            writers={**writers, **({SUFFIX: _keeper(loaded)} if keep else {})},
            folders=kept,
            hook=progress,
            **options,
        ):
            if outcome.diarization is None:
                failed.append(outcome)
                progress.next_file()
            else:
                printed = [] if into else [*writers.values()]
                progress.next_file(
                    "".join(
                        str(write(outcome.output, outcome.file)) for write in printed
                    )
                )
                if evidence:
                    try:
                        notes += _draw_evidence(loaded, outcome, evidence)
                    except OSError as error:
                        text = f"Evidence for '{outcome.file}' is lost: {error}"
                        failed.append(Outcome(outcome.file, error=text))
    for note in notes:
        typer.secho(note, fg="yellow", err=True)
    print_failures(failed)


def _check_words(formats: "Mapping[str, Format]") -> None:
    """Refuse formats of words only."""
    for name, each in formats.items():
        if each.needs_words:
            raise typer.BadParameter(
                f"Format {name} holds words, which `apply` does not find: give a "
                "transcript to `pyannote-diarizen assign`."
            )


def _writers(
    formats: "Iterable[Format]", exclusive: bool, pipeline: Any, **about: Any
) -> "dict[str, Writer]":
    """Return writers by suffix; `about` holds arguments of `describe_pipeline`."""
    from pyannote_diarizen.audio.reader import audio_info
    from pyannote_diarizen.pipelines.batch import WRITERS
    from pyannote_diarizen.results.document import (
        DiarizationDocument,
        describe_pipeline,
    )

    def write(output: Any, audio: Path, form: "Format") -> str | bytes:
        features = getattr(output, "features", None)
        known = None if features is None else features.file["duration"]
        document = DiarizationDocument.from_output(
            output,
            # compressed audio is decoded for it
            duration=audio_info(audio).duration if known is None else known,
            audio=str(audio.absolute()),
            pipeline=describe_pipeline(pipeline, **about),
        )
        return form.render(document, exclusive)

    writers: dict[str, Writer] = {
        form.suffix: partial(write, form=form) for form in formats
    }
    if not exclusive:  # RTTM needs no document
        writers |= {suffix: WRITERS[suffix] for suffix in writers.keys() & WRITERS}
    return writers


def _check_method(pipeline: Any, method: str, option: str) -> None:
    """Refuse pipelines without a method, or whose results carry no features."""
    if not hasattr(pipeline, method) or getattr(pipeline, "legacy", False):
        raise typer.BadParameter(
            f"{option} needs a pipeline of type pyannote_diarizen.pipelines.DiariZen, "
            f"not `legacy`, got {type(pipeline).__name__}."
        )


def _keeper(pipeline: Any) -> "Writer":
    """Return the writer of features."""
    models = pipeline.model_fingerprints()
    return lambda output, _: output.features.to_bytes(models)


def _skip_finished(journal: "Journal", files: dict[str, Path]) -> dict[str, Path]:
    """Return the files to diarize, and print how many are finished."""
    left = {
        uri: path for uri, path in files.items() if not journal.is_finished(uri, path)
    }
    if finished := len(files) - len(left):
        typer.echo(
            f"{finished} of {len(files)} files are finished: skipped. --again diarizes "
            "them again.",
            err=True,
        )
    return left


def _draw_evidence(pipeline: Any, outcome: Any, folder: Path) -> list[str]:
    """Plot the evidence for each number of speakers; return why that failed, if so."""
    from pyannote_diarizen.atomic import recording_path
    from pyannote_diarizen.evaluation.plots import draw_evidence, save_figure

    try:
        path = recording_path(folder, str(outcome.diarization.uri), ".png")
        save_figure(draw_evidence(pipeline.evidence(outcome.output)), path)
    except (TypeError, ValueError) as error:
        return [f"No evidence for '{outcome.file}': {error}"]
    return []
