# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Versions that go together, and the line that brings them."""

import os
from pathlib import Path

import pytest

from pyannote_diarizen.installation import (
    MODULES,
    ImportFailure,
    explain_import_failure,
    find_clashes,
    find_import_failure,
    pip_line,
    read_installed,
)

NEEDS = {
    "pyannote-diarizen": [
        "torch>=2.8",
        "torchaudio>=2.8",
        "pyannote.audio>=4.0.7,<5",
        'tomli>=2; python_version < "3"',
        'pytest>=8; extra == "test"',
    ],
    "pyannote.audio": ["numpy>=2", "lightning[extra]>=2.4"],
    "lightning": ["numpy<3", 'rich>=13; extra == "extra"'],
}
VERSIONS = {
    "pyannote-diarizen": "0.1.0",
    "torch": "2.10.0",
    "torchaudio": "2.10.1",
    "pyannote.audio": "4.0.7",
    "numpy": "2.1",
    "lightning": "2.5",
    "rich": "14.0",
}


@pytest.fixture
def install(tmp_path):
    """Write what pip leaves of packages, and read it."""

    def install(**changes: str | None):
        versions = VERSIONS | {k.replace("_", "-"): v for k, v in changes.items()}
        for name, version in versions.items():
            if version is not None:
                write_package(tmp_path, name, version, NEEDS.get(name, []))
        return read_installed([str(tmp_path)])

    return install


def write_package(folder: Path, name: str, version: str, needs: list[str]) -> None:
    info = folder / f"{name.replace('-', '_')}-{version}.dist-info"
    info.mkdir(parents=True)
    lines = [f"Name: {name}", f"Version: {version}"]
    lines += [f"Requires-Dist: {requirement}" for requirement in needs]
    (info / "METADATA").write_text("\n".join(lines))


def test_all_is_well(install):
    installed = install()
    assert str(installed["pyannote-audio"]) == "pyannote.audio 4.0.7"
    assert find_clashes(installed) == []


def test_this_environment_is_read():
    installed = read_installed()
    assert installed["pyannote-diarizen"].requirements
    assert find_clashes(installed) == []


@pytest.mark.parametrize(
    ("changes", "reason", "line"),
    [
        (
            {"torchaudio": None},
            "pyannote-diarizen 0.1.0 needs torchaudio>=2.8",
            'pip install "torchaudio<2.11.1,~=2.10.0"',
        ),
        (
            {"torchaudio": None, "torch": "2.14.1"},
            "pyannote-diarizen 0.1.0 needs torchaudio>=2.8",
            'pip install "torchaudio>=2.11.1"',
        ),
        (
            {"torchaudio": None, "torch": "2.12.1"},
            "pyannote-diarizen 0.1.0 needs torchaudio>=2.8",
            'pip install "torchaudio>=2.11.1" "torch>=2.13"',
        ),
        (
            {"torch": "2.7.1"},
            "torch 2.7.1 is there, but pyannote-diarizen 0.1.0 needs torch>=2.8",
            'pip install "torch>=2.8"',
        ),
        (
            {"pyannote.audio": "3.4.0"},
            "pyannote.audio 3.4.0 is there, but pyannote-diarizen 0.1.0 needs "
            "pyannote.audio<5,>=4.0.7",
            'pip install "pyannote-audio<5,>=4.0.7"',
        ),
        (
            {"numpy": "1.26"},
            "numpy 1.26 is there, but pyannote.audio 4.0.7 needs numpy>=2",
            'pip install "numpy<3,>=2"',
        ),
        (
            {"rich": None},
            "lightning 2.5 needs rich>=13",
            'pip install "rich>=13"',
        ),
    ],
)
def test_a_clash_comes_with_the_line_that_mends_it(install, changes, reason, line):
    installed = install(**changes)
    (clash,) = find_clashes(installed)
    assert clash.reason == reason
    assert pip_line(installed, [clash.package]) == line


@pytest.fixture
def write_module(tmp_path, monkeypatch):
    """Write a module that another Python process finds first."""
    monkeypatch.setenv("PYTHONPATH", str(tmp_path), prepend=os.pathsep)

    def write(name: str, code: str) -> None:
        (tmp_path / f"{name}.py").write_text(code)

    return write


def test_modules_that_load_are_no_failure():
    assert find_import_failure(["json", "csv"]) is None


@pytest.mark.parametrize(
    ("code", "reason"),
    [
        (
            "raise OSError('libtorch.so: undefined symbol\\nmore')",
            "libtorch.so: undefin",
        ),
        ("raise ImportError", "ImportError"),
        ("print('hello')\nraise ImportError('reason')", "reason"),
        (
            "import os, signal; os.kill(os.getpid(), signal.SIGILL)",
            "ended with code -4",
        ),
    ],
)
def test_the_first_module_that_does_not_load_is_found(write_module, code, reason):
    write_module("compiled", code)
    failure = find_import_failure(["json", "compiled", "csv"])
    assert failure.module == "compiled"
    assert reason in failure.reason
    assert "more" not in failure.reason


@pytest.mark.parametrize(
    ("torch", "torchaudio", "explanation"),
    [
        (
            "2.11.0",
            "2.11.1",
            "torchaudio 2.11.1 cannot be loaded beside torch 2.11.0: no symbol\n"
            'pip install "torchaudio<2.11.1,~=2.11.0" --force-reinstall',
        ),
        (
            "2.14.1+cu130",
            "2.11.0",
            "torchaudio 2.11.0 cannot be loaded beside torch 2.14.1+cu130: no symbol\n"
            'pip install "torchaudio>=2.11.1" --force-reinstall '
            "--extra-index-url https://download.pytorch.org/whl/cu130",
        ),
        (
            "2.11.0",
            None,
            "torchaudio is not installed: no symbol\n"
            'pip install "torchaudio<2.11.1,~=2.11.0" --force-reinstall',
        ),
    ],
)
def test_a_failure_is_explained_in_two_lines(install, torch, torchaudio, explanation):
    installed = install(torch=torch, torchaudio=torchaudio)
    failure = ImportFailure("torchaudio", "no symbol")
    assert explain_import_failure(failure, installed) == explanation


def test_modules_are_named_with_the_packages_that_hold_them():
    installed = read_installed()
    assert [package for package in MODULES.values() if package not in installed] == []


def test_the_first_of_a_name_counts(tmp_path):
    write_package(tmp_path / "a", "torch", "2.10.0", [])
    write_package(tmp_path / "b", "torch", "2.11.0", [])
    installed = read_installed([str(tmp_path / "a"), str(tmp_path / "b")])
    assert str(installed["torch"]) == "torch 2.10.0"


@pytest.mark.parametrize("metadata", ["", "Name: torch\nVersion: two"])
def test_what_an_interrupted_installation_leaves_is_no_package(tmp_path, metadata):
    (tmp_path / "torch-2.10.0.dist-info").mkdir()
    (tmp_path / "torch-2.10.0.dist-info" / "METADATA").write_text(metadata)
    assert read_installed([str(tmp_path)]) == {}
