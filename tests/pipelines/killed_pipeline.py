# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Pipeline whose process is killed by files of a given name, once or each time."""

import os
import signal
from collections.abc import Callable, Mapping
from functools import partial
from pathlib import Path
from typing import Any

from pyannote.core import Annotation, Segment


def load(marks: Path, device: str) -> Callable[..., Annotation]:
    """Return a pipeline that marks in a folder which files it has killed."""
    return partial(diarize, marks, device)


def diarize(marks: Path, device: str, file: Mapping[str, Any]) -> Annotation:
    """Return one turn."""
    uri = file["uri"]
    with (marks / uri).open("a") as mark:
        mark.write(f"{device}\n")
    calls = len((marks / uri).read_text().splitlines())
    if uri == "always" or (uri == "once" and calls == 1):
        os.kill(os.getpid(), signal.SIGKILL)
    annotation = Annotation(uri=uri)
    annotation[Segment(0, 1)] = "A"
    return annotation
