# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Run the commands of a page, and replace the output that the page shows.

    python run_docs.py docs/tuning.md docs/speakers.md
    python run_docs.py --ami AMI docs/data.md

In blocks of code called `console`, lines that begin with "$ " are commands, and the
other lines are their output. The commands of a page run in a new folder, which holds a
link `ami/` if `--ami` is given.
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
    """Return the commands of a block, each with its output."""
    lines = block.group().splitlines()
    shown = []
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
        # progress bars leave empty lines
        shown += [command, *filter(str.strip, ran.stdout.splitlines())]
    return "\n".join(shown) + "\n"


def main() -> None:
    """Parse arguments and rewrite pages."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--ami", type=Path)
    parser.add_argument("pages", type=Path, nargs="+")
    options = parser.parse_args()
    for page in options.pages:
        text = page.read_text(encoding="utf-8")
        with TemporaryDirectory() as folder:
            if options.ami:
                Path(folder, "ami").symlink_to(options.ami.resolve())
            text = BLOCK.sub(partial(run, folder=folder), text)
        page.write_text(text, encoding="utf-8")


if __name__ == "__main__":
    main()
