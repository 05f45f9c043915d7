# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Run the commands of a page again, and put down what they say now.

    python run_docs.py --ami AMI docs/tuning.md docs/speakers.md

In blocks of code called `console`, lines that begin with "$ " are commands, and what
follows is their output. They run in a new folder that holds `ami/`, for each page.
"""

import argparse
import os
import re
import subprocess
import sys
from functools import partial
from pathlib import Path
from tempfile import TemporaryDirectory

BLOCK = re.compile(r"(?<=```console\n).*?(?=```)", flags=re.DOTALL)


def run(block: re.Match[str], folder: str) -> str:
    """Commands of a block, each with its output."""
    lines = block.group().splitlines()
    told = []
    for command in (line for line in lines if line.startswith("$ ")):
        ran = subprocess.run(
            command.removeprefix("$ "),
            shell=True,
            cwd=folder,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "COLUMNS": "120"},
        )
        if ran.returncode != 0:
            sys.exit(f"{command}\n{ran.stdout}")
        # progress bars leave empty lines where nobody looks
        told += [command, *filter(str.strip, ran.stdout.splitlines())]
    return "\n".join(told) + "\n"


def main() -> None:
    """Parse arguments and rewrite pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ami", type=Path, required=True)
    parser.add_argument("pages", type=Path, nargs="+")
    options = parser.parse_args()
    for page in options.pages:
        text = page.read_text(encoding="utf-8")
        with TemporaryDirectory() as folder:
            Path(folder, "ami").symlink_to(options.ami.resolve())
            told = BLOCK.sub(partial(run, folder=folder), text)
        page.write_text(told, encoding="utf-8")


if __name__ == "__main__":
    main()
