# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Versions that go together, and the line that brings them."""

from pathlib import Path

import pytest

from pyannote_diarizen.hub.packages import (
    TORCHCODEC,
    find_clashes,
    pip_line,
    read_installed,
)

NEEDS = {
    "pyannote-diarizen": [
        "torch>=2.8,<2.12",
        "torchaudio>=2.8,<2.12",
        "torchcodec>=0.7,<0.12",
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
    "torchcodec": "0.10.0",
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
            {"torchaudio": "2.11.0"},
            "torchaudio 2.11.0 was not built for torch 2.10.0",
            'pip install "torchaudio==2.10.*" "torch==2.10.*" "torchcodec==0.10.*"',
        ),
        (
            {"torchcodec": "0.9.1"},
            "torchcodec 0.9.1 was not built for torch 2.10.0",
            'pip install "torchcodec==0.10.*" "torch==2.10.*" "torchaudio==2.10.*"',
        ),
        (
            {"torchcodec": "0.11", "torch": "2.10.0+cu128"},
            "torchcodec 0.11 was not built for torch 2.10.0+cu128",
            'pip install "torchcodec==0.10.*" "torch==2.10.*" "torchaudio==2.10.*" '
            "--extra-index-url https://download.pytorch.org/whl/cu128",
        ),
        (
            {"torchaudio": None},
            "pyannote-diarizen 0.1.0 needs torchaudio<2.12,>=2.8",
            'pip install "torchaudio==2.10.*" "torch==2.10.*" "torchcodec==0.10.*"',
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
def test_a_clash_is_told_with_the_line_that_mends_it(install, changes, reason, line):
    installed = install(**changes)
    (clash,) = find_clashes(installed)
    assert clash.reason == reason
    assert pip_line(installed, [clash.package]) == line


def test_a_torch_that_is_too_new_is_replaced_with_all_that_is_built_for_it(install):
    installed = install(torch="2.13.0", torchcodec="0.13.0")
    clashes = find_clashes(installed)
    assert {clash.package for clash in clashes} == {"torch", "torchaudio", "torchcodec"}
    line = pip_line(installed, [clash.package for clash in clashes])
    assert line == (
        'pip install "torch==2.11.*" "torchaudio==2.11.*" "torchcodec==0.11.*"'
    )


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


def test_versions_are_known_for_all_of_torch_that_we_support():
    requirements = read_installed()["pyannote-diarizen"].requirements
    (torch,) = [r.specifier for r in requirements if r.name == "torch"]
    (torchcodec,) = [r.specifier for r in requirements if r.name == "torchcodec"]
    minors = [f"2.{minor}" for minor in range(20) if torch.contains(f"2.{minor}.0")]
    assert minors == list(TORCHCODEC)
    for latest, *_ in TORCHCODEC.values():
        assert torchcodec.contains(f"{latest}.0")
