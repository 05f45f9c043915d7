# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen`: one command per module of this folder.

Commands import the package inside their function, so that `--help` is fast.
"""

import os
from importlib.metadata import version as version_of
from itertools import pairwise
from typing import Annotated, Any

import typer
from typer.core import TyperGroup

from pyannote_diarizen.allocator import keep_freed_memory
from pyannote_diarizen.cli.apply import apply
from pyannote_diarizen.cli.assign import assign
from pyannote_diarizen.cli.average import average
from pyannote_diarizen.cli.benchmark import benchmark
from pyannote_diarizen.cli.compare import compare
from pyannote_diarizen.cli.convert import convert
from pyannote_diarizen.cli.demo import demo
from pyannote_diarizen.cli.doctor import doctor
from pyannote_diarizen.cli.download import download
from pyannote_diarizen.cli.edit import edit
from pyannote_diarizen.cli.enrol import enrol
from pyannote_diarizen.cli.export import export
from pyannote_diarizen.cli.export_lhotse import export_lhotse
from pyannote_diarizen.cli.fuse import fuse
from pyannote_diarizen.cli.identify import identify
from pyannote_diarizen.cli.import_kaldi import import_kaldi
from pyannote_diarizen.cli.import_lhotse import import_lhotse
from pyannote_diarizen.cli.link import link
from pyannote_diarizen.cli.package import package
from pyannote_diarizen.cli.plda import plda
from pyannote_diarizen.cli.profile import profile
from pyannote_diarizen.cli.prune import prune
from pyannote_diarizen.cli.recluster import recluster
from pyannote_diarizen.cli.report import report
from pyannote_diarizen.cli.score import score
from pyannote_diarizen.cli.serve import serve
from pyannote_diarizen.cli.show import show
from pyannote_diarizen.cli.simulate import simulate
from pyannote_diarizen.cli.tune import tune
from pyannote_diarizen.cli.validate import validate
from pyannote_diarizen.errors import (
    IncompatiblePackagesError,
    MissingPackagesError,
    in_one_line,
)
from pyannote_diarizen.telemetry import disable_telemetry
from pyannote_diarizen.terminal import warnings_as_sentences


class OneLineErrors(TyperGroup):
    """Group of commands that prints errors on one line, with exit code 2.

    The error about incompatible packages has a second line: the command that helps.
    """

    def resolve_command(self, ctx: Any, args: list[str]) -> tuple[Any, Any, list[str]]:
        """Find a command; an option in place of the value of another is refused."""
        name, command, rest = super().resolve_command(ctx, args)
        parameters: list[Any] = [] if command is None else command.params
        # arguments have names, too, but without dashes
        options = {
            text: each
            for each in parameters
            for text in each.opts
            if text.startswith("-")
        }
        for option, value in pairwise(rest):
            if option in options and not options[option].is_flag and value in options:
                raise typer.BadParameter(
                    f"{option} needs a value, but {value} follows.", ctx
                )
        return name, command, rest

    def invoke(self, ctx: Any) -> Any:
        """Run a command."""
        try:
            with warnings_as_sentences():
                return super().invoke(ctx)
        except IncompatiblePackagesError as error:
            message = str(error)
        except (MissingPackagesError, OSError, ValueError) as error:
            message = in_one_line(error)
        typer.secho(f"{ctx.info_name}: {message}", fg="red", err=True)
        raise typer.Exit(2)


app = typer.Typer(
    cls=OneLineErrors,
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
    rich_markup_mode="markdown",  # joins the lines of a paragraph
)
app.command()(demo)
app.command()(apply)
app.command()(recluster)
app.command()(edit)
app.command()(assign)
app.command()(show)
app.command()(serve)
app.command()(convert)
app.command()(download)
app.command()(export)
app.command()(simulate)
app.command("import-kaldi")(import_kaldi)
app.command("import-lhotse")(import_lhotse)
app.command("export-lhotse")(export_lhotse)
app.command()(validate)
app.command()(report)
app.command()(score)
app.command()(benchmark)
app.command()(compare)
app.command()(fuse)
app.command()(average)
app.command()(package)
app.command()(prune)
app.command()(plda)
app.command()(enrol)
app.command()(identify)
app.command()(link)
app.command()(tune)
app.command()(profile)
app.command()(doctor)


def _print_version(asked: bool) -> None:
    if asked:
        typer.echo(f"pyannote-diarizen {version_of('pyannote-diarizen')}")
        raise typer.Exit


@app.callback()
def main(
    version: Annotated[
        bool,
        typer.Option(
            "--version", callback=_print_version, is_eager=True, help="Print version."
        ),
    ] = False,
) -> None:
    """Speaker diarization (who speaks when) with DiariZen models on pyannote.audio.

    Telemetry of pyannote.audio is off, unless the environment variable
    PYANNOTE_METRICS_ENABLED is 1; so is that of ONNX Runtime, unless
    ORT_DISABLE_TELEMETRY is 0.
    """
    disable_telemetry()
    # operations that Apple GPUs lack run on the CPU; torch warns of each, once
    os.environ.setdefault("PYTORCH_ENABLE_MPS_FALLBACK", "1")
    keep_freed_memory()
