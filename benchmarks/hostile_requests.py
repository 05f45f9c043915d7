# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Hostile requests to the server, and the status that each should have."""

import io
import json
import socket
import time
from collections.abc import Iterator
from contextlib import ExitStack, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any, ClassVar

import av
import numpy as np
import soundfile
from reports import table

_FORM = "multipart/form-data; boundary=b"
_RATE = 8000
_GAP = 3000.0


@dataclass(frozen=True)
class Server:
    """Process of a server.

    Parameters
    ----------
    host : str
    port : int
    pid : int
    folder : Path
        Queue and results.
    log : Path
    """

    host: str
    port: int
    pid: int
    folder: Path
    log: Path
    token: ClassVar[str] = "0123456789abcdef"

    def memory(self) -> int:
        """Resident memory in bytes."""
        status = Path(f"/proc/{self.pid}/status").read_text()
        (line,) = [each for each in status.splitlines() if each.startswith("VmRSS")]
        return 1024 * int(line.split()[1])

    def left(self) -> list[Path]:
        """Files that are neither a job, its result, nor a recording that waits."""
        known = ("job.json", "result.json", "result.html")
        waiting = []
        for path in self.folder.glob("*/job.json"):
            job = json.loads(path.read_text())
            if job["state"] in ("queued", "running"):
                waiting.append(path.with_name(job["audio"]))
        files = [path for path in self.folder.glob("[!.]*/*") if path.name not in known]
        hidden = [*self.folder.glob(".[!t]*"), *self.folder.glob(".temporary/*")]
        return [*{*files} - {*waiting}, *hidden]

    def connect(self) -> socket.socket:
        """Open a connection."""
        return socket.create_connection((self.host, self.port), timeout=120)


@dataclass(frozen=True)
class Hostile:
    """A request.

    Parameters
    ----------
    name : str
    status : int or None
        Expected status; None if the client does not wait for it.
    body : bytes
    headers : dict
        Added to the usual ones, or in their place.
    target : str
        Method and path.
    pause : float
        Seconds between two pieces of ten bytes; 0 sends all at once.
    """

    name: str
    status: int | None
    body: bytes = b""
    headers: dict[str, str] | None = None
    target: str = "POST /jobs"
    pause: float = 0.0

    def head(self, server: Server) -> bytes:
        """Request line and headers."""
        headers = {
            "Host": f"{server.host}:{server.port}",
            "Authorization": f"Bearer {server.token}",
            "Content-Length": str(len(self.body)),
            "Connection": "close",
            **(self.headers or {}),
        }
        lines = [f"{self.target} HTTP/1.1", *(f"{k}: {v}" for k, v in headers.items())]
        return ("\r\n".join(lines) + "\r\n\r\n").encode()

    def send(self, server: Server) -> int | None:
        """Send the request, and return the status of the answer."""
        with server.connect() as connection:
            connection.sendall(self.head(server))
            with suppress(ConnectionError):  # refused before the end
                self._send_body(connection)
            if self.status is None:
                return None
            answer = b""
            while b"\r\n" not in answer and (piece := connection.recv(4096)):
                answer += piece
            return int(answer.split()[1]) if answer else None

    def _send_body(self, connection: socket.socket) -> None:
        if not self.pause:
            connection.sendall(self.body)
            return
        connection.settimeout(self.pause)
        for start in range(0, len(self.body), 10):
            connection.sendall(self.body[start : start + 10])
            with suppress(TimeoutError):
                connection.recv(1, socket.MSG_PEEK)
                return


def silence(kind: str, subtype: str, hours: float) -> bytes:
    """Compress hours of silence."""
    file = io.BytesIO()
    minute = np.zeros(60 * _RATE, np.float32)
    with soundfile.SoundFile(file, "w", _RATE, 1, subtype, format=kind) as sound:
        for _ in range(round(60 * hours)):
            sound.write(minute)
    return file.getvalue()


def sparse_webm(hours: float) -> bytes:
    """Write packets of 20 ms with 50 minutes between two of them."""
    file = io.BytesIO()
    with av.open(file, "w", format="webm") as container:
        stream: Any = container.add_stream("libopus", rate=48000)
        stream.layout = "mono"
        num_packets = round(hours * 3600 / _GAP) + 1
        samples = np.zeros((1, 960 * num_packets), np.float32)
        frame = av.AudioFrame.from_ndarray(samples, "fltp", "mono")
        frame.sample_rate = 48000
        packets = [*stream.encode(frame), *stream.encode(None)]
        for place, packet in enumerate(packets[:num_packets]):
            packet.pts = packet.dts = round(place * _GAP / packet.time_base)
            container.mux(packet)
    return file.getvalue()


def claiming(flac: bytes, num_samples: int) -> bytes:
    """Change the number of samples in the header of FLAC; 0 means unknown."""
    # 36 bits that end with byte 26: the marker, a header of 4 bytes, then 18 bytes
    fields = int.from_bytes(flac[18:26], "big") >> 36 << 36 | num_samples
    return flac[:18] + fields.to_bytes(8, "big") + flac[26:]


def form(content: bytes, name: str | None) -> bytes:
    """Compose a form with one field."""
    given = "" if name is None else f'; filename="{name}"'
    head = f'--b\r\nContent-Disposition: form-data; name="audio"{given}\r\n\r\n'
    return head.encode() + content + b"\r\n--b--\r\n"


def cases(good: bytes) -> Iterator[Hostile]:
    """All requests; `good` is a recording that can be diarized."""
    kind = {"Content-Type": _FORM}
    flac = silence("FLAC", "PCM_16", 2.0)
    ogg = silence("OGG", "VORBIS", 2.0)
    short = claiming(silence("FLAC", "PCM_16", 0.02), 5 * 3600 * _RATE)
    size = f"{len(flac) / 1000:.0f} and {len(ogg) / 1000:.0f} kB"
    yield Hostile("length of 10 GB", 413, headers={"Content-Length": str(10**10)})
    yield Hostile("length that is no number", 400, headers={"Content-Length": "many"})
    yield Hostile("empty body", 400)
    yield Hostile("text", 415, b"no audio at all\n" * 100)
    yield Hostile("ten bytes of WAV", 415, good[:10])
    yield Hostile("FLAC that claims 5 h, limit 1 h", 413, short)
    yield Hostile(f"2 h of silence in FLAC and Ogg ({size}): FLAC", 413, flac)
    yield Hostile("... FLAC without a length", 413, claiming(flac, 0))
    yield Hostile("... Ogg Vorbis", 413, ogg)
    webm = sparse_webm(5.0)
    name = f"WebM of {len(webm) / 1000:.1f} kB, packets 50 min apart: 5 h"
    yield Hostile(name, 413, webm)
    yield Hostile("form without file", 400, form(b"text", None), kind)
    yield Hostile("form that breaks off", 400, form(good, "a.wav")[:-20], kind)
    yield Hostile(
        "form without boundary",
        400,
        form(good, "a.wav"),
        {"Content-Type": "multipart/form-data"},
    )
    yield Hostile("path in the name", 202, form(good, "../../../etc/passwd"), kind)
    yield Hostile("name of 300 bytes", 400, form(good, "a" * 300), kind)
    yield Hostile("no speakers", 422, good, target="POST /jobs?num_speakers=0")
    yield Hostile("wrong token", 401, good, {"Authorization": "Bearer x"})
    yield Hostile("page of another site", 403, good, {"Origin": "http://evil.example"})
    yield Hostile("other domain", 400, good, {"Host": "evil.example"})
    yield Hostile("unknown job", 404, target="GET /jobs/..%2f..%2fetc%2fpasswd")
    yield Hostile("header of 200 kB", 400, headers={"X-Long": "a" * 200_000})
    yield Hostile(
        "half an upload, then nothing",
        None,
        good[:1000],
        {"Content-Length": str(len(good))},
    )
    yield Hostile("ten bytes per second", 408, good, pause=1.0)
    yield Hostile("no byte for 30 s", 408, headers={"Content-Length": "1000"})


def hostile_requests(server: Server, good: bytes) -> tuple[str, bool]:
    """Send all requests.

    Returns
    -------
    answers : str
        Table of statuses.
    is_good : bool
        Whether each status is the expected one, the server answers after each request,
        nothing is left behind, and the log holds no traceback.
    """
    rows, is_good = [], True
    for case in cases(good):
        start = time.perf_counter()
        status = case.send(server)
        seconds = time.perf_counter() - start
        alive = Hostile("health", 200, target="GET /health").send(server) == 200
        is_good &= alive and status == case.status
        rows.append([case.name, str(status or ""), f"{seconds:.1f}"])
        if not alive or status != case.status:
            rows[-1][1] += f" (expected {case.status}{'' if alive else ', no answer'})"
    with ExitStack() as stack:
        start = time.perf_counter()
        for _ in range(1000):
            stack.enter_context(server.connect())
        status = Hostile("", 503, target="GET /health").send(server)
        is_good &= status == 503
        seconds = time.perf_counter() - start
        rows.append(["1000 open connections", str(status), f"{seconds:.1f}"])
    time.sleep(2)
    alive = Hostile("", 200, target="GET /health").send(server) == 200
    num_tracebacks = server.log.read_text().count("Traceback")
    left = len(server.left())
    rows.append(["files left behind", str(left), ""])
    rows.append(["tracebacks in the log", str(num_tracebacks), ""])
    is_good &= alive and not left and not num_tracebacks
    return table(["request", "status", "seconds"], rows), is_good
