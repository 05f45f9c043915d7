# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""A wheel, installed elsewhere, does what a checkout does."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from pyannote_diarizen.hub.bundled import bundled_names
from pyannote_diarizen.resources import resource_folder

ROOT = Path(__file__).parents[2]
FIND = """
from importlib.resources import files
from pyannote_diarizen import resources
from pyannote_diarizen.hub import bundled
print(resources.resource_folder("protocols"))
print(resources.find_hparams("pipeline/diarizen-tiny"))
for package in ("results", "serving"):
    print(*sorted(files(f"pyannote_diarizen.{package}").rglob("*.html")), sep="\\n")
print(*[bundled.bundled_folder(name) for name in bundled.bundled_names()], sep="\\n")
"""


def run(*command: str | Path, **options: Path | dict) -> str:
    """Output of `command`, which has to succeed."""
    ran = subprocess.run(command, capture_output=True, text=True, **options)
    assert ran.returncode == 0, ran.stderr
    return ran.stdout


@pytest.fixture(scope="module")
def installed(tmp_path_factory) -> Path:
    """Folder into which the wheel was installed, without its dependencies."""
    dist = tmp_path_factory.mktemp("dist")
    build = (sys.executable, "-m", "hatchling", "build", "-t", "wheel", "-d", dist)
    run(*build, cwd=ROOT)
    (wheel,) = dist.iterdir()
    folder = tmp_path_factory.mktemp("installed")
    pip = (sys.executable, "-m", "pip", "install", "--no-deps", "--no-index")
    run(*pip, "--target", folder, wheel)
    return folder


@pytest.fixture
def environment(installed) -> dict[str, str]:
    """Where the installed package goes before the checkout."""
    return {**os.environ, "PYTHONPATH": str(installed)}


def test_names_resolve_inside_the_installed_package(installed, environment, tmp_path):
    found = run(sys.executable, "-c", FIND, cwd=tmp_path, env=environment).split()
    package = installed / "pyannote_diarizen"
    assert [Path(path).relative_to(package).as_posix() for path in found] == [
        "protocols",
        "hparams/pipeline/diarizen-tiny.yaml",
        "results/templates/page.html",
        "results/templates/report.html",
        "results/templates/summary.html",
        "serving/templates/upload.html",
        *[f"hub/{name}" for name in bundled_names()],
    ]


@pytest.mark.parametrize("name", ["hparams", "protocols"])
def test_all_configuration_files_travel(installed, name):
    def listed(folder: Path) -> dict[str, bytes]:
        files = [path for path in folder.rglob("*") if path.is_file()]
        return {str(path.relative_to(folder)): path.read_bytes() for path in files}

    assert listed(installed / "pyannote_diarizen" / name) == listed(
        resource_folder(name)
    )


def test_the_demo_runs_from_there(installed, environment, tmp_path):
    command = installed / "bin" / "pyannote-diarizen"
    output = run(sys.executable, command, "demo", cwd=tmp_path, env=environment)
    assert "Diarization error rate" in output
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        "sample.png",
        "sample.rttm",
    ]
