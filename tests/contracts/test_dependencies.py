# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The package declares what it imports, and imports what it declares."""

import ast
import sys
from collections.abc import Iterator
from importlib.metadata import packages_distributions, requires
from pathlib import Path

from packaging.requirements import Requirement
from packaging.utils import canonicalize_name

import pyannote_diarizen

PACKAGE = Path(pyannote_diarizen.__file__).parent
NOT_IMPORTED = {
    "tomli": "the standard library has it since Python 3.11",
    "tensorboard": "Lightning's logger imports it",
    "pyannote-pipeline": "imported by `pyannote.audio.pipelines` only where tuned",
}

EXTRAS = ("", "formats", "lhotse", "onnx", "ray", "remote", "serve", "wer")
"""Extras whose packages are imported where a user asks for them."""


def imported_modules() -> Iterator[str]:
    """Yield the absolute imports of the package, also those inside functions."""
    for path in PACKAGE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                yield from (alias.name for alias in node.names)
            elif isinstance(node, ast.ImportFrom) and node.level == 0:
                yield node.module


HOLDERS = packages_distributions()


def distributions_of(module: str) -> set[str]:
    """Names of the distributions that hold a module."""
    top, *rest = module.split(".")
    if top in sys.stdlib_module_names or top == "pyannote_diarizen":
        return set()
    if top == "pyannote":  # a namespace of several distributions
        return {f"pyannote-{rest[0]}"}
    return {canonicalize_name(name) for name in HOLDERS.get(top, ())}


def test_imports_equal_the_declared_dependencies():
    declared, optional = set(), set()
    for requirement in map(Requirement, requires("pyannote-diarizen")):
        extra = str(requirement.marker).partition("extra == ")[2].strip('"')
        if extra in EXTRAS:
            (optional if extra else declared).add(canonicalize_name(requirement.name))
    imported = set().union(*map(distributions_of, set(imported_modules())))
    assert imported - declared - optional == set()
    assert declared - imported - set(NOT_IMPORTED) == set()
