# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Benchmarks as modules, which find each other as when they are run."""

import importlib.util
import sys
from collections.abc import Callable, Iterator
from pathlib import Path
from types import ModuleType

import pytest

BENCHMARKS = Path(__file__).parents[2] / "benchmarks"


@pytest.fixture(scope="package")
def load_benchmark() -> Iterator[Callable[[str], ModuleType]]:
    """Load `benchmarks/NAME.py`."""

    def load(name: str) -> ModuleType:
        path = BENCHMARKS / f"{name}.py"
        spec = importlib.util.spec_from_file_location(f"{name}_benchmark", path)
        module = importlib.util.module_from_spec(spec)
        spec.loader.exec_module(module)
        return module

    sys.path.insert(0, str(BENCHMARKS))
    yield load
    sys.path.remove(str(BENCHMARKS))
