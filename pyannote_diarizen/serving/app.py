# SPDX-FileCopyrightText: 2026 pyannote-diarizen contributors
# SPDX-License-Identifier: MIT
"""Application of the server: start, end, errors, and the page for uploads."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from importlib.resources import files

from fastapi import FastAPI, Request
from fastapi.exception_handlers import http_exception_handler
from fastapi.exceptions import RequestValidationError
from fastapi.responses import HTMLResponse, Response
from starlette.concurrency import run_in_threadpool
from starlette.exceptions import HTTPException
from starlette.middleware.trustedhost import TrustedHostMiddleware

from pyannote_diarizen.serving.routes import router
from pyannote_diarizen.serving.service import Service, is_loopback

_TEMPLATES = files("pyannote_diarizen.serving") / "templates"
_KINDS = {"js": "text/javascript", "css": "text/css", "svg": "image/svg+xml"}
_POLICY = {
    "Content-Security-Policy": "default-src 'self'; base-uri 'none'; "
    "form-action 'none'; frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
}


def create_app(service: Service) -> FastAPI:
    """Build the application.

    Parameters
    ----------
    service : Service
        Started and stopped with the application.

    Returns
    -------
    app : FastAPI
    """

    @asynccontextmanager
    async def lifespan(app: FastAPI) -> AsyncIterator[None]:
        service.start()
        yield
        await run_in_threadpool(service.stop)

    # the pages that FastAPI has for its description load scripts from elsewhere
    app = FastAPI(
        title="pyannote-diarizen", lifespan=lifespan, docs_url=None, redoc_url=None
    )
    app.state.service = service
    app.include_router(router)
    app.exception_handler(HTTPException)(_refuse)
    app.exception_handler(RequestValidationError)(_refuse_parameter)
    app.add_api_route("/", _page, include_in_schema=False)
    app.add_api_route("/upload.{kind}", _part_of_page, include_in_schema=False)
    if is_loopback(service.settings.host):
        # against sites whose domain is made to point to this machine
        names = ["localhost", "127.0.0.1", "[::1]", service.settings.host]
        app.add_middleware(TrustedHostMiddleware, allowed_hosts=names)
    return app


async def _refuse(request: Request, error: HTTPException) -> Response:
    """Return an error as JSON, and count it."""
    request.app.state.service.metrics.refuse(error.status_code)
    return await http_exception_handler(request, error)


async def _refuse_parameter(
    request: Request, error: RequestValidationError
) -> Response:
    reasons = [f"{each['loc'][-1]}: {each['msg']}" for each in error.errors()]
    return await _refuse(request, HTTPException(422, "; ".join(reasons)))


def _page() -> HTMLResponse:
    return HTMLResponse(_read("upload.html"), headers=_POLICY)


def _part_of_page(kind: str) -> Response:
    if kind not in _KINDS:
        raise HTTPException(404, "There is no such file.")
    return Response(_read(f"upload.{kind}"), media_type=_KINDS[kind], headers=_POLICY)


def _read(name: str) -> str:
    return (_TEMPLATES / name).read_text(encoding="utf-8")
