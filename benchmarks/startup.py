# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Time that commands take, as a share of the time of `import pyannote.audio`.

    python benchmarks/startup.py
    python benchmarks/startup.py --repeat 5 --audio FILE
    python -X importtime -m pyannote_diarizen.cli.train 2>&1 | sort -t'|' -k2 -n | tail

Commands take turns, so that the load of the machine is the same for all. The first
`pyannote-audio-train` of an installation fills the cache of options: it is not counted.
"""

import os
import subprocess
import sys
import time
from pathlib import Path
from statistics import median
from typing import Annotated

import typer
from reports import SHARED, table

HOST = "import pyannote.audio"
AUDIO = SHARED / "audio" / "ami" / "dev00.flac"
APPLY = "from pyannote_diarizen.cli.main import app; app()"
TRAIN = "from pyannote_diarizen.cli.train import main; main()"


def main(
    repeat: Annotated[int, typer.Option(min=1, help="Number of rounds.")] = 3,
    audio: Annotated[Path, typer.Option(help="Short file to diarize.")] = AUDIO,
) -> None:
    """Print seconds and ratios of medians."""
    commands = {
        HOST: [HOST],
        "pyannote-diarizen --help": [APPLY, "--help"],
        "pyannote-diarizen apply --wrong": [APPLY, "apply", "--wrong"],
        "pyannote-audio-train task.wrong=1": [TRAIN, "task.wrong=1"],
        f"pyannote-diarizen apply {audio.name}": [APPLY, "apply", str(audio)],
    }
    for arguments in commands.values():  # files and caches are read once
        seconds(arguments)
    rounds = [
        {name: seconds(each) for name, each in commands.items()} for _ in range(repeat)
    ]
    print(report(rounds), end="")


def seconds(arguments: list[str]) -> float:
    """Time of a new Python with the code and arguments of a command."""
    environment = {"PYANNOTE_METRICS_ENABLED": "0", **os.environ}
    command = [sys.executable, "-W", "ignore", "-c", *arguments]
    start = time.perf_counter()
    subprocess.run(command, env=environment, capture_output=True, check=False)
    return time.perf_counter() - start


def report(rounds: list[dict[str, float]]) -> str:
    """Table of median seconds, and medians of the ratios to the host, in each round."""
    rows = [
        [
            f"`{name}`",
            f"{median(each[name] for each in rounds):.2f}",
            f"{median(each[name] / each[HOST] for each in rounds):.2f}",
        ]
        for name in rounds[0]
    ]
    return table(["command", "seconds", "ratio"], rows)


if __name__ == "__main__":
    typer.run(main)
