# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Install, diarize and test with each supported set of versions.

    python benchmarks/environments.py --write
    python benchmarks/environments.py "torch 2.8" --tests tests

Each set gets a virtual environment of its own, 6 GB large, deleted at the end. The
table shows versions, the error rate of the demo, a checksum of the RTTM of the sample
and of the AMI excerpts, and the result of the tests of all that `apply` runs. The
excerpts are in the folder PYANNOTE_DIARIZEN_SHARED, by default `../shared`.
"""

import hashlib
import os
import re
import shutil
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Annotated

import typer
from reports import ROOT, SHARED, table, write_results

NAME = "benchmarks/environments.py"
CONSTRAINTS = ("-c", str(ROOT / "constraints.txt"))
FAST = [f"tests/{name}" for name in ("functional", "clustering", "audio", "pipelines")]
"""Tests of all that `apply` runs."""

SHOWN = ("torch", "torchaudio", "torchcodec", "pyannote-audio")


@dataclass(frozen=True)
class Environment:
    """Versions to install beside the package.

    Parameters
    ----------
    python : str
        Name of the interpreter.
    arguments : tuple of str
        Arguments of `pip install`.
    """

    python: str
    arguments: tuple[str, ...] = ()


def _set(torch: str, torchaudio: str, torchcodec: str) -> tuple[str, ...]:
    return f"torch=={torch}", f"torchaudio=={torchaudio}", f"torchcodec=={torchcodec}"


ENVIRONMENTS = {
    "constraints.txt": Environment("python3.11", CONSTRAINTS),
    "oldest Python": Environment("python3.10", CONSTRAINTS),
    "Python 3.12": Environment("python3.12", CONSTRAINTS),
    "latest Python": Environment("python3.13", CONSTRAINTS),
    "torch 2.8": Environment("python3.11", _set("2.8.0", "2.8.0", "0.7.0")),
    "torch 2.11": Environment("python3.11", _set("2.11.0", "2.11.0", "0.11.*")),
    "torch 2.15": Environment("python3.11", _set("2.15.0", "2.11.1", "0.17.0")),
    "newest of all": Environment("python3.11"),
}


def main(
    names: Annotated[list[str] | None, typer.Argument(help="Default: all.")] = None,
    tests: Annotated[
        list[str] | None, typer.Option(help="Tests to run. Default: the fast ones.")
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(help="Keep the environments here. Default: delete each one."),
    ] = None,
    write: Annotated[bool, typer.Option(help="Write CONTRIBUTING.md.")] = False,
) -> None:
    """Print the table."""
    if unknown := set(names or ()) - set(ENVIRONMENTS):
        sys.exit(f"There is no set {unknown}, but {[*ENVIRONMENTS]}.")
    rows = []
    for name in names or ENVIRONMENTS:
        with TemporaryDirectory() as temporary:
            environment = (folder or Path(temporary)) / name.replace(" ", "-")
            cells = examine(ENVIRONMENTS[name], environment, tests or FAST)
        rows.append([name, *cells])
        print(rows[-1], flush=True)
    heads = ["set", "Python", *SHOWN, "demo", "RTTM", "tests", "minutes"]
    lines = table(heads, rows)
    print(lines)
    if write:
        write_results(ROOT / "CONTRIBUTING.md", NAME, lines)


def examine(environment: Environment, folder: Path, tests: list[str]) -> list[str]:
    """Cells of one row, after the name of the set."""
    began = time.monotonic()
    bin_folder = folder.absolute() / "bin"
    installation = _install(environment, bin_folder)
    if installation.returncode:
        versions = [environment.python, *"-" * len(SHOWN)]
        return [*versions, f"pip: {_last_line(installation)}", "", "", ""]
    with TemporaryDirectory() as results:
        demo = _run(bin_folder / "pyannote-diarizen", "demo", cwd=Path(results))
        rate = re.search(r"error rate: (\S+%)", demo.stdout)
        checksum = _checksum(bin_folder, Path(results)) if rate else "-"
    tested = _run(bin_folder / "pytest", "-q", *tests, cwd=ROOT)
    return [
        *_versions(bin_folder),
        rate[1] if rate else _last_line(demo),
        checksum,
        _last_line(tested),
        f"{(time.monotonic() - began) / 60:.0f}",
    ]


def _install(environment: Environment, bin_folder: Path) -> subprocess.CompletedProcess:
    """Install as on a machine without a configuration of pip."""
    if shutil.which(environment.python) is None:
        return subprocess.CompletedProcess((), 1, "", f"no {environment.python}")
    created = _run(environment.python, "-m", "venv", bin_folder.parent)
    if created.returncode:
        return created
    arguments = ("-e", f"{ROOT}[test]", *environment.arguments)
    pip = (bin_folder / "pip", "install", "--quiet")
    return _run(*pip, *arguments, PIP_CONFIG_FILE=os.devnull)


def _versions(bin_folder: Path) -> list[str]:
    """Version of Python, and of the packages that are shown."""
    code = (
        "import platform, importlib.metadata as m;"
        f"print(platform.python_version(), *map(m.version, {SHOWN}))"
    )
    return _run(bin_folder / "python", "-c", code).stdout.split()


def _checksum(bin_folder: Path, folder: Path) -> str:
    """Checksum of the RTTM of the sample and of the AMI excerpts."""
    rttm = folder / "rttm"
    apply = (bin_folder / "pyannote-diarizen", "apply", SHARED / "audio" / "ami")
    _run(*apply, "--into", rttm)
    digest = hashlib.sha256((folder / "sample.rttm").read_bytes())
    for path in sorted(rttm.glob("*.rttm")):
        digest.update(path.read_bytes())
    return digest.hexdigest()[:8]


def _run(
    *command: str | Path, cwd: Path | None = None, **environment: str
) -> subprocess.CompletedProcess:
    return subprocess.run(
        command,
        cwd=cwd,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )


def _last_line(ran: subprocess.CompletedProcess) -> str:
    lines = (ran.stdout + ran.stderr).strip().splitlines()
    return lines[-1].strip("= ") if lines else f"exit code {ran.returncode}"


if __name__ == "__main__":
    typer.run(main)
