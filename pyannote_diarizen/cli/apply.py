# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen apply`: diarize audio files."""

from collections.abc import Iterable, Iterator
from concurrent.futures import ThreadPoolExecutor
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer

from pyannote_diarizen.cli.options import (
    ChannelOption,
    DeviceOption,
    ExclusiveOption,
    FormatOption,
    MaxSpeakersOption,
    MinSpeakersOption,
    NumSpeakersOption,
    PipelineOption,
    PresetOption,
    RecordingsArgument,
    ResultsOption,
    check_features,
    check_num_speakers,
    check_output,
    parse_folder,
)
from pyannote_diarizen.cli.progress import ProgressBars, print_failures
from pyannote_diarizen.cli.writing import check_destination, check_words
from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE

if TYPE_CHECKING:
    from pyannote_diarizen.pipelines.batch import Outcome, Writer
    from pyannote_diarizen.pipelines.journal import Journal
    from pyannote_diarizen.remote import AnyPath


def apply(
    audio: RecordingsArgument,
    pipeline: PipelineOption = DEFAULT_PIPELINE,
    preset: PresetOption = None,
    into: ResultsOption = None,
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
        Any,
        typer.Option(
            metavar="FOLDER",
            parser=parse_folder,
            help="Folder for the outputs of the networks, one file per audio file: "
            "`recluster` and `edit` change the speakers later, without the audio.",
        ),
    ] = None,
    again: Annotated[
        bool, typer.Option("--again", help="Diarize finished files again, too.")
    ] = False,
    device: DeviceOption = "auto",
    devices: Annotated[
        str | None,
        typer.Option(
            help="Devices that share the files, one process each, as in cuda:0,cuda:1.",
        ),
    ] = None,
    ray: Annotated[
        str | None,
        typer.Option(
            help="Address of a Ray cluster that shares the files, or local. Paths are "
            "the same on all machines, or addresses.",
        ),
    ] = None,
    max_memory: Annotated[
        str | None,
        typer.Option(
            metavar="SIZE",
            help="Memory of the process, as in 2GB, above which arrays of long "
            "recordings lie in temporary files.",
        ),
    ] = None,
    channel: ChannelOption = None,
) -> None:
    """Diarize audio files: who speaks when, as RTTM or in other formats.

    A file that cannot be diarized does not stop the others: errors are printed to
    standard error at the end. Folders distinguish files of the same name.

    With --into, a second call goes on where the first one stopped. finished.jsonl in
    that folder, or a folder finished at an address, lists finished files, which are
    skipped unless they, the pipeline or the options have changed, or a format or the
    file of --keep is missing. --evidence skips none.

    Exit codes: 0, all files were diarized; 1, some files failed; 2, wrong usage, or the
    pipeline cannot be loaded.
    """
    check_num_speakers(num_speakers, min_speakers, max_speakers, expected_speakers)
    check_output(into)
    _check_sharing(devices, ray, evidence)
    if ray:  # other machines have other current folders
        audio = [path.absolute() for path in audio]
        into, keep = into and into.absolute(), keep and keep.absolute()
        if Path(pipeline).exists():
            pipeline = str(Path(pipeline).absolute())

    from pyannote_diarizen.hub.loading import load_pipeline
    from pyannote_diarizen.pipelines.batch import find_audio
    from pyannote_diarizen.pipelines.features import SUFFIX, FeatureWriter
    from pyannote_diarizen.pipelines.journal import Journal, fingerprint
    from pyannote_diarizen.pipelines.scratch import limited_memory
    from pyannote_diarizen.results.document import describe_pipeline
    from pyannote_diarizen.results.formats import find_formats
    from pyannote_diarizen.results.writers import document_writers

    chosen = find_formats(formats)
    suffixes = [each.suffix for each in chosen.values()]
    kept = {SUFFIX: keep} if keep else {}
    named, failed = find_audio(audio, into or evidence or keep, [*suffixes, *kept])
    check_words(chosen)
    check_destination(chosen, into, len(named))
    _check_machines(devices, ray)
    loaded = load_pipeline(pipeline, device, preset)
    if evidence:
        check_features(loaded, "evidence", "--evidence")
    if keep:
        check_features(loaded, "save_features", "--keep")
    options: dict[str, Any] = {
        "channel": channel,
        "expected_speakers": expected_speakers,
        "num_speakers": num_speakers,
        "min_speakers": min_speakers,
        "max_speakers": max_speakers,
    }
    description = describe_pipeline(loaded, pipeline, {"preset": preset, **options})
    confidence = getattr(loaded, "turn_confidence", None)
    writers = document_writers(chosen, exclusive, description, confidence)
    printed = [] if into else [*writers.values()]
    if keep:
        writers[SUFFIX] = FeatureWriter(loaded.model_fingerprints())
    journal = None
    if into:
        settings = fingerprint(loaded, {**options, "exclusive": exclusive})
        journal = Journal(into, settings, suffixes, kept)
    if journal and not again and not evidence:
        named = _skip_finished(journal, named)
    if max_memory:
        check_features(loaded, "load_together", "--max-memory")
        with limited_memory(max_memory):  # checks it
            options["max_memory"] = max_memory
    options |= {"into": into, "journal": journal, "writers": writers, "folders": kept}
    load = partial(load_pipeline, pipeline, preset=preset)
    with ProgressBars(len(named)) as progress:
        if devices or ray:
            outcomes = _share(load, devices, ray, named, **options)
        else:
            outcomes = _diarize_here(loaded, named, progress, evidence, **options)
        failed += _print_results(outcomes, progress, printed)
    print_failures(failed)


def _check_sharing(devices: str | None, ray: str | None, evidence: Any) -> None:
    """Refuse options that exclude each other."""
    if devices and ray:
        raise typer.BadParameter("Give --devices or --ray, not both.")
    if evidence and (devices or ray):
        raise typer.BadParameter(
            "--evidence needs one process: leave out --devices and --ray."
        )


def _check_machines(devices: str | None, ray: str | None) -> None:
    """Refuse devices that this machine lacks, and Ray if it is not installed."""
    from pyannote_diarizen.hub.loading import choose_device
    from pyannote_diarizen.pipelines.cluster import import_ray

    for name in devices.split(",") if devices else ():
        choose_device(name)
    if ray:
        import_ray()


def _share(
    load: Any,
    devices: str | None,
    ray: str | None,
    files: "dict[str, AnyPath]",
    **options: Any,
) -> "Iterator[Outcome]":
    """Diarize files on several devices, or on a cluster."""
    from pyannote_diarizen.pipelines.cluster import diarize_on_ray
    from pyannote_diarizen.pipelines.processes import diarize_on_devices

    if ray:
        return diarize_on_ray(load, ray, files, **options)
    return diarize_on_devices(load, (devices or "").split(","), files, **options)


def _diarize_here(
    pipeline: Any,
    files: "dict[str, AnyPath]",
    progress: ProgressBars,
    evidence: Path | None,
    **options: Any,
) -> "Iterator[Outcome]":
    """Diarize files one by one, and plot their evidence; a lost plot is an error."""
    from pyannote_diarizen.pipelines.batch import Outcome, diarize_files

    notes = []
    for outcome in diarize_files(pipeline, files, hook=progress, **options):
        yield outcome
        if outcome.diarization is None or not evidence:
            continue
        try:
            notes += _draw_evidence(pipeline, outcome, evidence)
        except OSError as error:
            text = f"Evidence for '{outcome.file}' is lost: {error}"
            yield Outcome(outcome.file, error=text)
    for note in notes:
        typer.secho(note, fg="yellow", err=True)


def _print_results(
    outcomes: "Iterable[Outcome]", progress: ProgressBars, writers: "list[Writer]"
) -> "list[Outcome]":
    """Print results by `writers`, and which have no turn; return those that failed."""
    failed, silent = [], []
    for outcome in outcomes:
        if outcome.diarization is None:
            failed.append(outcome)
            progress.next_file()
        else:
            output = outcome.output or outcome.diarization
            progress.next_file(
                "".join(str(write(output, outcome.file)) for write in writers)
            )
            if not outcome.diarization:
                silent.append(outcome.file)
    for file in silent:
        typer.secho(f"'{file}': no speech was detected.", fg="yellow", err=True)
    return failed


def _skip_finished(
    journal: "Journal", files: "dict[str, AnyPath]"
) -> "dict[str, AnyPath]":
    """Return the files to diarize, and print how many are finished."""
    with ThreadPoolExecutor() as threads:  # addresses take their time
        finished = [*threads.map(journal.is_finished, files, files.values())]
    left = {
        uri: path
        for (uri, path), skipped in zip(files.items(), finished, strict=True)
        if not skipped
    }
    if num_finished := sum(finished):
        typer.echo(
            f"{num_finished} of {len(files)} files are finished: skipped. --again "
            "diarizes them again.",
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
