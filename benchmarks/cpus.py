# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Run the tests with the instructions and kernels of other CPUs.

    python benchmarks/cpus.py
    python benchmarks/cpus.py --only AVX2 --only "no AVX" -- tests/functional -k plda

Environment variables make numerical libraries use the kernels of an older CPU.
Arguments after `--` go to pytest. A result that depends on the CPU is a fault: mend it
or, if only rounding differs, state the tolerance and what was measured.
"""

import os
import re
import subprocess
import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Annotated

import numpy as np
import typer
from reports import table

HEADER = ["setting", "passed", "failed", "errors", "s", "CPU s"]
AVX2 = {
    "ATEN_CPU_CAPABILITY": "avx2",
    "MKL_ENABLE_INSTRUCTIONS": "AVX2",
    "ONEDNN_MAX_CPU_ISA": "AVX2",
    "OPENBLAS_CORETYPE": "Haswell",
}
SSE = {
    "ATEN_CPU_CAPABILITY": "default",
    "MKL_ENABLE_INSTRUCTIONS": "SSE4_2",
    "ONEDNN_MAX_CPU_ISA": "SSE41",
    "OPENBLAS_CORETYPE": "Prescott",
}


@dataclass(frozen=True)
class Outcome:
    """Output and time of a run of pytest.

    Parameters
    ----------
    output : str
    seconds, cpu_seconds : float
        Wall-clock time, and CPU time of all processes.
    """

    output: str
    seconds: float
    cpu_seconds: float

    @property
    def figures(self) -> list[str]:
        """Columns of the table, but for the first one."""
        *_, summary = self.output.strip().splitlines()
        found = {name: n for n, name in re.findall(r"(\d+) (\w+?)s?\b", summary)}
        counts = [found.get(name, "0") for name in ("passed", "failed", "error")]
        return [*counts, f"{self.seconds:.0f}", f"{self.cpu_seconds:.0f}"]

    @property
    def failures(self) -> list[str]:
        """Lines that name failed tests."""
        return re.findall(r"^(?:FAILED|ERROR) .*", self.output, flags=re.MULTILINE)


def settings() -> dict[str, dict[str, str]]:
    """Environment variables of each setting."""
    found = np.show_config(mode="dicts")["SIMD Extensions"]["found"]
    baseline = {"NPY_DISABLE_CPU_FEATURES": " ".join(found)}
    two = {"OMP_NUM_THREADS": "2"}
    cores = ("Haswell", "Zen", "Sandybridge", "Prescott")
    return {
        "this CPU": {},
        "this CPU, two threads": two,
        "ATen default": {"ATEN_CPU_CAPABILITY": "default"},
        "ATen avx2": {"ATEN_CPU_CAPABILITY": "avx2"},
        "oneDNN AVX2": {"ONEDNN_MAX_CPU_ISA": "AVX2"},
        "MKL AVX2": {"MKL_ENABLE_INSTRUCTIONS": "AVX2"},
        **{f"OpenBLAS {core}": {"OPENBLAS_CORETYPE": core} for core in cores},
        "NumPy baseline": baseline,
        "AVX2": AVX2,
        "AVX2, two threads": {**AVX2, **two},
        "no AVX": {**SSE, **baseline},
    }


def run(environment: Mapping[str, str], arguments: Sequence[str]) -> Outcome:
    """Run pytest with environment variables."""
    before, start = os.times(), time.perf_counter()
    ran = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", *arguments],
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        check=False,
    )
    seconds, after = time.perf_counter() - start, os.times()
    if ran.returncode not in (0, 1):
        sys.exit(ran.stdout + ran.stderr)
    user = after.children_user - before.children_user
    system = after.children_system - before.children_system
    return Outcome(ran.stdout, seconds, user + system)


def main(
    arguments: Annotated[list[str] | None, typer.Argument(help="For pytest.")] = None,
    only: Annotated[list[str] | None, typer.Option(help="A setting.")] = None,
) -> None:
    """Print the failures of each setting, and a Markdown table of all settings."""
    known = settings()
    if unknown := set(only or ()) - set(known):
        sys.exit(f"There is no setting {unknown}, but {[*known]}.")
    rows = []
    for name in only or known:
        outcome = run(known[name], arguments or ())
        rows.append([name, *outcome.figures])
        print(table(HEADER, rows[-1:]).splitlines()[-1], *outcome.failures, sep="\n")
    print(f"\n{table(HEADER, rows)}")


if __name__ == "__main__":
    typer.run(main)
