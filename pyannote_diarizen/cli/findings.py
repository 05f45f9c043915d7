# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Findings of `doctor`, `validate` and `import-kaldi`, printed alike."""

from collections.abc import Iterable

import typer

from pyannote_diarizen.findings import Finding

COLORS = {"ok": "green", "warning": "yellow", "error": "red"}


def print_finding(finding: Finding) -> None:
    """Print status, place and text; then the remedy on a line of its own."""
    label = typer.style(f"{finding.status:8}", fg=COLORS[finding.status])
    typer.echo(f"{label} {finding.located_text}")
    if finding.remedy:
        typer.echo(f"{'':8} -> {finding.remedy}")


def print_findings(findings: Iterable[Finding], limit: int = 20) -> int:
    """Print findings, errors first.

    Parameters
    ----------
    findings : iterable of Finding
    limit : int, optional
        Maximum number of findings to print. Defaults to 20.

    Returns
    -------
    num_errors : int
        Number of errors, printed or not.
    """
    ordered = sorted(findings, key=lambda finding: finding.status != "error")
    for finding in ordered[:limit]:
        print_finding(finding)
    if len(ordered) > limit:
        typer.echo(f"... and {len(ordered) - limit} more: see --limit.")
    return sum(finding.status == "error" for finding in ordered)
