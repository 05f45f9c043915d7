# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Properties of all commands."""

import os
import re
import socket
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


@pytest.mark.parametrize(
    ("host", "message"),
    [
        ("nowhere.invalid", "cannot listen at nowhere.invalid, port"),
        ("127.0.0.1", "cannot listen at 127.0.0.1, port .* in use"),
    ],
)
def test_the_address_of_a_server_is_checked_before_anything_else(run, host, message):
    pytest.importorskip("uvicorn", reason="pip install 'pyannote-diarizen[serve]'")
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        options = ["--port", str(port), "--pipeline", "nowhere"]
        result = run("serve", "--host", host, *options)
    assert result.exit_code == 2
    assert re.search(message, " ".join(result.stderr.replace("│", "").split()))


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (["recluster", ".", "--plda", "x"], "give --voiceprints"),
        (["serve", "--max-size", "inf"], "less than or equal to 1000000000"),
        (["serve", "--token", "short"], "at least 16 letters"),
        (["serve", "--token", ""], "at least 16 letters"),
    ],
)
def test_options_without_effect_are_refused(run, arguments, message):
    result = run(*arguments)
    assert result.exit_code == 2
    assert message in " ".join(result.stderr.replace("│", "").split())


@pytest.mark.parametrize(
    "arguments", [("--evidence", "--into", "d"), ("--into", "--again")]
)
def test_an_option_is_no_value_of_another(run, arguments):
    result = run("apply", "a.wav", *arguments)
    assert result.exit_code == 2
    message = f"{arguments[0]} needs a value, but {arguments[1]} follows"
    assert message in " ".join(result.stderr.replace("│", "").split())


def test_a_value_may_have_the_name_of_an_argument(run, here):
    # `speech` is the first argument of simulate, `into` the second one
    result = run("simulate", "speech", "into")
    assert result.exit_code == 2
    assert "speech/utterances.tsv does not exist" in result.stderr


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
