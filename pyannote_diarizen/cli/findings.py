# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Findings about machine and data, printed alike by all commands."""

from collections.abc import Collection, Iterable
from pathlib import Path
from typing import TYPE_CHECKING

import typer

from pyannote_diarizen.findings import Finding, require

if TYPE_CHECKING:
    from pyannote.database import ProtocolFile

COLORS = {"ok": "green", "warning": "yellow", "error": "red"}


def print_finding(finding: Finding, err: bool = False) -> None:
    """Print status, place and text; then details, and the remedy on its own line."""
    label = typer.style(f"{finding.status:8}", fg=COLORS[finding.status])
    typer.echo(f"{label} {finding.located_text}", err=err)
    if finding.details:
        typer.echo(finding.details, err=err)
    if finding.remedy:
        typer.echo(f"{'':8} -> {finding.remedy}", err=err)


def print_findings(
    findings: Iterable[Finding],
    limit: int = 20,
    more: str = "see --limit",
    err: bool = False,
) -> int:
    """Print findings, errors first.

    Parameters
    ----------
    findings : iterable of Finding
    limit : int, optional
        Maximum number of findings to print. Defaults to 20.
    more : str, optional
        How to see the others.
    err : bool, optional
        Print to standard error. Defaults to False.

    Returns
    -------
    num_errors : int
        Number of errors, printed or not.
    """
    ordered = sorted(findings, key=lambda finding: finding.status != "error")
    for finding in ordered[:limit]:
        print_finding(finding, err)
    if len(ordered) > limit:
        typer.echo(f"... and {len(ordered) - limit} more: {more}.", err=err)
    return sum(finding.status == "error" for finding in ordered)


def checked_files(
    protocol: str, database: Path | None, subsets: Collection[str]
) -> "dict[str, list[ProtocolFile]]":
    """Check subsets of a protocol as `validate` does, and list their files.

    Warnings are printed to standard error.

    Parameters
    ----------
    protocol : str
    database : Path, optional
        File that defines the protocol.
    subsets : collection of str

    Returns
    -------
    files : dict of str to list of ProtocolFile
        Files of each subset.

    Raises
    ------
    OSError, ValueError
        If there is an error, or no such protocol or subset.
    """
    from pyannote_diarizen.corpora.protocols import load_protocol, subset_files
    from pyannote_diarizen.corpora.validation import check_protocol

    checked = check_protocol(protocol, database, subsets=subsets)
    findings = [finding for each in checked for finding in each.findings]
    require(findings)
    named = protocol if database is None else f"{protocol} --database {database}"
    more = f"run `pyannote-diarizen validate {named}`"
    print_findings(findings, limit=5, more=more, err=True)
    loaded = load_protocol(protocol, database)
    return {subset: subset_files(loaded, subset) for subset in subsets}
