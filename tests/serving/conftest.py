# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""A server whose pipeline finds one speaker; its packages are optional."""

import signal
import sys
import tempfile
import threading
import time
from dataclasses import replace
from pathlib import Path

import pytest

sys.path.append(str(Path(__file__).parent))


@pytest.fixture
def pipeline():
    from one_speaker import OneSpeaker

    return OneSpeaker()


@pytest.fixture
def settings(tmp_path):
    from pyannote_diarizen.serving.service import Settings
    from pyannote_diarizen.serving.uploads import Limits

    limits = Limits(max_bytes=100_000, max_duration=10.0)
    return Settings(tmp_path / "serve", limits=limits, max_queue=2, grace=0.1)


@pytest.fixture
def client(pipeline, settings):
    from one_speaker import connect

    with connect(pipeline, settings) as client:
        yield client


@pytest.fixture
def address(pipeline, settings, monkeypatch):
    """Host and port of a server in a thread."""
    from pyannote_diarizen.serving.server import create_server
    from pyannote_diarizen.serving.service import Service
    from pyannote_diarizen.serving.uploads import Limits

    monkeypatch.setattr(tempfile, "tempdir", None)
    monkeypatch.setattr("pyannote_diarizen.serving.server._SILENCE", 0.1)
    service = Service(pipeline, "one", replace(settings, limits=Limits()))
    server = create_server(service, 0)
    thread = threading.Thread(target=server.run)
    thread.start()
    while not server.started:
        time.sleep(0.01)
    yield server.servers[0].sockets[0].getsockname()
    server.handle_exit(signal.SIGTERM, None)
    thread.join()
