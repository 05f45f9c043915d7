# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Properties of all commands."""

import os
import subprocess
import sys

import pytest
from typer.main import get_command

import pyannote_diarizen
from pyannote_diarizen.cli.main import app

COMMANDS = sorted(get_command(app).commands)
PRINT_TELEMETRY = """
import os
from pyannote_diarizen.cli.main import main
main()
print(os.environ["PYANNOTE_METRICS_ENABLED"], os.environ["ORT_DISABLE_TELEMETRY"])
"""
HELP = """
import sys
from pyannote_diarizen.cli.main import app
try:
    app(sys.argv[1:])
finally:
    heavy = {"torch", "pyannote.audio", "matplotlib", "scipy", "numpy"}
    print(*sorted(heavy & set(sys.modules)), file=sys.stderr)
"""


def python(
    code: str, *arguments: str, **environment: str
) -> subprocess.CompletedProcess:
    telemetry = ("PYANNOTE_METRICS_ENABLED", "ORT_DISABLE_TELEMETRY")
    kept = {k: v for k, v in os.environ.items() if k not in telemetry}
    return subprocess.run(
        [sys.executable, "-c", code, *arguments],
        env={**kept, **environment},
        capture_output=True,
        text=True,
        check=True,
    )


@pytest.mark.parametrize("command", COMMANDS)
def test_help_imports_no_heavy_package(command):
    ran = python(HELP, command, "--help")
    assert "Usage" in ran.stdout
    assert ran.stderr.strip() == ""


def test_help_lists_the_commands(run):
    result = run("--help")
    assert result.exit_code == 0
    for command in COMMANDS:
        assert command in result.stdout


def test_version(run):
    assert (
        run("--version").stdout
        == f"pyannote-diarizen {pyannote_diarizen.__version__}\n"
    )


@pytest.mark.parametrize(
    ("environment", "expected"),
    [
        ({}, "0 1"),
        ({"PYANNOTE_METRICS_ENABLED": "1", "ORT_DISABLE_TELEMETRY": "0"}, "1 0"),
    ],
)
def test_telemetry_is_off_unless_the_user_wants_it(environment, expected):
    assert python(PRINT_TELEMETRY, **environment).stdout.strip() == expected


def test_an_unknown_command_is_wrong_usage(run):
    assert run("transcribe").exit_code == 2


def test_commands_keep_freed_memory(run, monkeypatch):
    kept = []
    monkeypatch.setattr(
        "pyannote_diarizen.cli.main.keep_freed_memory", lambda: kept.append(True)
    )
    run("doctor", "--config", "none.yaml")
    assert kept == [True]
