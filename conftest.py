# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Settings of all tests, doctests included: processes, threads, temporary files."""

import gc
import os
import tempfile
from collections.abc import Generator, Iterator
from pathlib import Path

# before torch is imported, in each process and those that tests start
os.environ.setdefault("PYANNOTE_METRICS_ENABLED", "0")
os.environ.setdefault("ORT_DISABLE_TELEMETRY", "1")
# one process per core: more threads would wait for one another
os.environ.setdefault("OMP_NUM_THREADS", "1")

import pytest

MAX_PROCESSES = 8
"""Each process takes a gigabyte, and ten seconds to import what it tests."""


@pytest.hookimpl(tryfirst=True)
def pytest_cmdline_main(config: pytest.Config) -> None:
    """Start one process per core, unless `-n` is given or only files are named."""
    parallel = config.pluginmanager.hasplugin("xdist")
    if not parallel or "PYTEST_XDIST_WORKER" in os.environ or config.option.usepdb:
        return
    is_few = all(".py" in each for each in config.args)
    if config.option.numprocesses is None and not is_few:
        num_cores = os.cpu_count() or 1
        config.option.numprocesses = min(num_cores, MAX_PROCESSES)
    if config.option.numprocesses and config.option.dist == "no":
        # keeps the order, so that processes share few modules and their fixtures
        config.option.dist = "worksteal"


@pytest.hookimpl(wrapper=True)
def pytest_collection() -> Generator[None, object, object]:
    """Exempt modules from garbage collection, which searches them in vain."""
    gc.disable()
    try:
        return (yield)
    finally:
        gc.freeze()
        gc.enable()


@pytest.fixture(scope="session", autouse=True)
def nothing_stays(tmp_path_factory: pytest.TempPathFactory) -> Iterator[None]:
    """Fail if a file remains in the temporary folder of the tests."""
    folder = tmp_path_factory.mktemp("temporary")
    with pytest.MonkeyPatch.context() as patch:
        patch.setenv("TMPDIR", str(folder))
        patch.setattr(tempfile, "tempdir", None)  # forgets the former folder
        yield
    gc.collect()
    if left := [each for each in folder.iterdir() if not _is_of_torch(each)]:
        names = ", ".join(sorted(each.name for each in left))
        pytest.fail(f"{len(left)} temporary files were not removed: {names}.")


def _is_of_torch(path: Path) -> bool:
    """Torch 2.14 creates an empty folder on import."""
    return path.name.startswith("torchinductor_") and not any(path.iterdir())
