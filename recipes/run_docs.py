# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Run the commands of a page again, and put down what they say now.

    cd FOLDER && python run_docs.py docs/tuning.md docs/speakers.md

In blocks of code called `console`, lines that begin with "$ " are commands, and what
follows is their output. `FOLDER` should hold the `ami/` that the pages name.
"""

import argparse
import os
import re
import subprocess
import sys
from pathlib import Path

BLOCK = re.compile(r"(?<=```console\n).*?(?=```)", flags=re.DOTALL)


def run(block: re.Match[str]) -> str:
    """Commands of a block, each with its output."""
    lines = block.group().splitlines()
    told = []
    for command in (line for line in lines if line.startswith("$ ")):
        ran = subprocess.run(
            command.removeprefix("$ "),
            shell=True,
            text=True,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
            env={**os.environ, "COLUMNS": "120"},
        )
        if ran.returncode != 0:
            sys.exit(f"{command}\n{ran.stdout}")
        told += [command, ran.stdout.rstrip()]
    return "\n".join(filter(None, told)) + "\n"


def main() -> None:
    """Parse arguments and rewrite pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("pages", type=Path, nargs="+")
    for page in parser.parse_args().pages:
        text = page.read_text(encoding="utf-8")
        page.write_text(BLOCK.sub(run, text), encoding="utf-8")


if __name__ == "__main__":
    main()
