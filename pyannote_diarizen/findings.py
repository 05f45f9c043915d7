# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Results of checks: of the machine, of data, and of a training before it starts.

`doctor`, `validate`, `import-kaldi` and the checks before training all return
`Finding`, and `cli.findings` prints all of them.
"""

from collections.abc import Iterable
from dataclasses import dataclass
from pathlib import Path
from typing import Literal

Status = Literal["ok", "warning", "error"]


MAX_LENGTH = 1000
"""Number of characters of a text that are printed."""


@dataclass(frozen=True)
class Finding:
    """Result of one check.

    Parameters
    ----------
    status : {"ok", "warning", "error"}
        An error stops the work that was checked; a warning does not.
    text : str
        Description, in one line.
    remedy : str, optional
        Command or correction.
    path : Path, optional
        File that the finding is about.
    line : int, optional
        Line of that file, from 1. None stands for the file as a whole.
    details : str, optional
        Lines to print after the text, such as a table.

    Examples
    --------
    >>> print(Finding("error", "a blank line", "delete it", Path("train.lst"), 2))
    'train.lst', line 2: a blank line: delete it.
    """

    status: Status
    text: str
    remedy: str = ""
    path: Path | None = None
    line: int | None = None
    details: str = ""

    @property
    def located_text(self) -> str:
        """File, line and text, of which the end is left out if it is very long."""
        cut = len(self.text) > MAX_LENGTH
        text = f"{self.text[:MAX_LENGTH]}..." if cut else self.text
        if self.path is None:
            return text
        line = "" if self.line is None else f", line {self.line}"
        return f"'{self.path}'{line}: {text}"

    def __str__(self) -> str:
        """Return file, line, text and remedy as a sentence, for error messages."""
        remedy = f": {self.remedy}" if self.remedy else ""
        return f"{self.located_text}{remedy}."


def require(findings: Iterable[Finding]) -> None:
    """Raise the first error among findings.

    Raises
    ------
    ValueError
        If there is an error; the message counts the others.
    """
    errors = [finding for finding in findings if finding.status == "error"]
    if errors:
        num = len(errors) - 1
        more = f" {num} more error{'s' * (num > 1)}." if num else ""
        raise ValueError(f"{errors[0]}{more}")
