# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""The steps of the Dockerfile, in a fresh environment where no container runs."""

import json
import os
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path
from urllib.error import HTTPError
from urllib.request import Request, urlopen

import pytest
import yaml

from pyannote_diarizen.audio.sample import sample_file

ROOT = Path(__file__).parents[2]
TEXT = (ROOT / "Dockerfile").read_text(encoding="utf-8").replace("\\\n", "")
BUILD, RUNTIME = TEXT.split("AS build\n")[1].split("\nFROM ")
TOKEN = "0123456789abcdef"


def copied() -> list[str]:
    """Files and folders that the build stage copies."""
    lines = re.findall("^COPY (.+) \\S+$", BUILD, flags=re.MULTILINE)
    return " ".join(lines).split()


def value(instruction: str) -> list[str]:
    """Command of the runtime stage in its form as a list."""
    return json.loads(re.search(f"^{instruction}.*?(\\[.*\\])$", RUNTIME, re.M)[1])


def test_all_that_is_copied_is_sent_to_the_builder():
    lines = (ROOT / ".dockerignore").read_text().split()
    sent = {line.removeprefix("!") for line in lines if line.startswith("!")}
    assert lines[0] == "*"
    assert {*copied()} == sent


def test_the_container_is_not_root_and_its_volume_is_writable():
    assert re.search("^USER [1-9]", RUNTIME, re.M)
    folder = value("ENTRYPOINT")[-1]
    (volume,) = re.findall("^VOLUME (.+)$", RUNTIME, re.M)
    assert folder.startswith(f"{volume}/")
    services = yaml.safe_load((ROOT / "compose.yaml").read_text())["services"]
    assert services["diarizen"]["volumes"] == [f"data:{volume}"]


@pytest.fixture(scope="module")
def environment(tmp_path_factory) -> Iterator[dict[str, str]]:
    """Environment variables after the steps of the build stage."""
    base = tmp_path_factory.mktemp("container")
    source, venv = base / "src", base / "venv"
    for name in copied():
        target = source / name
        target.parent.mkdir(parents=True, exist_ok=True)
        copy = shutil.copytree if (ROOT / name).is_dir() else shutil.copy
        copy(ROOT / name, target)
    kept = {name: os.environ[name] for name in ("HOME", "TMPDIR") if name in os.environ}
    variables = {
        **kept,
        "PATH": f"{venv}/bin:/usr/bin:/bin",
        "TORCH_INDEX": "https://pypi.org/simple",
        "PYANNOTE_METRICS_ENABLED": "0",
        "PYANNOTE_DIARIZEN_TOKEN": TOKEN,
        "XDG_CACHE_HOME": str(base / "data" / "cache"),
        "HF_HUB_OFFLINE": "1",
        "DATA": str(base / "data"),
    }
    create = f"{sys.executable} -m venv {venv}"
    for step in re.findall("^RUN (.+)$", BUILD, flags=re.MULTILINE):
        step = step.replace("python -m venv /opt/venv", create)
        ended = subprocess.run(
            ["sh", "-c", step],
            cwd=source,
            env=variables,
            capture_output=True,
            text=True,
        )
        assert ended.returncode == 0, f"{step}\n{ended.stdout}{ended.stderr}"
    yield variables
    shutil.rmtree(base)


@pytest.mark.slow
@pytest.mark.network
def test_the_installed_server_is_healthy_and_diarizes(environment):
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = str(free.getsockname()[1])

    def adapted(instruction: str) -> list[str]:
        words = [word.replace("8000", port) for word in value(instruction)]
        return [word.replace("/data", environment["DATA"]) for word in words]

    def fetch(path: str, data: bytes | None = None) -> bytes:
        headers = {"Authorization": f"Bearer {TOKEN}"}
        request = Request(f"http://127.0.0.1:{port}{path}", data, headers)
        with urlopen(request, timeout=60) as response:
            return response.read()

    def is_healthy() -> bool:
        command = adapted("HEALTHCHECK")
        return (
            subprocess.run(
                command, env=environment, stderr=subprocess.DEVNULL
            ).returncode
            == 0
        )

    server = subprocess.Popen(adapted("ENTRYPOINT"), env=environment)
    try:
        deadline = time.monotonic() + 300
        while not is_healthy():
            assert server.poll() is None
            assert time.monotonic() < deadline
            time.sleep(1)
        with pytest.raises(HTTPError, match="401"):
            urlopen(f"http://127.0.0.1:{port}/jobs")
        recording = Path(sample_file()["audio"]).read_bytes()
        job = json.loads(fetch("/jobs?name=call.wav", recording))
        while job["state"] not in ("done", "failed"):
            time.sleep(0.5)
            job = json.loads(fetch(f"/jobs/{job['id']}"))
        rttm = fetch(f"/jobs/{job['id']}/result?format=rttm").decode()
        assert rttm.startswith("SPEAKER call 1 ")
    finally:
        server.terminate()
        assert server.wait(90) == 0
