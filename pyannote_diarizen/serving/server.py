# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Server process: address, silent connections, signals."""

import logging
import signal
import tempfile
from types import FrameType
from typing import Any

import uvicorn
from uvicorn.protocols.http.h11_impl import H11Protocol

from pyannote_diarizen.serving.app import create_app
from pyannote_diarizen.serving.service import Service

_SILENCE = 30.0
"""Seconds that a connection has to send a request."""

_MAX_CONNECTIONS = 500
"""Number of connections from which on the answer is 503."""

_LOG = logging.getLogger("uvicorn.error")


def run_server(service: Service, port: int) -> None:
    """Serve until SIGINT or SIGTERM.

    Parameters
    ----------
    service : Service
    port : int
        0 selects a free port.

    Raises
    ------
    OSError
        If the address cannot be used.
    """
    try:
        create_server(service, port).run()
    except SystemExit as error:  # the reason is in the log
        address = f"{service.settings.host}:{port}"
        raise OSError(f"{address} cannot be used: choose another --port.") from error


def create_server(service: Service, port: int) -> uvicorn.Server:
    """Create the server, see `run_server`."""
    settings = service.settings
    # forms and decoded recordings are large, /tmp is often small or in memory
    temporary = settings.folder / ".temporary"
    temporary.mkdir(exist_ok=True)
    tempfile.tempdir = str(temporary)
    config = uvicorn.Config(
        create_app(service),
        host=settings.host,
        port=port,
        http=_Protocol,
        limit_concurrency=_MAX_CONNECTIONS,
        timeout_graceful_shutdown=round(settings.grace),
    )
    return _Server(config, service)


class _Server(uvicorn.Server):
    """Server that ends with code 0 after SIGINT and SIGTERM."""

    def __init__(self, config: uvicorn.Config, service: Service) -> None:
        super().__init__(config)
        self._service = service

    def handle_exit(self, sig: int, frame: FrameType | None) -> None:
        """Finish the running job; after a second signal, interrupt it."""
        self._service.prepare_stop()
        self.force_exit = self.should_exit and sig == signal.SIGINT
        if not self.should_exit:
            seconds = self._service.settings.grace
            _LOG.info(
                "A running job has %g s to finish. Press CTRL+C again to leave it "
                "to the next start.",
                seconds,
            )
        self.should_exit = True


class _Protocol(H11Protocol):
    """HTTP/1.1 that closes connections on which no request arrives."""

    def connection_made(self, transport: Any) -> None:
        """Check the connection from time to time."""
        super().connection_made(transport)
        self._close_if_silent(None)

    def _close_if_silent(self, former: Any) -> None:
        if self.transport.is_closing():
            return
        waits = self.cycle is None or self.cycle.response_complete
        if waits and former is (self.cycle or self):
            self.transport.close()
            return
        self.loop.call_later(_SILENCE, self._close_if_silent, self.cycle or self)
