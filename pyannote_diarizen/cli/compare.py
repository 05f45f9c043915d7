# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen compare`: whether systems differ significantly."""

from pathlib import Path
from typing import Annotated

import typer

from pyannote_diarizen.cli.tables import print_table


def compare(
    systems: Annotated[
        list[Path],
        typer.Argument(
            help="Two or more: folders of `benchmark`, JSON or CSV files of `score`."
        ),
    ],
    into: Annotated[
        Path | None,
        typer.Option(file_okay=False, help="Folder for a report with figures."),
    ] = None,
    collar: Annotated[
        float,
        typer.Option(min=0, help="Collar of the scores to compare, see `score`."),
    ] = 0.0,
    skip_overlap: Annotated[
        bool,
        typer.Option("--skip-overlap", help="Compare scores without overlap."),
    ] = False,
) -> None:
    """Compare the diarization error rates of systems on the same recordings.

    Recordings are the samples of all tests: a permutation test and an interval of
    the pooled error rate, a paired t-test with Cohen's d and Wilcoxon's signed rank
    test of error rates per recording. A difference is significant if the p-value of the
    permutation test is below 5 percent. With several systems, p-values are adjusted by
    the method of Holm.

    With --into, `comparison.html` and `comparison.md` hold tables, figures, and links
    to the pages that `benchmark --pages` wrote.

    Exit codes: 0, compared; 2, wrong usage, or no scores.
    """
    if len(systems) < 2:
        raise typer.BadParameter("compare needs two systems or more.")

    from pyannote_diarizen.evaluation.scoring import Condition
    from pyannote_diarizen.results.compared_systems import (
        compare_systems,
        comparison_report,
        file_table,
        pair_table,
        system_table,
    )
    from pyannote_diarizen.results.scores import SystemScores

    scores = [SystemScores.read(path) for path in systems]
    comparison = compare_systems(scores, Condition(collar, skip_overlap))
    folders = [path if path.is_dir() else path.parent for path in systems]
    print_table(*system_table(comparison))
    print_table(*pair_table(comparison))
    print_table(*file_table(comparison, Path(), folders))
    typer.echo(f"Condition: {comparison.condition}.")
    for sentence in comparison.sentences():
        typer.echo(sentence)
    if comparison.left_out:
        left_out = ", ".join(comparison.left_out)
        typer.secho(f"Not scored by all systems: {left_out}.", fg="yellow", err=True)
    if into is not None:
        report = comparison_report(comparison, into.resolve(), folders)
        for suffix in (".md", ".html"):
            report.write(into / f"comparison{suffix}")
        typer.echo(f"Written: {into / 'comparison.html'} and .md.")
