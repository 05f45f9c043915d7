# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Fixtures of addresses: memory of the process, and a server of HTTP."""

from collections.abc import Iterator
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from threading import Thread

import pytest
from fsspec.implementations.memory import MemoryFileSystem


class QuietHandler(SimpleHTTPRequestHandler):
    """Handler that prints no requests."""

    def log_message(self, *_: object) -> None:
        """Print nothing."""


@pytest.fixture
def memory(monkeypatch) -> MemoryFileSystem:
    """File system of memory://, empty."""
    monkeypatch.setattr(MemoryFileSystem, "store", {})
    monkeypatch.setattr(MemoryFileSystem, "pseudo_dirs", [""])
    return MemoryFileSystem(skip_instance_cache=True)


@pytest.fixture
def served(tmp_path) -> Iterator[tuple[Path, str]]:
    """Folder, and the address at which it is served."""
    pytest.importorskip("aiohttp")
    folder = tmp_path / "served"
    folder.mkdir()
    handler = partial(QuietHandler, directory=folder)
    with ThreadingHTTPServer(("127.0.0.1", 0), handler) as server:
        Thread(target=server.serve_forever, daemon=True).start()
        yield folder, f"http://127.0.0.1:{server.server_port}"
        server.shutdown()
