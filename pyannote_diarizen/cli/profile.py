# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen profile`: seconds and memory of a pipeline by stage."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.console import Console
from rich.table import Table

from pyannote_diarizen.cli.options import DeviceOption, PipelineOption
from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE

if TYPE_CHECKING:
    from pyannote_diarizen.evaluation.profiling import Profile


def profile(
    audio: Annotated[Path, typer.Argument(help="Audio file.")],
    pipeline: PipelineOption = DEFAULT_PIPELINE,
    against: Annotated[
        list[str] | None,
        typer.Option(
            help="Compare with: exact or shared, values of embedding_mode; stock, the "
            "pipeline of pyannote.audio with the same models. May be repeated."
        ),
    ] = None,
    device: DeviceOption = "auto",
) -> None:
    """Measure seconds and memory of a pipeline by stage.

    Each pipeline runs in a process of its own; "start" is its imports and loading.
    Memory is the maximum of the process until the end of the stage.
    """
    from pyannote_diarizen.audio.reader import audio_info
    from pyannote_diarizen.evaluation.profiling import SYSTEMS, profile_in_process

    systems = ["configured", *(against or ())]
    if unknown := set(systems) - set(SYSTEMS):
        raise typer.BadParameter(
            f"--against should be one of {', '.join(SYSTEMS[1:])}, got "
            f"{', '.join(sorted(unknown))}."
        )
    audio_info(audio)  # an error before anything runs
    profiles = [profile_in_process(one, pipeline, audio, device) for one in systems]
    for some in profiles:
        Console().print(_table(some))
        typer.echo(
            f"{some.system}: real-time factor {some.real_time_factor:.4f}, "
            f"{some.duration:.0f} s of audio, {some.num_threads} threads."
        )
    first, *others = profiles
    for other in others:
        same = "the same turns" if other.turns == first.turns else "other turns"
        typer.echo(
            f"{other.system} takes {other.cpu_seconds / first.cpu_seconds:.1f} times "
            f"the CPU time of the first, for {same}."
        )


def _table(profile: "Profile") -> Table:
    header = ("stage", "seconds", "CPU seconds", "peak memory, MiB")
    table = Table(*header, title=f"{profile.system}, by stage")
    for stage in profile.stages:
        memory = "" if stage.peak_memory is None else f"{stage.peak_memory >> 20}"
        table.add_row(
            stage.name, f"{stage.seconds:.1f}", f"{stage.cpu_seconds:.1f}", memory
        )
    return table
