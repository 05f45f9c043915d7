# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""`pyannote-diarizen serve`: diarization by HTTP."""

import re
import secrets
import socket
from pathlib import Path
from typing import Annotated

import typer

from pyannote_diarizen.cli.options import DeviceOption, PipelineOption, PresetOption
from pyannote_diarizen.hub.bundled import DEFAULT_PIPELINE

_PACKAGES = {
    "fastapi": "fastapi",
    "uvicorn": "uvicorn",
    "python_multipart": "python-multipart",
    "prometheus_client": "prometheus-client",
}

_TOKEN = re.compile(r"[A-Za-z0-9._~+/=-]{16,}")
"""Characters that a header may hold, RFC 6750, and a length that is not guessed."""


def serve(
    pipeline: PipelineOption = DEFAULT_PIPELINE,
    preset: PresetOption = None,
    host: Annotated[
        str, typer.Option(help="Address to listen to; 0.0.0.0 for other machines.")
    ] = "127.0.0.1",
    port: Annotated[int, typer.Option(min=0, max=65535, help="Port.")] = 8000,
    token: Annotated[
        str | None,
        typer.Option(
            envvar="PYANNOTE_DIARIZEN_TOKEN",
            show_envvar=True,
            help="Token that requests need. Default: none on this machine, a random "
            "one, which is printed, for other machines.",
        ),
    ] = None,
    folder: Annotated[
        Path | None,
        typer.Option(
            file_okay=False, help="Queue and results. Default: a folder of the cache."
        ),
    ] = None,
    max_size: Annotated[
        float, typer.Option(min=0.001, max=1e9, help="Largest upload, in megabytes.")
    ] = 500.0,
    max_duration: Annotated[
        float, typer.Option(min=1, max=1e9, help="Longest recording, in seconds.")
    ] = 14400.0,
    max_queue: Annotated[
        int, typer.Option(min=1, help="Number of recordings that may wait.")
    ] = 100,
    max_time: Annotated[
        float, typer.Option(min=1, max=1e9, help="Longest processing time, in seconds.")
    ] = 14400.0,
    keep: Annotated[
        float, typer.Option(min=0, max=1e9, help="Hours until results are removed.")
    ] = 24.0,
    device: DeviceOption = "auto",
) -> None:
    """Diarize recordings that are uploaded by HTTP, one after the other.

    http://127.0.0.1:8000 is a page for uploads, http://127.0.0.1:8000/openapi.json
    describes the interface. A queue on disk survives a crash; recordings are removed as
    soon as they are diarized.

    Exit codes: 0, stopped by a signal; 2, wrong usage, or the server cannot start.
    """
    from pyannote_diarizen.installation import require_packages

    require_packages("`serve`", _PACKAGES)
    if token is not None and not _TOKEN.fullmatch(token):
        raise ValueError(
            "--token should be at least 16 letters, digits, or characters of -._~+/="
        )
    _check_address(host, port)
    from pyannote_diarizen.hub.loading import load_pipeline
    from pyannote_diarizen.resources import cache_folder
    from pyannote_diarizen.serving.server import run_server
    from pyannote_diarizen.serving.service import Service, Settings, is_loopback
    from pyannote_diarizen.serving.uploads import Limits

    if token is None and not is_loopback(host):
        token = secrets.token_urlsafe(24)
        typer.echo(f"Token: {token}")
    settings = Settings(
        folder=folder or cache_folder() / "serve",
        host=host,
        token=token,
        limits=Limits(round(max_size * 1e6), max_duration),
        max_queue=max_queue,
        max_seconds=max_time,
        max_age=keep * 3600,
    )
    service = Service(load_pipeline(pipeline, device, preset), pipeline, settings)
    run_server(service, port)


def _check_address(host: str, port: int) -> None:
    """Refuse an unknown host, and a port in use, before the pipeline is loaded."""
    family = socket.AF_INET6 if ":" in host else socket.AF_INET
    try:
        socket.create_server((host, port), family=family).close()
    except (OSError, UnicodeError) as error:
        reason = getattr(error, "strerror", None) or error
        raise typer.BadParameter(
            f"The server cannot listen at {host}, port {port}: {reason}."
        ) from error
