# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Load, crashes and hostile requests of `pyannote-diarizen serve`.

    python benchmarks/serve.py
    python benchmarks/serve.py --num 50
    python benchmarks/serve.py --write

The server runs with the bundled pipeline. `--write` replaces the tables of
docs/serve.md.
"""

import io
import json
import os
import re
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated, Any
from urllib.request import Request, urlopen

import soundfile
import typer
from hostile_requests import Server, hostile_requests
from reports import ROOT, table, write_results

from pyannote_diarizen.audio.reader import read_audio
from pyannote_diarizen.audio.sample import sample_file

NUM_CLIENTS = 8
QUEUE = 20
CLIP = 2.0
"""Duration of a recording in seconds."""

_COMMAND = "from pyannote_diarizen.cli.main import app; app()"
_ADDRESS = re.compile(r"running on http://([\d.]+):(\d+)")


@contextmanager
def running(folder: Path, *options: str) -> Iterator[Server]:
    """Start a server, and stop it at the end if it still runs."""
    log = folder.with_suffix(f".{time.monotonic_ns()}.log")
    command = [sys.executable, "-c", _COMMAND, "serve", "--port", "0"]
    with log.open("wb") as output:
        process = subprocess.Popen(
            [*command, "--folder", str(folder), *options],
            stderr=output,
            stdout=output,
            env={**os.environ, "PYANNOTE_METRICS_ENABLED": "0"},
        )
    try:
        while not (found := _ADDRESS.search(log.read_text())):
            if process.poll() is not None:
                raise RuntimeError(log.read_text())
            time.sleep(0.1)
        yield Server(found[1], int(found[2]), process.pid, folder, log)
    finally:
        process.send_signal(signal.SIGTERM)
        process.wait(90)


def clip(start: float) -> bytes:
    """Cut a recording from the sample of pyannote.audio."""
    waveform, rate = read_audio(sample_file(), start=start, duration=CLIP)
    file = io.BytesIO()
    soundfile.write(file, waveform[0].numpy(), rate, format="WAV")
    return file.getvalue()


def fetch(server: Server, path: str, data: bytes | None = None) -> Any:
    """Return the JSON of an answer."""
    request = Request(f"http://{server.host}:{server.port}{path}", data=data)
    request.add_header("Content-Type", "application/octet-stream")
    with urlopen(request, timeout=120) as response:
        return json.load(response)


def states(server: Server) -> dict[str, str]:
    """State of each job."""
    return {job["id"]: job["state"] for job in fetch(server, "/jobs")}


def wait(condition: Callable[[], bool], seconds: float = 1800.0) -> None:
    """Wait for a condition, or raise a `TimeoutError`."""
    deadline = time.monotonic() + seconds
    while not condition():
        if time.monotonic() > deadline:
            raise TimeoutError(f"Not within {seconds:g} s.")
        time.sleep(0.2)


def measure_load(base: Path, num: int) -> list[list[str]]:
    """Upload clips from several clients at once, and wait for all results."""
    clips = [clip(float(start)) for start in range(6, 28)]
    memory: list[int] = []
    with running(base / "load", "--max-queue", str(num)) as server:

        def upload(number: int) -> str:
            data = clips[number % len(clips)]
            return fetch(server, f"/jobs?name=clip{number}.wav", data)["id"]

        def num_done() -> int:
            return sum(state == "done" for state in states(server).values())

        upload(0)
        wait(lambda: num_done() == 1)  # libraries are loaded by now
        memory.append(server.memory())
        start = time.perf_counter()
        with ThreadPoolExecutor(NUM_CLIENTS) as pool:
            ids = set(pool.map(upload, range(num)))
        uploaded = time.perf_counter() - start
        wait(lambda: num_done() > num // 2)
        memory.append(server.memory())
        wait(lambda: not {"queued", "running"} & {*states(server).values()})
        diarized = time.perf_counter() - start
        memory.append(server.memory())
        found = states(server)
        lost = sum(found.get(each) != "done" for each in ids) + num - len(ids)
    return [
        [f"{num} uploads from {NUM_CLIENTS} clients, {CLIP:g} s each", f"{lost} lost"],
        ["uploads per second", f"{num / uploaded:.1f}"],
        ["recordings diarized per second", f"{num / diarized:.1f}"],
        [
            "memory after the first, half and all recordings, MiB",
            ", ".join(f"{each / 2**20:.0f}" for each in memory),
        ],
    ]


def measure_crash(base: Path) -> list[list[str]]:
    """End a server with a full queue by SIGKILL, and start another one."""
    folder, data = base / "crash", clip(10.0)
    with running(folder, "--max-queue", str(QUEUE + 1)) as server:
        ids = [fetch(server, "/jobs", data)["id"] for _ in range(QUEUE)]
        wait(lambda: "running" in states(server).values())
        waiting = sum(state == "queued" for state in states(server).values())
        os.kill(server.pid, signal.SIGKILL)
    with running(folder) as server:
        wait(lambda: not {"queued", "running"} & {*states(server).values()})
        found = states(server)
        done = sum(found.get(each) == "done" for each in ids)
        failed = sum(found.get(each) == "failed" for each in ids)
        for each in ids:
            if found.get(each) == "done":
                fetch(server, f"/jobs/{each}/result")
    half = len(server.left())
    return [
        [
            f"SIGKILL with {waiting} waiting recordings, then a new server",
            f"{done} done, {failed} reported as lost, {QUEUE - done - failed} missing",
        ],
        ["files that are half written or left behind", str(half)],
    ]


def main(
    num: Annotated[int, typer.Option(min=2, help="Number of uploads.")] = 200,
    write: Annotated[
        bool, typer.Option("--write", help="Write docs/serve.md.")
    ] = False,
) -> None:
    """Print the tables; the exit code is 1 if a request has an unexpected status."""
    with tempfile.TemporaryDirectory(prefix="serve-") as name:
        base = Path(name)
        rows = measure_load(base, num) + measure_crash(base)
        loads = table(["measure", "result"], rows)
        print(loads, flush=True)
        options = ("--token", Server.token, "--max-duration", "3600")
        with running(base / "hostile", *options) as server:
            answers, is_good = hostile_requests(server, clip(10.0))
    print(answers)
    if write:
        document = ROOT / "docs" / "serve.md"
        write_results(document, "benchmarks/serve.py", f"{loads}\n{answers}")
    if not is_good:
        raise typer.Exit(1)


if __name__ == "__main__":
    typer.run(main)
